import { IncomingMessage, ServerResponse } from 'node:http';
import type { Express } from 'express';

/** What `createServer` of node:http and node:https takes to make requests and responses with. */
export interface MessageClasses {
  readonly IncomingMessage: typeof IncomingMessage;
  readonly ServerResponse: typeof ServerResponse;
}

/**
 * Makes classes whose instances are born with the prototypes that an Express app gives to every request and response
 * (`app.handle` of express/lib/application.js). Changing an object's prototype costs V8 what it knows about the object's
 * shape; where nothing is to be changed, it costs nothing.
 *
 * @param app The app that is to answer.
 */
export function messageClassesOf(app: Express): MessageClasses {
  return {
    IncomingMessage: bornWith(IncomingMessage, app.request),
    ServerResponse: bornWith(ServerResponse, app.response),
  };
}

function bornWith<T extends new (...args: never[]) => object>(base: T, prototype: object): T {
  const born = function born(...args: unknown[]): object {
    return Reflect.construct(base, args, born);
  };
  born.prototype = prototype;
  return born as unknown as T;
}
