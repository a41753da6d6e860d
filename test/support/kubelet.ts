/** What a pod says of a container's process, as far as it matters here. */
export interface ContainerFields {
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly workingDir?: string;
}

/** ENTRYPOINT and CMD of an image config. */
export interface ImageFields {
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
}

/**
 * Expands `$(VAR)` and `$$` as the kubelet does, written after the kubelet's own Go code
 * (third_party/forked/golang/expansion/expand.go) and not after this project's, since it judges that.
 */
function expand(input: string, env: ReadonlyMap<string, string>): string {
  let output = '';
  for (let cursor = 0; cursor < input.length; cursor += 1) {
    if (input[cursor] !== '$' || cursor + 1 === input.length) {
      output += input[cursor];
      continue;
    }
    const rest = input.slice(cursor + 1);
    const closer = rest.indexOf(')');
    if (rest[0] === '$') {
      output += '$';
      cursor += 1;
    } else if (rest[0] === '(' && closer > 0) {
      const name = rest.slice(1, closer);
      output += env.get(name) ?? `$(${name})`;
      cursor += closer + 1;
    } else {
      output += `$${rest[0]}`;
      cursor += 1;
    }
  }
  return output;
}

/** The environment that the pod's literal variables make: each may refer to those before it. */
export function environmentOf({ env = [] }: ContainerFields): Map<string, string> {
  const result = new Map<string, string>();
  for (const { name, value = '' } of env) result.set(name, expand(value, result));
  return result;
}

/** The words that the runtime executes: the pod's fields expanded, the image's as they are. */
export function executedArgv(container: ContainerFields, image: ImageFields = {}): string[] {
  const env = environmentOf(container);
  const [command, args] = [container.command ?? [], container.args ?? []].map((words) =>
    words.map((word) => expand(word, env)),
  );
  if (command?.length) return [...command, ...(args ?? [])];
  return [...(image.entrypoint ?? []), ...(args?.length ? args : (image.cmd ?? []))];
}
