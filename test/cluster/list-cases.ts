// node list-cases.ts FILE …   Writes what cases files of the suite have, as JSON: one list for each file. Runs none.
import { registerHooks } from 'node:module';
import { type CasePath, declared } from './declared-cases.ts';

const standIn = new URL('declared-cases.ts', import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) => next(specifier === 'node:test' ? standIn : specifier, context),
});

const lists: CasePath[][] = [];
for (const file of process.argv.slice(2)) {
  await import(file);
  lists.push(declared.splice(0));
}
process.stdout.write(JSON.stringify(lists));
