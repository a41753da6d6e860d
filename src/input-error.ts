/**
 * Something that the user gave is not usable: an option, a file, a port. Its message is all that the user sees, so
 * it says what was wrong and where, what was expected and what to do. `cli.ts` prints it and ends with exit code 2.
 */
export class InputError extends Error {
  override readonly name = 'InputError';
}
