// npm run test:registry — looks images up in real registries, and runs what comes of it with a real runc.
import { obstacle } from './obstacles.ts';

const missing = obstacle();
if (missing !== null) {
  process.stderr.write(`test:registry cannot run: ${missing}\n`);
  process.exit(1);
}

// One process, so that the registries are started and filled once.
for (const suite of ['images', 'credentials', 'misbehaviour', 'load', 'runc'])
  await import(`./suite/${suite}.ts`);
