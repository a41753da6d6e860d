// npm run test:interruption — interrupts the bringing up of a cluster in several ways, and sees what is left of it.
import { join } from 'node:path';
import { cannotRun, isLeftUp, say } from './guard.ts';
import { obstacle } from './obstacles.ts';
import { runCases } from './run-cases.ts';
import { owner } from './state.ts';
import { buildTools } from './tools.ts';

const missing = obstacle() ?? (isLeftUp() || owner() !== null ? 'there is a cluster' : null);
if (missing === null) {
  // So that none is interrupted at that instead.
  buildTools(say);
  const files = [join(import.meta.dirname, 'interruption.ts')];
  const { exitCode } = await runCases({ tier: 'interruption', files, maySkip: false });
  process.exitCode = exitCode;
} else {
  say(`test:interruption CANNOT RUN: ${missing}`);
  process.exitCode = cannotRun;
}
