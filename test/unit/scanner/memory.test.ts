import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { parseCgroup } from '../../../src/proc/cgroup.ts';
import type { ProcRoot } from '../../../src/proc/root.ts';
import { isZombie, type Process } from '../../../src/proc/stat.ts';
import { directoryOf } from '../../../src/scanner/pod-facts.ts';
import { createScanner } from '../../../src/scanner/scanner.ts';
import { containerId, pod, podUid, v2 } from './machine.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

const perLook = 10;
const lifetime = 5;

/** A machine without files, on which zombies come and go, with numbers that are used again. */
class BusyMachine implements ProcRoot {
  readonly path = '/nowhere';
  readonly bootTime = 0;
  look = 0;
  #processes = new Map<number, Process>();

  advance(): void {
    this.look += 1;
    const app = this.#process(200, 1, 'app', 'S', 200);
    this.#processes = new Map([
      [1, this.#process(1, 0, 'systemd', 'S', 1)],
      [200, app],
    ]);
    for (let age = 0; age < lifetime; age += 1) {
      const born = this.look - age;
      for (let index = 0; index < perLook; index += 1) {
        const pid = 1000 + ((born * perLook + index) % 30_000);
        this.#processes.set(pid, this.#process(pid, 200 + (born % 2), `z${born}`, 'Z', born * 100));
      }
    }
    this.#processes.set(201, this.#process(201, 200, `parent${this.look}`, 'S', 201));
  }

  #process(pid: number, ppid: number, comm: string, state: string, startTime: number): Process {
    return { pid, ppid, comm, state, threads: 1, startTime, flags: 0 };
  }

  uptimeSeconds = () => this.look * 15;
  nodeThreads = () => this.#processes.size;
  forks = () => null;
  stat = (pid: number) => this.#processes.get(pid) ?? null;
  cgroup = () => parseCgroup(v2(podUid, containerId));
  commandLine = (pid: number) => [`/bin/app${pid}`, 'x'.repeat(500)];
  pidNamespace = () => null;
  waitChannel = () => null;
  text = () => null;
  isHost = () => true;
  status = (pid: number) => {
    const sigchld = { caught: false, ignored: false, blocked: false, pending: false };
    return { state: 'S', threads: 1, nspid: [pid, pid - 199], uid: 0, sigchld };
  };

  readTable: ProcRoot['readTable'] = (table) => {
    table.clear(this.#processes.size);
    for (const process of [...this.#processes.values()].sort((a, b) => a.pid - b.pid)) {
      table.add(process, isZombie(process) ? process.comm : null);
    }
  };
}

it('needs no more memory after 10,000 looks than after 1,000', () => {
  const machine = new BusyMachine();
  const limits = {
    pidMax: () => 32_768,
    threadsMax: () => null,
    kubepods: () => null,
    pod: () => ({ used: 60, limit: 1000 }),
    containerMemory: () => null,
  };
  const clock = { now: () => machine.look * 15_000, seconds: () => machine.look * 15 };
  const scanner = createScanner({ proc: machine, limits, node: 'busy', clock });
  const pods = directoryOf([{ ...pod, injected: { remedy: 'tini', containers: ['app'] } }]);
  const heapAfter = (looks: number): number => {
    let zombies = 0;
    while (machine.look < looks) {
      machine.advance();
      ({ zombies } = scanner.look(pods));
    }
    expect(zombies).toBe((lifetime - 1) * perLook);
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const early = heapAfter(1000);
  expect(heapAfter(10_000) - early).toBeLessThan(1024 * 1024);
}, 120_000);
