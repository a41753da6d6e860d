import { basename } from '../pod/basename.ts';

const mask = '***';
const maxLength = 1024;

/**
 * Writes a command line for people: its words with blanks between them, quoted as a shell would where they need it,
 * without the secrets that were recognised, and cut. Control characters stay: every format escapes them its own way.
 *
 * @param words Of any length and content, as in `/proc/PID/cmdline`.
 * @returns At most 1,024 UTF-16 units, the last a `…` where something was cut.
 */
export function shownCommandLine(words: readonly string[]): string {
  const state = newState();
  let line = '';
  for (const [index, word] of withoutPadding(words).entries()) {
    line += `${index === 0 ? '' : ' '}${quoted(maskedWord(word, state))}`;
    if (line.length > maxLength) return cut(line);
  }
  return line;
}

/**
 * Replaces what looks like a secret in the words of a command by `***`: values of options, assignments, headers and
 * JSON fields whose names speak of a password, token or the like, passwords in URLs, and options such as the `-pX` of
 * the mysql tools, also inside of a script that is one word.
 *
 * @param words Of any length and content; the time that it takes grows with their length alone.
 * @returns As many words.
 */
export function maskedWords(words: readonly string[]): string[] {
  const state = newState();
  return words.map((word) => maskedWord(word, state));
}

/** A program that writes a title over its words, as nginx does, leaves the rest of them as empty ones. */
function withoutPadding(words: readonly string[]): readonly string[] {
  const end = words.findLastIndex((word) => word !== '') + 1;
  return words.length - end > 1 ? words.slice(0, end) : words;
}

/** What the words up to now say about the next one. */
interface State {
  isSecretNext: boolean;
  /** Options that take a password, of the programs named so far. */
  passwordOptions: readonly PasswordOptions[];
}

/** Options of one program whose names do not tell that a password follows. */
interface PasswordOptions {
  readonly program: RegExp;
  /** The password follows in the same word. */
  readonly attached: readonly string[];
  /** It is the next word. */
  readonly separate: readonly string[];
}

const knownPasswordOptions: readonly PasswordOptions[] = [
  { program: /^(mysql|mariadb)/, attached: ['-p'], separate: [] },
  {
    program: /^(mongo(sh|dump|restore|export|import|stat|top)?|sshpass|rabbitmqadmin)$/,
    attached: ['-p'],
    separate: ['-p'],
  },
  { program: /^redis-(cli|benchmark)$/, attached: [], separate: ['-a'] },
  { program: /^curl$/, attached: ['-u', '-U'], separate: ['-u', '-U', '--user', '--proxy-user'] },
  { program: /^ldap/, attached: ['-w'], separate: ['-w'] },
  { program: /^sqlcmd$/, attached: ['-P'], separate: ['-P'] },
];

function newState(): State {
  return { isSecretNext: false, passwordOptions: [] };
}

function maskedWord(word: string, state: State): string {
  // A value with blanks is a secret as a whole, whatever its first piece is.
  if (state.isSecretNext && !isAuthScheme(word) && !looksLikeOption(word)) {
    state.isSecretNext = false;
    return mask;
  }
  const [head, name] = header.exec(word) ?? [];
  if (head !== undefined && name !== undefined && isSecretName(name)) return head + mask;
  return word.replace(pieces, (piece) => maskedPiece(piece, state));
}

/** A header that is one word, up to its secret. */
const header = /^([\w.-]{1,128}):\s+(?:(?:bearer|basic|digest|negotiate|token)\s+)?(?=\S)/i;

/** Words of a script; a quoted part belongs to the word that it stands in. */
const pieces = /(?:[^\s'"]+|'[^']*'?|"[^"]*"?)+/g;

function maskedPiece(piece: string, state: State): string {
  const isSecret = state.isSecretNext && !isAuthScheme(piece) && !looksLikeOption(piece);
  state.isSecretNext = isAuthScheme(piece);
  if (isSecret) return mask;
  const script = quotedScript(piece);
  if (script !== null) return piece.charAt(0) + maskedWord(script, state) + piece.charAt(0);
  const attached = state.passwordOptions
    .flatMap((options) => options.attached)
    .find((option) => piece.startsWith(option) && piece.length > option.length);
  if (attached !== undefined) return attached + mask;
  if (isSecretOption(piece, state)) {
    state.isSecretNext = true;
    return piece;
  }
  const program = basename(piece.replace(/^['"]/, '').replace(/['"]$/, ''));
  const known = knownPasswordOptions.find((options) => options.program.test(program));
  if (known !== undefined && !state.passwordOptions.includes(known)) {
    state.passwordOptions = [...state.passwordOptions, known];
  }
  return withoutNamedSecrets(withoutUserInfo(piece.replace(tokens, mask)), state);
}

/** What stands in a piece that is one quoted word with blanks in it, such as a header or a script; else null. */
function quotedScript(piece: string): string | null {
  const quote = piece.charAt(0);
  if (!/['"]/.test(quote) || !piece.endsWith(quote)) return null;
  const inner = piece.slice(1, -1);
  return /\s/.test(inner) && !inner.includes(quote) ? inner : null;
}

/** Tokens that tell by their own form: JWTs, those of GitHub, AWS and Slack, and Slack's webhooks. */
const tokens =
  /eyJ[\w-]{10,2048}\.[\w-]{10,2048}(\.[\w-]{0,2048})?|gh[pousr]_\w{20,255}|AKIA[A-Z0-9]{16}|xox[abpr]-[\w-]{10,255}|hooks\.slack\.com\/[\w/-]{1,255}/g;

function isAuthScheme(word: string): boolean {
  return /^['"]?(bearer|basic)['"]?$/i.test(word);
}

function looksLikeOption(word: string): boolean {
  return /^--?[a-z][a-z_-]*(=|$)/.test(word);
}

function isSecretOption(piece: string, { passwordOptions }: State): boolean {
  if (passwordOptions.some(({ separate }) => separate.includes(piece))) return true;
  return /^--?[a-z][\w.-]*$/i.test(piece) && isSecretName(piece);
}

const secretParts =
  /password|passwd|passphrase|pass$|pwd|secret|token|apikey|accesskey|privatekey|signingkey|encryptionkey|credential|auth|cookie|^sig$|^(db|user)?pw$/;
/** What a name that ends so holds is a place, not the secret. */
const placeSuffix = /(file|path|dir)$/;
/** The working directories that shells keep in the environment. */
const harmlessNames: ReadonlySet<string> = new Set(['PWD', 'OLDPWD']);

function isSecretName(name: string): boolean {
  const plain = name.toLowerCase().replace(/[-_.]/g, '');
  return secretParts.test(plain) && !placeSuffix.test(plain) && !harmlessNames.has(name);
}

/** `user:password@host` of a URL or a data source. */
function withoutUserInfo(piece: string): string {
  if (!piece.includes('@')) return piece;
  if (!piece.includes('://')) return withoutPassword(piece);
  return piece.replace(/:\/\/[^\s/?#'"]+/g, (authority) => `://${withoutPassword(authority.slice(3))}`);
}

function withoutPassword(text: string): string {
  const colon = text.indexOf(':');
  const at = text.lastIndexOf('@');
  const isDigest = text.startsWith('@sha256:', at);
  return colon === -1 || at <= colon + 1 || isDigest
    ? text
    : `${text.slice(0, colon + 1)}${mask}${text.slice(at)}`;
}

/** `name=value`, `Name: value` and `"name":"value"`, where the name tells of a secret. */
function withoutNamedSecrets(piece: string, state: State): string {
  const query = piece.indexOf('?');
  let shown = '';
  let done = 0;
  for (const { index } of piece.matchAll(/[=:]/g)) {
    if (index < done || !namesSecret(piece, index)) continue;
    const value = piece.slice(index + 1);
    if (/^['"]?$/.test(value) || isAuthScheme(value)) {
      // `Authorization:` and `--header=Authorization:Bearer`: the secret comes after the blank.
      state.isSecretNext = piece[index] === ':' || value !== '';
      break;
    }
    shown += piece.slice(done, index + 1) + mask;
    // In the query of a URL a value ends at `&`; elsewhere it may hold anything.
    const next = query !== -1 && query < index ? piece.indexOf('&', index) : -1;
    done = next === -1 ? piece.length : next;
  }
  return shown + piece.slice(done);
}

const nameBefore = /[\w.-]{1,128}$/;

function namesSecret(piece: string, delimiter: number): boolean {
  const isQuoted = /['"]/.test(piece[delimiter - 1] ?? '');
  const end = isQuoted ? delimiter - 1 : delimiter;
  const start = Math.max(0, end - 128);
  const name = nameBefore.exec(piece.slice(start, end))?.[0] ?? '';
  if (!isSecretName(name)) return false;
  if (piece[delimiter] === '=' || isQuoted) return true;
  // `auth:8080` and `http://token-service:80` are addresses, `X-Api-Key:x` is a header.
  const isWholeHead = /^['"]?$|=['"]?$/.test(
    piece.slice(Math.max(0, end - name.length - 2), end - name.length),
  );
  return isWholeHead && !/^(\/\/|\d{1,5}(\/|$))/.test(piece.slice(delimiter + 1, delimiter + 8));
}

/** As a shell would: in single quotes where a shell would not read it as the one word that it is. */
function quoted(word: string): string {
  const isPlain = word !== '' && !/[\s'"`$;&|<>(){}\\]/.test(word);
  return isPlain ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function cut(text: string): string {
  // A surrogate pair that the cut would halve goes as a whole.
  return `${text.slice(0, maxLength - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
