import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Response } from 'express';
import { afterEach, expect, it } from 'vitest';
import { type BodyLimits, roomForBodies } from '../../../src/admission/room-for-bodies.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server that answers when it is told to, and tells when a request has come through. */
async function serve(limits: Partial<BodyLimits> = {}) {
  const arrived: Response[] = [];
  let closed = 0;
  const waiters: (() => void)[] = [];
  const wakeAll = () => {
    for (const wake of waiters.splice(0)) wake();
  };
  const app = express()
    .use((_request, response, next) => {
      response.once('close', () => {
        closed += 1;
        wakeAll();
      });
      next();
    })
    .use(
      roomForBodies({ small: 100, together: 4_000_000, patienceMs: 60_000, ...limits }),
      (_request, response) => {
        arrived.push(response);
        wakeAll();
      },
    );
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const send = (length: number | null) => {
    const headers = length === null ? {} : { 'content-length': length };
    const call = request({ host: '127.0.0.1', port, method: 'POST', headers });
    call.on('error', () => {});
    call.flushHeaders();
    if (length === null) call.write('x');
    return call;
  };
  const waitFor = async (isSo: () => boolean) => {
    while (!isSo()) await new Promise<void>((wake) => waiters.push(wake));
  };
  const until = (count: number) => waitFor(() => arrived.length >= count);
  return { arrived, send, until, untilOneClosed: () => waitFor(() => closed >= 1) };
}

it('lets so many bytes of large bodies through, and small ones at once', async () => {
  const { arrived, send, until } = await serve();
  for (let number = 0; number < 5; number += 1) send(2_000_000);
  await until(2);
  send(10);
  await until(3);
  expect(arrived.map(({ req }) => req.headers['content-length'])).toEqual(['2000000', '2000000', '10']);
  arrived[0]?.end();
  await until(4);
  arrived[1]?.end();
  await until(5);
  expect(arrived).toHaveLength(5);
});

it('counts a body without a length as all there is room for, and forgets who hangs up while waiting', async () => {
  const { arrived, send, until, untilOneClosed } = await serve();
  send(2_000_000);
  await until(1);
  const gone = send(null);
  const last = send(3_000_000);
  const [socket] = await once(gone, 'socket');
  if (socket.connecting) await once(socket, 'connect');
  gone.flushHeaders();
  setImmediate(() => gone.destroy());
  await untilOneClosed();
  arrived[0]?.end();
  await until(2);
  expect(arrived[1]?.req.headers['content-length']).toBe('3000000');
  last.destroy();
});

it('lets one body in alone that is larger than all there is room for', async () => {
  const { send, until } = await serve();
  send(9_000_000);
  await until(1);
});

it('cuts off who dawdles, and has the room for the next one', async () => {
  const { arrived, send, until, untilOneClosed } = await serve({ patienceMs: 50 });
  send(4_000_000);
  await until(1);
  await untilOneClosed();
  send(4_000_000);
  await until(2);
  expect(arrived).toHaveLength(2);
});
