import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kernelThreadFlag } from '../../src/proc/stat.ts';

/** A process of a made-up machine. */
export interface FakeProcess {
  readonly pid: number;
  readonly ppid: number;
  readonly comm: string;
  /** `S` where left out. */
  readonly state?: string;
  readonly threads?: number;
  /** Ticks after boot; the PID where left out. */
  readonly startTime?: number;
  /** Its PIDs from the machine's namespace down to its own; left out, that of the machine alone. */
  readonly nspid?: readonly number[];
  /** Text of the file cgroup; a host service's where left out. */
  readonly cgroup?: string;
  /** Its words; its name where left out, none for a zombie. */
  readonly argv?: readonly string[];
  readonly flags?: number;
  /** Mask of SIGCHLD in SigCgt. */
  readonly catchesSigchld?: boolean;
}

/** A copied /proc below a temporary folder. */
export class ProcTree {
  readonly path = mkdtempSync(join(tmpdir(), 'gravekeeper-proc-'));

  constructor(processes: readonly FakeProcess[] = []) {
    this.write('stat', 'cpu  1 2 3 4\nbtime 1700000000\n');
    this.setUptime(100_000);
    this.write('sys/kernel/pid_max', '32768\n');
    this.write('sys/kernel/threads-max', '100000\n');
    this.add(kthreadd, hostInit, ...processes);
  }

  setUptime(seconds: number): void {
    this.write('uptime', `${seconds.toFixed(2)} 1.00\n`);
  }

  add(...processes: readonly FakeProcess[]): void {
    for (const process of processes) this.#addOne(process);
  }

  #addOne(process: FakeProcess): void {
    const { pid, ppid, comm, state = 'S', threads = 1, startTime = pid, flags = 0 } = process;
    const { nspid = [pid], cgroup = '0::/system.slice/some.service\n', catchesSigchld = false } = process;
    const argv = process.argv ?? (state === 'Z' ? [] : [comm]);
    const numbers = Array.from({ length: 49 }, () => '0');
    Object.assign(numbers, { 0: ppid, 5: flags, 16: threads, 18: startTime });
    this.write(`${pid}/stat`, `${pid} (${comm}) ${state} ${numbers.join(' ')}\n`);
    const mask = catchesSigchld ? '0000000000010000' : '0000000000000000';
    this.write(
      `${pid}/status`,
      [
        `Name:\t${comm.replaceAll('\n', '\\n')}`,
        `State:\t${state}`,
        `TracerPid:\t0`,
        `Uid:\t0\t0\t0\t0`,
        `NSpid:\t${nspid.join('\t')}`,
        `Threads:\t${threads}`,
        'SigPnd:\t0000000000000000',
        'ShdPnd:\t0000000000000000',
        'SigBlk:\t0000000000000000',
        'SigIgn:\t0000000000000000',
        `SigCgt:\t${mask}`,
        '',
      ].join('\n'),
    );
    this.write(`${pid}/cgroup`, cgroup);
    this.write(`${pid}/cmdline`, argv.map((word) => `${word}\0`).join(''));
  }

  remove(pid: number): void {
    rmSync(join(this.path, String(pid)), { recursive: true });
  }

  write(path: string, text: string): void {
    const file = join(this.path, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, text);
  }

  dispose(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

const kthreadd: FakeProcess = { pid: 2, ppid: 0, comm: 'kthreadd', argv: [], flags: kernelThreadFlag };
const hostInit: FakeProcess = { pid: 1, ppid: 0, comm: 'systemd', cgroup: '0::/init.scope\n' };
