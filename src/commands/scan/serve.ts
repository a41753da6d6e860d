import type { RequestListener, ServerResponse } from 'node:http';
import { type Listener, metricsHandler, serveHttp } from '../../admission/server.ts';
import { scanJson } from '../../scanner/formats/json.ts';
import type { ScanMetrics } from '../../scanner/formats/metrics.ts';
import type { ScanReport } from '../../scanner/report.ts';
import type { ScanOptions } from '../scan.ts';
import { complain } from './complain.ts';

/** What is served. */
export interface Served {
  readonly metrics: ScanMetrics;
  /** Null before there is a report. */
  readonly last: () => ScanReport | null;
  /** Whether looks succeed. */
  readonly isWell: () => boolean;
}

/**
 * Serves `/metrics`, `/healthz` and `/scan`, the last report, over plain HTTP.
 *
 * @returns Null where no port is asked for.
 * @throws {InputError} if it cannot listen there.
 */
export async function serveScans(
  { metricsPort, host }: ScanOptions,
  served: Served,
): Promise<Listener | null> {
  if (metricsPort === 0) return null;
  const log = { error: (_details: object, message: string) => complain(message) };
  const address = { port: metricsPort, ...(host === undefined ? {} : { host }) };
  return serveHttp(handlerOf(served), address, log);
}

function handlerOf({ metrics, last, isWell }: Served): RequestListener {
  const onMetrics = metricsHandler(metrics.registry);
  return (request, response) => {
    const path = request.url?.split('?')[0];
    if (path === '/metrics') return onMetrics(request, response);
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return answer(response, 405, 'only GET is answered\n');
    if (path === '/healthz') {
      return isWell()
        ? answer(response, 200, 'ok\n')
        : answer(response, 503, 'no look at /proc succeeded of late\n');
    }
    if (path !== '/scan') return answer(response, 404, 'there are GET /metrics, /healthz and /scan here\n');
    const report = last();
    if (report === null) return answer(response, 503, 'there is no report yet\n');
    response.writeHead(200, { 'content-type': 'application/json' }).end(scanJson(report));
  };
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
}
