import type { IncomingMessage } from 'node:http';
import { getDefaultHighWaterMark } from 'node:stream';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import { isJsonObject } from '../pod/json.ts';
import { type Decision, unjudgeable } from './decision.ts';
import type { JudgingTools } from './judging.ts';
import type { Log } from './log.ts';
import { type Metrics, type Webhook, webhooks } from './metrics.ts';
import { mutate } from './mutate.ts';
import { type Entry, entries } from './namespace-labels.ts';
import { parseReview } from './parse-review.ts';
import { type AdmissionRequest, readReview, reviewResponse } from './review.ts';
import { reviewLine } from './review-line.ts';
import { roomForBodies } from './room-for-bodies.ts';
import { cut, harmless } from './text.ts';
import { validate } from './validate.ts';

/** The most bytes of a body: an UPDATE carries two objects, each of at most the 1.5 MiB or so that etcd takes. */
export const longestBody = 8 * 1024 * 1024;

/** Answers from this many UTF-16 units on end their connection: half of what a socket takes without asking to wait. */
const longestKeptAlive = getDefaultHighWaterMark(false) / 2;

/** What the app is made of. */
interface AppParts extends JudgingTools {
  /** Whether reviews may be sent here. */
  ready(): boolean;
  /** Does what nobody waits for; it may be done at once, or later. */
  afterwards(task: () => void): void;
}

const deciders: Readonly<
  Record<Webhook, (request: AdmissionRequest, entry: Entry | null, tools: JudgingTools) => Promise<Decision>>
> = { mutate, validate };

/** The entries of each webhook's configuration. Pods alone are mutated, so namespaces have none there. */
const entriesOf: Readonly<Record<Webhook, readonly Entry[]>> = {
  mutate: entries.filter((entry) => entry !== 'namespaces'),
  validate: entries,
};

/**
 * Makes the Express app of the webhook: `POST /mutate` and `POST /validate`, each also with an entry of the webhook
 * configuration behind it (`/mutate/namespace-inject`), `GET /healthz` and `GET /readyz`.
 *
 * @param parts What judging takes, and readiness.
 * @returns A request handler. Every AdmissionReview gets one back; whatever else gets a 4xx and a line of text.
 */
export function createApp(parts: AppParts): Express {
  const app = express();
  app.disable('x-powered-by');
  const readBody = express.raw({ type: isJson, limit: longestBody, inflate: false });
  const waitForRoom = roomForBodies();
  for (const webhook of webhooks) {
    for (const entry of [null, ...entriesOf[webhook]]) {
      app
        .route(entry === null ? `/${webhook}` : `/${webhook}/${entry}`)
        .post(waitForRoom, reviewHandler(webhook, entry, readBody, parts))
        .all((_request, response) => wrongMethod(response, 'POST'));
    }
  }
  const health = (path: string, isFine: () => boolean) =>
    app
      .route(path)
      .get((_request, response) => (isFine() ? say(response, 200, 'ok') : say(response, 503, 'not ready')))
      .all((_request, response) => wrongMethod(response, 'GET, HEAD'));
  health('/healthz', () => true);
  health('/readyz', () => parts.ready());
  app.use((_request, response) => {
    say(response, 404, 'there is nothing here; expected /mutate, /validate, /healthz or /readyz');
  });
  app.use(failureHandler(parts.log));
  return app;
}

/** Answers calls of one path: reads the body, decides, answers, and then counts and logs. */
function reviewHandler(
  webhook: Webhook,
  entry: Entry | null,
  readBody: RequestHandler,
  parts: AppParts,
): RequestHandler {
  const { log, metrics } = parts;
  const reject = (response: Response, started: number, { status, text }: Rejection) => {
    say(response, status, text);
    metrics.reviewed(webhook, 'rejected', secondsSince(started));
    log.warn({ webhook, entry, status }, `rejected: ${text}`);
  };
  return (httpRequest, response) => {
    const started = performance.now();
    const answer = (error: unknown) => {
      const body = error ? rejectionOf(error) : parseBody(httpRequest);
      if ('status' in body) return reject(response, started, body);
      const request = readReview(body.json);
      if ('problem' in request) return reject(response, started, { status: 400, text: request.problem });
      answerReview(request, { webhook, entry, started }, response, parts).catch((error: unknown) =>
        log.error({ err: error }, 'an answered review could not be counted or logged'),
      );
    };
    // Bodies that came together are all read first and then judged one behind the other: what is done several times in
    // a row finds its code and data in the processor's caches.
    readBody(httpRequest, response, (error?: unknown) => void setImmediate(answer, error));
  };
}

/** Decides on a request and answers: whatever throws while judging admits the object. Then it counts and logs. */
async function answerReview(
  request: AdmissionRequest,
  { webhook, entry, started }: { webhook: Webhook; entry: Entry | null; started: number },
  response: Response,
  parts: AppParts,
): Promise<void> {
  let decision: Decision;
  let body: string;
  let failure: unknown = null;
  try {
    decision =
      request.unreadable.length > 0
        ? unjudgeable(`${request.unreadable.join(', ')} cannot be read`)
        : await deciders[webhook](request, entry, parts);
    body = JSON.stringify(reviewResponse(request.uid, decision));
  } catch (error) {
    failure = error;
    decision = unjudgeable(null);
    body = JSON.stringify(reviewResponse(request.uid, decision));
  }
  send(response, 200, 'application/json', body);

  const seconds = secondsSince(started);
  count(parts.metrics, webhook, request, decision, seconds);
  const line = reviewLine(request, decision, { webhook, entry, seconds });
  parts.afterwards(() => {
    if (failure !== null) parts.log.error({ ...line, err: failure }, 'the review could not be judged');
    else if (decision.outcome === 'unjudgeable') parts.log.warn(line, 'the review could not be judged');
    else parts.log.info(line, 'reviewed');
  });
}

function count(
  metrics: Metrics,
  webhook: Webhook,
  request: AdmissionRequest,
  { outcome, remedy, findings, denials, dryRun }: Decision,
  seconds: number,
): void {
  metrics.reviewed(webhook, outcome, seconds);
  // A template's remedy is only foretold: what counts is that of its pods.
  if (remedy && webhook === 'mutate') metrics.remedied(remedy.kind, remedy.reason, dryRun || request.dryRun);
  for (const { rule, severity } of findings) metrics.found(rule, severity);
  for (const denial of denials) metrics.denialDecided(denial.finding.rule, denial.outcome);
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}

/** Why a call got no review, for the caller. */
interface Rejection {
  readonly status: number;
  readonly text: string;
}

/** Whether a body calls itself JSON, with whatever parameters. */
function isJson({ headers }: IncomingMessage): boolean {
  return /^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '');
}

/** Parses what was read of a body at once: Express's own reader of JSON decodes piece by piece, and takes more memory. */
function parseBody(request: Request): { readonly json: unknown } | Rejection {
  const { body } = request;
  const type = request.headers['content-type'] ?? '';
  // A body that was read was called JSON.
  if (!Buffer.isBuffer(body) && !isJson(request)) {
    const found = type === '' ? 'there is none' : `found ${cut(harmless(type), 60)}`;
    return { status: 415, text: `expected content type application/json, ${found}` };
  }
  if (!Buffer.isBuffer(body) || body.length === 0) {
    return { status: 400, text: 'the body is empty; expected an AdmissionReview of admission.k8s.io/v1' };
  }
  if (/;\s*charset\s*=\s*"?(?!utf-?8\b)/i.test(type)) {
    return { status: 415, text: 'expected a body in UTF-8' };
  }
  try {
    return { json: parseReview(body) };
  } catch (error) {
    return { status: 400, text: `the body is not JSON: ${detailOf(error)}` };
  }
}

/** Turns an error of Express or its body reader into words; its stack stays here. */
function rejectionOf(error: unknown): Rejection {
  const { status, type } = isJsonObject(error) ? error : {};
  const code = typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
  switch (type) {
    case 'entity.too.large':
      return { status: code, text: `the body is larger than ${longestBody} bytes, the most that is read` };
    case 'encoding.unsupported':
      return { status: code, text: 'expected a body without content encoding' };
    default:
      return { status: code, text: code === 500 ? 'internal error' : `bad request: ${detailOf(error)}` };
  }
}

function detailOf(error: unknown): string {
  return error instanceof Error ? cut(harmless(error.message), 200) : '';
}

/** The last resort, for what goes wrong outside a review, such as a path that cannot be decoded. */
function failureHandler(log: Log): ErrorRequestHandler {
  return (error, _request, response, _next) => {
    const rejection = rejectionOf(error);
    if (rejection.status >= 500) log.error({ err: error }, 'a request failed');
    say(response, rejection.status, rejection.text);
  };
}

function wrongMethod(response: Response, allowed: string): void {
  response.setHeader('allow', allowed);
  say(response, 405, `expected ${allowed}`);
}

function say(response: Response, status: number, text: string): void {
  send(response, status, 'text/plain; charset=utf-8', `${text}\n`);
}

function send(response: Response, status: number, type: string, body: string): void {
  if (response.headersSent) return;
  // Node (24) breaks a connection on which the next request comes while it still waits for the last answer to drain.
  if (body.length >= longestKeptAlive) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
