/** A look at a few hundred processes leaves less than this, and a collection costs as much as such a look. */
const worthMiB = 1;

/**
 * Makes a function that collects garbage after a look, where `node --expose-gc` lets it. V8 lets a heap grow by 8 MiB
 * before it begins to collect, and a scanner that rests between looks has time for it.
 */
export function garbageCollector(): () => void {
  const { gc } = globalThis;
  if (gc === undefined) return () => {};
  let kept = 0;
  return () => {
    if (process.memoryUsage().heapUsed - kept < worthMiB * 1024 * 1024) return;
    gc();
    kept = process.memoryUsage().heapUsed;
  };
}
