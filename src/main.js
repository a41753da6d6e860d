#!/usr/bin/env node
import { existsSync } from 'node:fs';

// Plain JavaScript, so that a Node that cannot run the rest can still say so.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    `gravekeeper needs Node ≥ 22.19, this is ${process.versions.node}. ` +
      '`npm ci` brings a fitting one for the scripts of this checkout: npm run -s gravekeeper -- --help\n',
  );
  process.exit(2);
}
// What was compiled once need not be compiled, nor its types stripped, at the next start of a checkout. The bundle has no
// place to keep it, as the image cannot be written.
if (existsSync(`${import.meta.dirname}/cli.ts`)) {
  const { enableCompileCache } = await import('node:module');
  enableCompileCache(`${import.meta.dirname}/../node_modules/.cache/gravekeeper`);
}

// A reader that has seen enough, such as head, is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if ('code' in error && error.code === 'EPIPE') process.exit();
    throw error;
  });
}
const { main } = await import('./cli.ts');
await main(process.argv);
