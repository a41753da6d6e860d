import { once } from 'node:events';
import { createServer, get, IncomingMessage, ServerResponse } from 'node:http';
import express from 'express';
import { expect, test } from 'vitest';
import { messageClassesOf } from '../../../src/admission/message-classes.ts';

test('requests and responses are born with the prototypes that Express gives them', async () => {
  const app = express();
  const born: boolean[] = [];
  app.get('/', (_request, response) => void response.status(201).json({ fine: true }));
  const server = createServer(messageClassesOf(app), (request, response) => {
    born.push(
      Object.getPrototypeOf(request) === app.request,
      Object.getPrototypeOf(response) === app.response,
      request instanceof IncomingMessage,
      response instanceof ServerResponse,
    );
    app(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const [answer] = await once(get({ port, host: '127.0.0.1', agent: false }), 'response');
  answer.resume();
  await once(answer, 'end');
  expect(answer.statusCode).toBe(201);
  expect(born).toEqual([true, true, true, true]);
  server.close();
});
