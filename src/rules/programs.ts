import { basename, type CommandLine, type Invocation } from '../pod/command-line.ts';
import { readShellCall } from '../pod/shells.ts';

/** A known program among those that a command line starts. */
interface KnownProgram {
  /** Its name as people know it: `rabbitmqctl`, `celery`, `manage.py`. */
  readonly name: string;
  readonly invocation: Invocation;
}

/** The name of the known program that an invocation starts, or null. */
export type Recogniser = (invocation: Invocation) => string | null;

const rabbitmqClis = new Set([
  'rabbitmqctl',
  'rabbitmq-diagnostics',
  'rabbitmq-plugins',
  'rabbitmq-queues',
  'rabbitmq-streams',
  'rabbitmq-upgrade',
]);
const jvmClis = new Set([
  'java',
  'nodetool',
  'zkServer.sh',
  'zkCli.sh',
  'jps',
  'jcmd',
  'jstack',
  'jmap',
  'jstat',
]);
/** Kafka's own tools as Confluent's images name them, without `.sh`. */
const kafkaTools = new Set(
  ['acls', 'broker-api-versions', 'cluster', 'configs', 'console-consumer', 'console-producer']
    .concat([
      'consumer-groups',
      'features',
      'get-offsets',
      'log-dirs',
      'metadata-quorum',
      'run-class',
      'topics',
    ])
    .map((tool) => `kafka-${tool}`),
);
/** Scripts named like Kafka's that people wrote themselves; what they start is unseen. */
const ownKafkaScript = /health|check|probe|live|ready|entrypoint/;
const entrypointScript = /\.sh$|^(?:docker-)?entrypoint$/;
const projectRunners = new Set(['poetry', 'pipenv', 'uv', 'pdm']);
const pythonOptionsWithValue = new Set(['-W', '-X', '--check-hash-based-pycs']);

/** The first known program that a command line starts, or null. */
export function findProgram(command: CommandLine, recognise: Recogniser): KnownProgram | null {
  for (const invocation of command.invocations) {
    const name = recognise(invocation);
    if (name !== null) return { name, invocation };
  }
  return null;
}

/** A program's basename and its arguments. */
type Words = readonly [string, ...(readonly string[])];

/** The words behind an interpreter: `bash /opt/check.sh 5` runs `check.sh 5`. */
function interpreted({ argv, program }: Invocation): Words {
  const call = readShellCall(argv);
  const [first = program, ...rest] = call && call.script === null && call.operands[0] ? call.operands : argv;
  return [basename(first), ...rest];
}

/** The words of the program that matters: `/entrypoint.sh airflow jobs check` ends up as `airflow jobs check`. */
function wordsOf(invocation: Invocation): Words {
  const words = interpreted(invocation);
  const [first, second, ...rest] = words;
  const isProgram = jvmClis.has(first) || isKafkaScript(first);
  const passesOn = second !== undefined && !second.startsWith('-') && entrypointScript.test(first);
  return passesOn && !isProgram ? [basename(second), ...rest] : words;
}

/** `rabbitmqctl node_health_check` and the like. */
export const nodeHealthCheck: Recogniser = (invocation) => {
  const [name, ...words] = wordsOf(invocation);
  return rabbitmqClis.has(name) && words.includes('node_health_check') ? name : null;
};

/** Command-line tools that start an Erlang VM: RabbitMQ's, ejabberd's, EMQX's; not the node health check. */
export const erlangCli: Recogniser = (invocation) => {
  const [name, ...words] = wordsOf(invocation);
  if (rabbitmqClis.has(name)) return words.includes('node_health_check') ? null : name;
  if (name === 'ejabberdctl' || name === 'emqx_ctl') return name;
  return name === 'emqx' && words[0] === 'ctl' ? 'emqx ctl' : null;
};

/** Command-line tools that start a Java VM. */
export const jvmCli: Recogniser = (invocation) => {
  const [name] = wordsOf(invocation);
  return jvmClis.has(name) || kafkaTools.has(name) || isKafkaScript(name) ? name : null;
};

function isKafkaScript(name: string): boolean {
  return name.startsWith('kafka-') && name.endsWith('.sh') && !ownKafkaScript.test(name);
}

/** MongoDB's shells. */
export const mongoShell: Recogniser = (invocation) => {
  const [name] = wordsOf(invocation);
  return name === 'mongosh' || name === 'mongo' ? name : null;
};

/** Python applications that load all of themselves for one question: Celery, Airflow, Django. */
export const pythonAppCli: Recogniser = (invocation) => {
  const [name, ...words] = pythonWords(withoutRunner(wordsOf(invocation)));
  if (name === 'celery') return words.includes('inspect') || words.includes('status') ? name : null;
  if (name === 'airflow') return words.some((word) => /^check(?:-|$)/.test(word)) ? name : null;
  return name === 'manage.py' ? name : null;
};

/** A shell script whose text is not part of the command, unless it is a program that another rule knows. */
export const unseenScript: Recogniser = (invocation) => {
  const known = [nodeHealthCheck, erlangCli, jvmCli, mongoShell, pythonAppCli];
  if (known.some((recognise) => recognise(invocation) !== null)) return null;
  const [name] = interpreted(invocation);
  const hasInterpreter = name !== invocation.program;
  return hasInterpreter || name.endsWith('.sh') || name === 'docker-healthcheck' ? name : null;
};

/** `poetry run celery inspect` as `celery inspect`. */
function withoutRunner(words: Words): Words {
  if (!projectRunners.has(words[0]) || words[1] !== 'run') return words;
  const [, , first, ...rest] = words;
  return first === undefined ? words : [basename(first), ...rest];
}

/** `python -m celery inspect` and `python3 manage.py check` as `celery inspect` and `manage.py check`. */
function pythonWords(words: Words): Words {
  if (!/^python[\d.]*$/.test(words[0])) return words;
  for (let index = 1; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (pythonOptionsWithValue.has(word)) index += 1;
    else if (word === '-m') return [words[index + 1] ?? '', ...words.slice(index + 2)];
    else if (!word.startsWith('-')) return [basename(word), ...words.slice(index + 1)];
    else if (word.startsWith('-c')) return words;
  }
  return words;
}
