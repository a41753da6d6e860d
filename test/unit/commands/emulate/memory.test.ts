import { describe, expect, it } from 'vitest';
import { memoryLine, memoryOf } from '../../../../src/commands/emulate/memory.ts';
import type { KernelMemory } from '../../../../src/emulate/kernel-memory.ts';

function measured(orphans: number, growth: number, of: KernelMemory['of'] = 'own-cgroup') {
  const errorBytes = of === 'own-cgroup' ? 8192 : null;
  const account = { source: '/account', of, errorBytes };
  return { orphans, before: { ...account, bytes: 1000 }, after: { ...account, bytes: 1000 + growth } };
}

const line = (memory: Parameters<typeof memoryOf>[0], orphans = memory?.orphans ?? 0, unreaped = 0) =>
  memoryLine(memoryOf(memory), { orphans, unreaped });

describe('what zombies cost', () => {
  it('is told with its error where they have an account of their own', () => {
    expect(memoryOf(measured(10, 98_304))).toEqual({
      bytesPerZombie: 9830,
      plusMinusBytes: 820,
      source: '/account',
      of: 'own-cgroup',
    });
    expect(line(measured(10, 98_304))).toBe(
      'One costs the kernel 9.6 KiB ± 0.8, by what /account grew with the orphans.',
    );
  });

  it('is told without an error that does not show', () => {
    expect(line(measured(1_000, 9_830_400))).toMatch(/^One costs the kernel 9\.6 KiB, by/);
  });

  it.each([
    ['cgroup', 'in this cgroup'],
    ['machine', 'on this machine'],
  ] as const)('is told with the doubts where it is the account of the %s', (of, where) => {
    expect(line(measured(2_000, 19_660_800, of))).toBe(
      `One costs the kernel about 9.6 KiB, by what /account grew with the orphans, ` +
        `with what others did ${where} at the same time.`,
    );
  });

  it.each([
    ['no account', null, 5, 0, /cannot be read here/],
    ['no zombies', measured(0, 0), 0, 0, /cost the kernel nothing any more/],
    ['no orphans', measured(0, 0), 0, 3, /measured with orphans/],
    ['few, by a shared account', measured(999, 9_000_000, 'cgroup'), 999, 0, /^From 1000 orphans on/],
    ['too few', measured(1, 8_192), 1, 0, /so few of them .* cannot be told: \/account/],
  ] as const)('is not told with %s, and why', (_, account, orphans, unreaped, expected) => {
    expect(memoryOf(account).bytesPerZombie).toBeNull();
    expect(line(account, orphans, unreaped)).toMatch(expected);
  });
});
