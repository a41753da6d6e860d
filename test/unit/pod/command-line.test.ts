import { describe, expect, it } from 'vitest';
import { readCommandLine } from '../../../src/pod/command-line.ts';

describe('memory', () => {
  it('does not keep what a short script makes many wrappers of', () => {
    const argv = ['sh', '-c', '"$@";'.repeat(100), 'x', ...Array<string>(8).fill('env'), 'app'];
    const line = readCommandLine(argv);
    expect(line.invocations).toHaveLength(100);
    expect(readCommandLine(argv)).not.toBe(line);
  });

  it('gives up on more wrappers than any command line needs', () => {
    const argv = ['sh', '-c', '"$@";'.repeat(320), 'x', ...Array<string>(30).fill('env'), 'app'];
    expect(readCommandLine(argv).shell?.malformed).toBe(true);
  });
});
