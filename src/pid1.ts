import { basename, readCommandLine } from './pod/command-line.ts';

/** What a program does with orphans when it is PID 1 of its namespace. */
export type Pid1 = 'reaps' | 'leaks' | 'must-be-pid-1' | 'unknown';

/**
 * Says what a command line would be as PID 1.
 *
 * @param argv The words as executed, or null when they are not known.
 */
export function pid1Of(argv: readonly string[] | null): Pid1 {
  const program = argv && readCommandLine(argv).program;
  return program?.[0] && basename(program[0]) === 'nginx' ? 'reaps' : 'unknown';
}
