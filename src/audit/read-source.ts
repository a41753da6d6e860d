import { isProblem, readManifest, type SourceDocument } from '../manifest/source.ts';
import type { AuditProblem } from './report.ts';

/** What a file holds for an audit. */
export type SourceEntry = (SourceDocument & Pick<AuditProblem, 'file'>) | AuditProblem;

const templating = /\{\{-?\s*[.$a-z(/"]/;
const helmAdvice = 'this looks like a template of a Helm chart: pipe in what `helm template` prints';

/**
 * Reads the objects of a file one at a time. Of a template that is not rendered yet only the first problem is told.
 *
 * @param text What the file holds.
 * @param file Its name.
 */
export function* readSource(text: string, file: string): Generator<SourceEntry> {
  let isTold = false;
  for (const read of readManifest(text, file)) {
    if (!isProblem(read)) yield { ...read, file };
    else if (!templating.test(text)) yield read;
    else if (!isTold) {
      isTold = true;
      yield { ...read, message: `${read.message}; ${helmAdvice}` };
    }
  }
}
