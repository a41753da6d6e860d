import { isJsonObject, type JsonObject } from '../pod/json.ts';
import { escapeText } from '../terminal.ts';

/** Takes the bytes of an answer as they arrive. */
export interface BodyReader {
  write(chunk: Buffer): void;
  /** @returns Parsed JSON; or null, and the beginning of what is none. */
  end(): { readonly body: unknown; readonly text: string };
}

const longestText = 1024;

/** Reads JSON as a whole. */
export function wholeBody(): BodyReader {
  const chunks: Buffer[] = [];
  return {
    write: (chunk) => void chunks.push(chunk),
    end: () => bodyOf(Buffer.concat(chunks).toString()),
  };
}

const [newline, quote, backslash] = [0x0a, 0x22, 0x5c];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];
/** The member of a list that holds its objects, as it stands before the bracket. */
const itemsMember = /[{,]\s*"items"\s*:\s*$/;
const longestMember = 64;

/**
 * Reads the JSON of a list, `{"metadata": …, "items": [{…}, …]}`, and hands its objects over one at a time. So a list
 * of megabytes is never in memory as a whole, which would cost a small process more than all the rest of it. Only
 * strings and brackets are followed here, to find where an object ends; what is in it is left to JSON.parse.
 *
 * @param eachItem Takes an object of `items`; the body that is left has none, and what else was in there is dropped.
 */
export function listBody(eachItem: (item: JsonObject) => void): BodyReader {
  /** All but the items. */
  const frame: Buffer[] = [];
  /** Its last characters. */
  let tail = '';
  /** The item that has begun. */
  let item: Buffer[] = [];
  let depth = 0;
  let inString = false;
  let escaped = false;
  let inItems = false;
  let inItem = false;
  let broken = false;

  const keep = (bytes: Buffer) => {
    frame.push(bytes);
    tail = (tail + bytes.subarray(-longestMember).toString('latin1')).slice(-longestMember);
  };
  const take = () => {
    const value = parsed(Buffer.concat(item).toString());
    item = [];
    inItem = false;
    if (isJsonObject(value)) eachItem(value);
    else broken = true;
  };

  return {
    write(chunk) {
      /** The first byte that was neither kept nor dropped. */
      let from = 0;
      for (let at = 0; at < chunk.length; at += 1) {
        const byte = chunk[at];
        if (inString) {
          if (escaped) escaped = false;
          else if (byte === backslash) escaped = true;
          else if (byte === quote) inString = false;
        } else if (byte === quote) {
          inString = true;
        } else if (byte === openBrace || byte === openBracket) {
          depth += 1;
          if (inItems && depth === 3 && byte === openBrace) {
            inItem = true;
            from = at;
          } else if (!inItems && depth === 2 && byte === openBracket) {
            keep(chunk.subarray(from, at));
            from = at;
            inItems = itemsMember.test(tail);
            if (inItems) keep(chunk.subarray(at, at + 1));
          }
        } else if (byte === closeBrace || byte === closeBracket) {
          depth -= 1;
          if (inItem && depth === 2) {
            item.push(chunk.subarray(from, at + 1));
            take();
          } else if (inItems && depth === 1) {
            inItems = false;
            from = at;
          }
        }
      }
      if (inItem) item.push(chunk.subarray(from));
      else if (!inItems) keep(chunk.subarray(from));
    },
    end() {
      const { body, text } = bodyOf(Buffer.concat(frame).toString());
      return broken ? { body: null, text: text || '(an object in the list is no JSON)' } : { body, text };
    },
  };
}

/** Some times what etcd takes for one object. */
const mostEventBytes = 8 * 1024 * 1024;

/**
 * Reads the events of a watch, a line of JSON each.
 *
 * @param eachEvent Takes an event; what is cut off in the middle is none.
 * @returns A reader whose `write` throws at a line that is no JSON object, or longer than 8 MiB.
 */
export function eventsBody(eachEvent: (event: JsonObject) => void): BodyReader {
  let line: Buffer[] = [];
  let length = 0;
  const keep = (bytes: Buffer) => {
    length += bytes.length;
    if (length > mostEventBytes) throw new Error(`an event of a watch has more than ${mostEventBytes} bytes`);
    line.push(bytes);
  };
  return {
    write(chunk) {
      let from = 0;
      for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
        keep(chunk.subarray(from, end));
        const text = Buffer.concat(line).toString();
        line = [];
        length = 0;
        from = end + 1;
        const event = parsed(text);
        if (!isJsonObject(event)) {
          throw new Error(`a watch sends what is no event: ${escapeText(text.slice(0, 80))}`);
        }
        eachEvent(event);
      }
      keep(chunk.subarray(from));
    },
    end: () => ({ body: null, text: '' }),
  };
}

function bodyOf(text: string): { readonly body: unknown; readonly text: string } {
  const body = parsed(text);
  return body === undefined ? { body: null, text: text.slice(0, longestText) } : { body, text: '' };
}

/** Undefined for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
