import { it } from 'node:test';

let planned = 0;
let passed = 0;
let failed = 0;
let skipped = 0;
const begin = performance.now();

/** A test that counts. With a reason it is skipped, and that is said aloud. */
export function check(
  name: string,
  body: () => void | Promise<void>,
  whySkipped: string | null = null,
): void {
  planned += 1;
  if (whySkipped !== null) {
    skipped += 1;
    it(name, { skip: whySkipped }, () => {});
    return;
  }
  it(name, async () => {
    try {
      await body();
      passed += 1;
    } catch (error) {
      failed += 1;
      throw error;
    }
  });
}

/** Ends the output with a line that tells how many cases there are, and how they ended. */
export function tellTallyAtExit(): void {
  process.on('exit', () => {
    const seconds = Math.round((performance.now() - begin) / 1000);
    const notRun = planned - passed - failed - skipped;
    if (failed + notRun > 0) process.exitCode ||= 1;
    process.stdout.write(
      `runtime: ${planned} cases: ${passed} passed, ${failed} failed, ${skipped} skipped, ${notRun} not run, ${seconds} s\n`,
    );
  });
}
