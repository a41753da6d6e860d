import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readReview, reviewResponse } from '../../../src/admission/review.ts';

const review = (request: unknown) => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request,
});
const nothing = { refusal: null, warnings: [], auditAnnotations: {}, patch: [] };

describe('readReview', () => {
  it('reads what the API server sends', () => {
    const object = { metadata: {} };
    const request = readReview(
      review({
        uid: 'u-1',
        kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
        resource: { group: 'apps', version: 'v1', resource: 'deployments' },
        requestKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
        subResource: 'scale',
        name: 'web',
        namespace: 'shop',
        operation: 'UPDATE',
        userInfo: { username: 'anna', groups: ['system:authenticated'] },
        object,
        oldObject: null,
        dryRun: true,
        options: { kind: 'UpdateOptions' },
      }),
    );
    expect(request).toEqual({
      uid: 'u-1',
      kind: { group: 'apps', kind: 'Deployment' },
      operation: 'UPDATE',
      subResource: 'scale',
      namespace: 'shop',
      name: 'web',
      groups: ['system:authenticated'],
      dryRun: true,
      object,
      oldObject: null,
      unreadable: [],
    });
    expect(request).toHaveProperty('object', object);
  });

  it.each([
    [null, 'the body is null'],
    ['text', 'the body is a string'],
    [[], 'the body is an array'],
    [{}, 'kind is missing'],
    [{ kind: 'Pod', apiVersion: 'v1' }, 'kind is "Pod"'],
    [
      { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1beta1' },
      'apiVersion is "admission.k8s.io/v1beta1"',
    ],
    [{ kind: 'AdmissionReview', apiVersion: 1 }, 'apiVersion is a number'],
    [review(undefined), 'request is missing'],
    [review([]), 'request is an array'],
    [review({}), 'request.uid is missing'],
    [review({ uid: 7 }), 'request.uid is a number'],
    [review({ uid: '' }), 'request.uid is ""'],
    [{ kind: 'x\u001b[2J\n', apiVersion: 'v1' }, 'kind is "x?[2J"'],
  ])('says what is wrong with %j', (body, problem) => {
    expect(readReview(body)).toHaveProperty('problem', expect.stringContaining(problem));
  });

  it('takes any string for a uid', () => {
    expect(readReview(review({ uid: '../../\u0000💀' }))).toHaveProperty('uid', '../../\u0000💀');
  });

  it('names the fields without which a request cannot be judged', () => {
    const request = readReview(
      review({ uid: 'u', kind: { group: '', kind: 5 }, namespace: {}, operation: 1 }),
    );
    expect(request).toHaveProperty('unreadable', [
      '/request/kind/kind',
      '/request/operation',
      '/request/namespace',
    ]);
  });

  it.each([
    { userInfo: 'root' },
    { userInfo: { groups: 'system:nodes' } },
    { userInfo: { groups: ['system:nodes', 3] } },
  ])('trusts nobody whose groups it cannot read: %j', (fields) => {
    const request = { uid: 'u', kind: { kind: 'Pod' }, operation: 'CREATE', ...fields };
    expect(readReview(review(request))).toMatchObject({ groups: [], unreadable: [] });
  });

  it('reads a name of the wrong type as none', () => {
    expect(readReview(review({ uid: 'u', name: 3, dryRun: 'yes' }))).toMatchObject({
      name: '',
      dryRun: false,
    });
  });

  it('never throws, whatever JSON it is given', () => {
    fc.assert(fc.property(fc.jsonValue(), (request) => void readReview(review(request))));
    fc.assert(fc.property(fc.jsonValue(), (body) => void readReview(body)));
  });
});

describe('reviewResponse', () => {
  it('admits, and says nothing that there is not', () => {
    expect(reviewResponse('u', nothing)).toEqual({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: 'u', allowed: true },
    });
  });

  it('carries the patch as base64 of its JSON', () => {
    const patch = [{ op: 'add', path: '/spec/shareProcessNamespace', value: true }] as const;
    const response = reviewResponse('u', { ...nothing, patch });
    expect(response).toMatchObject({
      response: { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') },
    });
  });

  it('refuses with 403 Forbidden', () => {
    const answer = { ...nothing, refusal: 'no', warnings: ['w'], auditAnnotations: { k: 'v' } };
    expect(reviewResponse('u', answer)).toMatchObject({
      response: {
        allowed: false,
        status: { code: 403, reason: 'Forbidden', message: 'no' },
        warnings: ['w'],
        auditAnnotations: { k: 'v' },
      },
    });
  });
});
