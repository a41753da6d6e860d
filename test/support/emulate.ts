import { startZombies } from '../../src/emulate/zombies.ts';

/** Makes what its argument asks for, as JSON, says what came of it in one line of JSON, and stays. */
const emulation = await startZombies(JSON.parse(process.argv[2] ?? '{}'));
const outcome = 'unavailable' in emulation ? emulation : { pid1: emulation.pid1, count: emulation.count() };
process.stdout.write(`${JSON.stringify(outcome)}\n`);
