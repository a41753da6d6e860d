// Stands in for node:test where a file of the suite is only to be asked for its cases.

/** The names of the suites that a case is in, and its own. */
export type CasePath = readonly [...suites: string[], name: string];

/** What was declared so far. */
export const declared: CasePath[] = [];

const suites: string[] = [];

/** Declares what its last argument declares, also where node:test would skip it. */
export function describe(name: string, ...rest: readonly unknown[]): void {
  suites.push(name);
  (rest.at(-1) as () => void)();
  suites.pop();
}

export function it(name: string): void {
  declared.push([...suites, name]);
}

const nothing = (): void => {};

export { nothing as after, nothing as afterEach, nothing as before, nothing as beforeEach };
