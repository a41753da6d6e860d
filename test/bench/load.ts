import { performance } from 'node:perf_hooks';
import { connect, type TLSSocket } from 'node:tls';

/** A server under load. */
export interface Target {
  readonly port: number;
  readonly path: string;
  readonly ca: string;
}

/** What a round of load came to. */
export interface Round {
  readonly perSecond: number;
  /** Milliseconds from the first byte sent to the last one received, ascending. */
  readonly latencies: readonly number[];
}

/**
 * Sends one body over keep-alive connections, each of them waiting for its answer before it sends again. It speaks
 * to the socket directly, so that the client is never the slower side.
 *
 * @param target Where to.
 * @param body What to send.
 * @param load Connections, and requests over all of them.
 * @throws if an answer is not 200.
 */
export async function run(
  target: Target,
  body: string,
  load: { readonly connections: number; readonly requests: number },
): Promise<Round> {
  const request = Buffer.from(
    `POST ${target.path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  const sockets = await Promise.all(Array.from({ length: load.connections }, () => open(target)));
  const latencies: number[] = [];
  let left = load.requests;
  const begin = performance.now();
  await Promise.all(
    sockets.map(async (socket) => {
      const answers = answersOf(socket);
      while (left > 0) {
        left -= 1;
        const sent = performance.now();
        socket.write(request);
        await answers();
        latencies.push(performance.now() - sent);
      }
      socket.destroy();
    }),
  );
  const seconds = (performance.now() - begin) / 1000;
  return { perSecond: load.requests / seconds, latencies: latencies.sort((a, b) => a - b) };
}

function open({ port, ca }: Target): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost' }, () => resolve(socket));
    socket.once('error', reject);
    socket.setNoDelay(true);
  });
}

/** Waits for one whole answer after another on a socket. */
function answersOf(socket: TLSSocket): () => Promise<void> {
  let buffered = '';
  let waiting: { resolve: () => void; reject: (error: Error) => void } | null = null;
  const fail = (error: Error) => waiting?.reject(error);
  socket.setEncoding('latin1');
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the server closed the connection')));
  socket.on('data', (chunk) => {
    buffered += String(chunk);
    const head = buffered.indexOf('\r\n\r\n');
    if (head < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(buffered.slice(0, head))?.[1] ?? Number.NaN);
    if (buffered.length < head + 4 + length) return;
    const status = buffered.slice(9, 12);
    buffered = buffered.slice(head + 4 + length);
    if (status === '200') waiting?.resolve();
    else fail(new Error(`the server answered ${status}`));
  });
  return () =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject };
    });
}
