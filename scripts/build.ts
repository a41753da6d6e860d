/**
 * Bundles src/ into dist/, which runs without node_modules: `node dist/main.js webhook …`. The image holds nothing
 * else. Each command stays a chunk of its own, loaded when it is called.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { join } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
/** Every start of Node loads these. */
const loadedAnyway = new Set(['buffer', 'events', 'fs', 'path', 'process', 'timers', 'url']);

rmSync(dist, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/main.js'],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  plugins: [lazyBuiltins(), withoutTables()],
  // Smaller sources are less to hold in memory; names stay for stack traces.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});
writeFileSync(join(dist, 'package.json'), '{ "type": "module" }\n');
writeFileSync(join(dist, 'THIRD-PARTY-LICENSES'), licencesOf(packagesIn(metafile)));

const sizes = Object.values(metafile.outputs).map(({ bytes }) => bytes);
const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
process.stdout.write(`dist: ${sizes.length} files, ${(total / 1024 / 1024).toFixed(1)} MiB\n`);

/**
 * Reaches Node's modules without importing them, and each only when something of it is first used. An import looks at
 * each export of such a module, and with it loads what some of them stand for: that of node:http alone, undici and all
 * of the web's streams, 12 MiB.
 */
function lazyBuiltins(): Plugin {
  return {
    name: 'lazy-builtins',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /./ }, ({ path, kind }) =>
        isBuiltin(path) && kind !== 'dynamic-import' ? { path, namespace: 'builtin' } : null,
      );
      onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({ contents: lazyModule(path) }));
    },
  };
}

function lazyModule(path: string): string {
  const load = `process.getBuiltinModule(${JSON.stringify(path)})`;
  const module = process.getBuiltinModule(path) ?? {};
  // There is no putting a function off, such as node:assert is.
  if (typeof module === 'function' || loadedAnyway.has(path.replace(/^node:/, '')))
    return `module.exports = ${load};`;
  return lazyMembers(load, Object.keys(module));
}

/** A module that evaluates an expression when one of its members is first used. */
function lazyMembers(expression: string, names: readonly string[]): string {
  const members = names.map((name) => {
    const key = JSON.stringify(name);
    return `get ${key}() { return load()[${key}]; }`;
  });
  return `let loaded; const load = () => (loaded ??= ${expression}); module.exports = { ${members.join(', ')} };`;
}

/**
 * Leaves out what Express's libraries bring along and nothing here asks for: tables of East Asian encodings (half a MiB of
 * source that would stay in memory; an encoding whose table is missing is answered as unsupported), and file types,
 * which are only read once somebody asks.
 */
function withoutTables(): Plugin {
  return {
    name: 'without-tables',
    setup({ onResolve, onLoad }) {
      onLoad({ filter: /iconv-lite\/encodings\/tables\/.*\.json$/ }, () => ({
        contents: 'throw new Error("this table is not in the bundle")',
        loader: 'js',
      }));
      onResolve({ filter: /^mime-types$/ }, ({ path, resolveDir, namespace }) =>
        namespace === 'lazy' ? null : { path, namespace: 'lazy', pluginData: { resolveDir } },
      );
      onLoad({ filter: /./, namespace: 'lazy' }, ({ path, pluginData: { resolveDir } }) => ({
        contents: lazyMembers(
          `require(${JSON.stringify(path)})`,
          Object.keys(createRequire(join(resolveDir, 'importer.js'))(path)),
        ),
        resolveDir,
      }));
    },
  };
}

/** The folders below node_modules whose code is in the bundle. */
function packagesIn({ inputs }: Metafile): string[] {
  const folders = Object.keys(inputs).flatMap(
    (path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [],
  );
  return [...new Set(folders)].sort();
}

/** The licence texts of packages, as each of them asks for. */
function licencesOf(folders: readonly string[]): string {
  return folders
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
      const texts = readdirSync(join(root, folder))
        .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
        .map((file) => readFileSync(join(root, folder, file), 'utf8').trim());
      return [`${name} ${version} (${license})`, ...texts].join('\n\n');
    })
    .join(`\n\n${'-'.repeat(80)}\n\n`);
}
