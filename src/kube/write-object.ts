import type { Answer, ApiServer } from './api-server.ts';

/** Whose the fields are that this program applies. */
const fieldManager = 'gravekeeper';
const timeoutMs = 10_000;

/**
 * Applies an object on the server's side, as the field manager `gravekeeper`: it is created, or brought up to date.
 *
 * @param api The API server; its user needs the rights to create and patch such objects.
 * @param path Of the object, escaped.
 * @param object With apiVersion, kind and name.
 * @param force Whether fields of other managers are taken over; otherwise those make a conflict, which is a 409.
 * @returns Whatever is answered.
 * @throws {Error} in words if there is no answer in 10 s.
 */
export function applyObject(api: ApiServer, path: string, object: object, force: boolean): Promise<Answer> {
  const query = new URLSearchParams({ fieldManager, force: String(force) });
  const contentType = 'application/apply-patch+yaml';
  return api.request('PATCH', `${path}?${query}`, object, { contentType, timeoutMs });
}

/** A version of an object, as its metadata names it. */
export interface ObjectVersion {
  readonly uid: string;
  readonly resourceVersion: string;
}

/**
 * Deletes an object as it was seen; one that has changed since stays, and is answered with 409.
 *
 * @param api The API server; its user needs the right to delete such objects.
 * @param path Of the object, escaped.
 * @returns Whatever is answered.
 * @throws {Error} in words if there is no answer in 10 s.
 */
export function deleteObject(api: ApiServer, path: string, seen: ObjectVersion): Promise<Answer> {
  const { uid, resourceVersion } = seen;
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } };
  return api.request('DELETE', path, body, { timeoutMs });
}
