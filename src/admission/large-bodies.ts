import type { RequestHandler } from 'express';

/** Reviews of real pods are far below; what is above may be an attempt to fill the memory. */
const large = 1024 * 1024;
/** A body takes some thirty times its size while it is judged. */
const mostAtATime = 2;

/**
 * Makes a handler that lets few requests with large bodies through at a time, and all others at once. Those that
 * wait are not read, so that they take no memory; the API server gives up on them after its timeout.
 *
 * @returns A handler to be put before the one that reads bodies. A body without a length counts as large.
 */
export function fewLargeBodies(): RequestHandler {
  let running = 0;
  const waiting = new Set<() => void>();
  const leave = () => {
    running -= 1;
    const [next] = waiting;
    next?.();
  };
  return (request, response, next) => {
    const length = Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY);
    if (length <= large) return next();
    const enter = () => {
      waiting.delete(enter);
      running += 1;
      response.once('close', leave);
      next();
    };
    if (running < mostAtATime) return enter();
    waiting.add(enter);
    response.once('close', () => waiting.delete(enter));
  };
}
