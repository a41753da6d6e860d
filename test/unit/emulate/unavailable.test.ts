import { describe, expect, it } from 'vitest';
import { brokeOff, needsLinux, needsProgram, whyForbidden } from '../../../src/emulate/unavailable.ts';

const again = 'npm run demo';

describe('whyForbidden', () => {
  it.each([
    ['kernel.unprivileged_userns_clone', '0', '1'],
    ['kernel.apparmor_restrict_unprivileged_userns', '1', '0'],
    ['user.max_user_namespaces', '0', '15000'],
    ['user.max_pid_namespaces', '0', '15000'],
  ])('names %s = %s and the command that allows it', (setting, forbids, allows) => {
    const answer = whyForbidden(
      'unshare: unshare failed: Operation not permitted\n',
      (name) => (name === setting ? forbids : null),
      again,
    );
    expect(answer.unavailable).toContain(`${setting} = ${forbids}`);
    expect(answer.unavailable).toContain('(unshare: unshare failed: Operation not permitted)');
    expect(answer.retry).toBe(`sudo sysctl -w ${setting}=${allows} && npm run demo`);
  });

  it('does not blame a setting that allows it', () => {
    const answer = whyForbidden('unshare: unshare failed: Operation not permitted', () => '1000', again);
    expect(answer.unavailable).not.toContain('kernel setting');
    expect(answer.unavailable).toContain('seccomp');
    expect(answer.retry).toContain(again);
  });
});

describe('the other obstacles', () => {
  it('names the platform and a container to try in', () => {
    const answer = needsLinux('darwin', again);
    expect(answer.unavailable).toContain('darwin');
    expect(answer.retry).toMatch(/^docker run .*npm run demo/);
  });

  it('names the program and its package', () => {
    expect(needsProgram('/usr/bin/tini', 'tini', again)).toEqual({
      unavailable: 'the program /usr/bin/tini is not there',
      retry: 'sudo apt-get install -y tini && npm run demo',
    });
  });

  it('puts what the programs said on one line', () => {
    expect(brokeOff('sh: 1:\nCannot fork\n', again)).toEqual({
      unavailable: 'not all zombies could be made (sh: 1: Cannot fork)',
      retry: again,
    });
  });
});
