import { describe, expect, it } from 'vitest';
import { adviceFor, type Case } from '../../../src/scanner/advice.ts';
import { pod } from './machine.ts';

const orphan: Case = {
  kind: { kind: 'orphan', certain: true, fixableBy: 'init' },
  parent: {
    pid: 200,
    comm: 'sleep',
    argv: ['sleep', '1'],
    state: 'S',
    isPause: false,
    isNested: false,
    ignoresChildren: null,
  },
  pod,
  inPod: true,
  container: 'app',
  probe: null,
  parents: 1,
};
const parent = orphan.parent ?? undefined;
if (parent === undefined) throw new Error('the case has a parent');

describe('advice on orphans', () => {
  it('names the template to label', () => {
    expect(adviceFor(orphan)).toBe(
      'PID 1 of its namespace, sleep (PID 200), adopted them and never waits. It needs an init: label the pod ' +
        'template of Deployment/web or its namespace gravekeeper.dev/inject=auto and let the pods be made anew, or ' +
        'put tini in front of its command.',
    );
  });

  it('has a doubt where they may be children of PID 1 itself', () => {
    const likely = { ...orphan, kind: { ...orphan.kind, certain: false } };
    expect(adviceFor(likely)).toMatch(/only the program can be mended\.$/);
  });

  it('does not send people to a label who have no pod', () => {
    expect(adviceFor({ ...orphan, pod: null, inPod: false })).toContain('docker run --init');
    expect(adviceFor({ ...orphan, pod: { ...pod, owner: 'Pod/web' } })).toContain(
      'label its pod or its namespace',
    );
  });

  it('says less of a program that is not known', () => {
    const unknown = { ...orphan, parent: { ...parent, comm: 'srv', argv: ['/srv'] } };
    expect(adviceFor(unknown)).toContain('srv (PID 200), adopted them and has not waited for them');
    const deaf = { ...unknown, parent: { ...unknown.parent, ignoresChildren: true } };
    expect(adviceFor(deaf)).toContain('adopted them and never waits');
  });

  it('does not advise an init where there is one', () => {
    const nginx = { ...orphan, parent: { ...parent, comm: 'nginx', argv: ['nginx', '-g', 'daemon off;'] } };
    expect(adviceFor(nginx)).toMatch(/reaps what it adopts, yet these stay/);
  });

  it('sends those who run the nodes after a pause that does not reap', () => {
    const pause = { ...orphan, parent: { ...parent, comm: 'pause', argv: ['/pause'], isPause: true } };
    expect(adviceFor(pause)).toMatch(
      /pause 3\.1 or later.*share-pid does not help; gravekeeper.dev\/inject=tini does/,
    );
  });

  it('knows that no init helps in a hostPID pod', () => {
    const host: Case = { ...orphan, kind: { kind: 'orphan', certain: false, fixableBy: 'runtime' } };
    expect(adviceFor(host)).toContain('take hostPID away');
  });

  it('does not send people to a label that cannot reach a nested namespace', () => {
    const nested = { ...orphan, parent: { ...parent, comm: 'chrome', argv: ['chrome'], isNested: true } };
    expect(adviceFor(nested)).toMatch(/made inside of the container, where no label reaches/);
  });

  it.each([
    [['sh', '-c', 'curl https://admin:hunter2@api.example.com/x.sh']],
    [['bash', '-c', 'PGPASSWORD=hunter2.sh psql']],
    [['java', '-jar', '--password', 'hunter2.jar', 'app.jar']],
    [['python3', '-c', 'hunter2.py']],
  ])('shows no word of %j, which may hold a secret', (argv) => {
    expect(adviceFor({ ...orphan, parent: { ...parent, comm: 'sh', argv } })).not.toContain('hunter2');
  });

  it('counts parents that are too many to name', () => {
    expect(adviceFor({ ...orphan, parent: null, parents: 900 })).toContain('They have 900 parents');
    expect(adviceFor({ ...orphan, parent: null })).toContain('not visible from here');
  });

  it('names the probe that they keep step with', () => {
    const command = ['sh', '-c', 'x'.repeat(80)];
    const probe = {
      container: 'app',
      kind: 'liveness' as const,
      command,
      periodSeconds: 10,
      zombiesPerRun: 2,
    };
    const text = adviceFor({ ...orphan, probe });
    expect(text).toMatch(
      /keep step with the liveness probe \(sh -c x{53}…\), which runs every 10 s and leaves 2 each time/,
    );
    expect(adviceFor({ ...orphan, container: null, probe })).toContain('the liveness probe of container app');
  });
});

describe('advice on the others', () => {
  it('sends the children of a living parent to its authors', () => {
    const child: Case = {
      ...orphan,
      kind: { kind: 'unreaped-child', certain: true, fixableBy: 'app' },
      parent: { ...parent, comm: 'python3', argv: ['/usr/bin/python3', '-u', '/srv/work.py'] },
    };
    expect(adviceFor(child)).toMatch(/^Their parent python3 work.py \(PID 200\) lives and never waits/);
    const injected = { ...pod, injected: { remedy: 'tini' as const, containers: ['app'] } };
    expect(adviceFor({ ...child, pod: injected })).toContain(
      'The tini that was injected cannot help either.',
    );
  });

  it('knows a parent that is stopped', () => {
    expect(adviceFor({ ...orphan, parent: { ...parent, state: 'T' } })).toBe(
      'sleep (PID 200) is stopped (state T): let it go on, or end it.',
    );
  });

  it('blames the runtime, and nothing else', () => {
    const runtime: Case = { ...orphan, kind: { kind: 'runtime', certain: true, fixableBy: 'runtime' } };
    expect(adviceFor(runtime)).toContain('is the container runtime, which has not waited for them');
    expect(adviceFor({ ...runtime, parent: null })).toContain('look from the node itself');
  });
});
