// node runc-spec.ts [--strip] [--slices] -- ARGUMENTS OF RUNC
//
// Changes the specification of the container that runc is about to create:
//   --strip    without resources of cpu, memory and pids, whose controllers another hierarchy has
//   --slices   with the path that systemd would make of slice:prefix:name
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const words = process.argv.slice(2);
const separator = words.indexOf('--');
const options = words.slice(0, separator);
const runc = words.slice(separator + 1);
const bundle = runc[runc.indexOf('--bundle') + 1] ?? '.';
const file = join(bundle, 'config.json');
const spec = JSON.parse(readFileSync(file, 'utf8'));

if (options.includes('--strip')) {
  const { cpu: _cpu, memory: _memory, pids: _pids, ...rest } = spec.linux.resources ?? {};
  spec.linux.resources = rest;
}
if (options.includes('--slices')) {
  const [slice = '', prefix, name] = String(spec.linux.cgroupsPath).split(':');
  if (prefix && name) spec.linux.cgroupsPath = `${expandSlice(slice)}/${prefix}-${name}.scope`;
}
writeFileSync(file, JSON.stringify(spec));

/** Where systemd puts `a-b-c.slice`: `/a.slice/a-b.slice/a-b-c.slice`. */
function expandSlice(slice: string): string {
  const parts = slice.replace(/\.slice$/, '').split('-');
  return parts.map((_, i) => `/${parts.slice(0, i + 1).join('-')}.slice`).join('');
}
