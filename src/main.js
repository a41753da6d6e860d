#!/usr/bin/env node
// Plain JavaScript, so that a Node that cannot run the rest can still say so.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    `gravekeeper needs Node ≥ 22.19, this is ${process.versions.node}. ` +
      '`npm ci` brings a fitting one for the scripts of this checkout: npm run -s gravekeeper -- --help\n',
  );
  process.exit(2);
}
const { main } = await import('./cli.ts');
await main(process.argv);
