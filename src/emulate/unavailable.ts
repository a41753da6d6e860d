import { readText } from '../proc/read-text.ts';

/** Why no real zombies can be made here, for people, and what to type instead. */
export interface Unavailable {
  readonly unavailable: string;
  /** A shell command that removes the obstacle and then tries again. */
  readonly retry: string;
}

/** Reads a kernel setting by its sysctl name, or null where this kernel has none. */
export type ReadSetting = (name: string) => string | null;

/** Reads a kernel setting from /proc/sys. */
export function readSetting(name: string): string | null {
  return readText(`/proc/sys/${name.replaceAll('.', '/')}`)?.trim() ?? null;
}

/** The answer on a system without PID namespaces: the same command in a Linux container. */
export function needsLinux(platform: string, again: string): Unavailable {
  return {
    unavailable: `zombies are made in a PID namespace, which only Linux has; this is ${platform}`,
    retry:
      'docker run --rm --security-opt seccomp=unconfined -v "$PWD:/src:ro" node:24 ' +
      `sh -c 'cp -r /src /app && cd /app && npm ci && ${again}'`,
  };
}

/** The answer where a program is missing that a package of the distribution brings. */
export function needsProgram(program: string, aptPackage: string, again: string): Unavailable {
  return {
    unavailable: `the program ${program} is not there`,
    retry: `sudo apt-get install -y ${aptPackage} && ${again}`,
  };
}

/** Kernel settings that forbid user namespaces, the value that does, and the one that does not. */
const obstacles = [
  // Debian and its derivatives; https://lwn.net/Articles/673597/
  { setting: 'kernel.unprivileged_userns_clone', forbids: '0', allows: '1' },
  // Ubuntu 23.10 on; https://ubuntu.com/blog/ubuntu-23-10-restricted-unprivileged-user-namespaces
  { setting: 'kernel.apparmor_restrict_unprivileged_userns', forbids: '1', allows: '0' },
  // namespaces(7); RHEL 7 and hardened hosts set them to 0.
  { setting: 'user.max_user_namespaces', forbids: '0', allows: '15000' },
  { setting: 'user.max_pid_namespaces', forbids: '0', allows: '15000' },
];

/**
 * Explains why `unshare` could not make the namespaces.
 *
 * @param message What it wrote to stderr, in English.
 * @param setting Reads a kernel setting.
 * @param again The command to run once the obstacle is removed.
 */
export function whyForbidden(message: string, setting: ReadSetting, again: string): Unavailable {
  const said = oneLine(message);
  const found = obstacles.find((obstacle) => setting(obstacle.setting) === obstacle.forbids);
  if (found) {
    return {
      unavailable: `the kernel setting ${found.setting} = ${found.forbids} forbids it (${said})`,
      retry: `sudo sysctl -w ${found.setting}=${found.allows} && ${again}`,
    };
  }
  return {
    unavailable: `a user namespace and a PID namespace could not be made, which a container's seccomp profile or a security module may forbid (${said})`,
    retry: `sudo ${again}  # or outside the container, or in one that was started with --security-opt seccomp=unconfined`,
  };
}

/** The answer where the namespace was made, but not all that should go into it. */
export function brokeOff(message: string, again: string): Unavailable {
  return { unavailable: `not all zombies could be made (${oneLine(message)})`, retry: again };
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}
