import type { RequestHandler, Response } from 'express';

/** What bodies may be. */
export interface BodyLimits {
  /** Bodies up to this many bytes never wait; those of real pods are below. */
  readonly small: number;
  /** The most bytes of all others together, since a body takes some thirty times its size while it is judged. */
  readonly together: number;
  /** A large body that is not there after so many milliseconds is given up; the API server does not wait longer. */
  readonly patienceMs: number;
}

const limits: BodyLimits = { small: 128 * 1024, together: 16 * 1024 * 1024, patienceMs: 5_000 };

/**
 * Makes a handler that lets only so many bytes of large bodies in at a time. Requests that wait are not read, so that
 * they take no memory; one alone always gets in. Who dawdles over a large body is cut off.
 *
 * @param chosen Other limits than the usual ones.
 * @returns A handler to be put before the one that reads bodies. A body without a length counts as a whole budget.
 */
export function roomForBodies({ small, together, patienceMs }: BodyLimits = limits): RequestHandler {
  let taken = 0;
  const waiting = new Map<Response, () => boolean>();
  const admitWaiting = () => {
    for (const enter of waiting.values()) if (!enter()) return;
  };
  return (request, response, next) => {
    const bytes = Number(request.headers['content-length'] ?? together);
    if (bytes <= small) return next();
    const cutOff = setTimeout(() => request.socket.destroy(), patienceMs);
    request.once('end', () => clearTimeout(cutOff));
    response.once('close', () => clearTimeout(cutOff));
    const enter = () => {
      if (taken > 0 && taken + bytes > together) return false;
      waiting.delete(response);
      taken += bytes;
      response.once('close', () => {
        taken -= bytes;
        admitWaiting();
      });
      next();
      return true;
    };
    if (waiting.size > 0 || !enter()) waiting.set(response, enter);
    response.once('close', () => waiting.delete(response));
  };
}
