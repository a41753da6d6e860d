import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProgram } from '../../../src/emulate/programs.ts';

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'gravekeeper-programs-'));
  for (const folder of ['first', 'second']) mkdirSync(join(root, folder));
  mkdirSync(join(root, 'first', 'tool'));
  writeFileSync(join(root, 'first', 'plain'), '');
  for (const name of ['tool', 'plain']) {
    writeFileSync(join(root, 'second', name), '#!/bin/sh\n');
    chmodSync(join(root, 'second', name), 0o755);
  }
});

afterAll(() => rmSync(root, { recursive: true }));

describe('findProgram', () => {
  it('passes over folders and files that may not be executed', () => {
    const path = `${join(root, 'first')}:${join(root, 'second')}`;
    expect(findProgram('tool', path)).toBe(join(root, 'second', 'tool'));
    expect(findProgram('plain', path)).toBe(join(root, 'second', 'plain'));
  });

  it('takes a name with a slash as it stands', () => {
    expect(findProgram(join(root, 'second', 'tool'), '')).toBe(join(root, 'second', 'tool'));
    expect(findProgram(join(root, 'first', 'plain'), '')).toBeNull();
  });

  it('answers null where there is none', () => {
    expect(findProgram('tool', join(root, 'first'))).toBeNull();
  });
});
