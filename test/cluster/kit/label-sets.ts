import { namespace } from './namespaces.ts';

const made = new Map<string, Promise<string>>();

/**
 * A namespace with exactly these labels, made when it is first asked for.
 *
 * @param prepare Called once with its name.
 */
export function namespaceWith(
  labels: Readonly<Record<string, string>>,
  prepare: (name: string) => Promise<unknown> = async () => {},
): Promise<string> {
  const key = JSON.stringify([Object.entries(labels).sort(), prepare.name]);
  const existing = made.get(key);
  if (existing) return existing;
  const making = namespace({}, labels).then(async (name) => {
    await prepare(name);
    return name;
  });
  made.set(key, making);
  return making;
}
