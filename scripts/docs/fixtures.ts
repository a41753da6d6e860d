import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reason } from '../../src/reasons.ts';

/** A manifest of the tests, and what must come of it. */
export interface Case<Expected> {
  /** Of the file, without its ending. */
  readonly name: string;
  /** Relative to the repository's root. */
  readonly path: string;
  /** What it shows: the comment that the file begins with. */
  readonly about: string;
  /** The manifest without that comment. */
  readonly manifest: string;
  readonly expected: Expected;
}

/** What must be found in a manifest of test/rules. */
export type ExpectedFindings = readonly {
  readonly rule: string;
  readonly severity: string;
  readonly container: string;
  readonly probe: string;
  readonly message: string;
  readonly fix: string;
}[];

/** What must be decided on a manifest of test/remedies. */
export interface ExpectedVerdict {
  readonly policy: { readonly dryRun: boolean };
  readonly remedy: {
    readonly kind: string | null;
    readonly reason: Reason;
    readonly containers: readonly {
      readonly name: string;
      readonly action: string;
      readonly reason: Reason;
    }[];
    readonly notes: readonly { readonly reason: Reason; readonly container: string | null }[];
  };
}

/** The cases of a rule: manifests in which it finds something, and manifests in which it does not. */
export interface RuleCases {
  readonly found: readonly Case<ExpectedFindings>[];
  readonly passed: readonly Case<ExpectedFindings>[];
}

/** All of a rule's cases but the one that goes through the severities, which is a table on its page. */
export function casesOfRule(root: string, id: string): RuleCases {
  return {
    found: casesIn<ExpectedFindings>(root, `test/rules/${id}/fail`).filter(
      ({ name }) => name !== 'severities',
    ),
    passed: casesIn<ExpectedFindings>(root, `test/rules/${id}/pass`),
  };
}

/** The cases in which a reason is shown. */
export function casesOfReason(root: string, reason: Reason): readonly Case<ExpectedVerdict>[] {
  return casesIn<ExpectedVerdict>(root, `test/remedies/${reason}`);
}

function casesIn<Expected>(root: string, folder: string): readonly Case<Expected>[] {
  return readdirSync(join(root, folder))
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .map((file) => {
      const path = `${folder}/${file}`;
      const [, comment, manifest] =
        /^((?:#.*\n)+)([\s\S]*)$/.exec(readFileSync(join(root, path), 'utf8')) ?? [];
      if (comment === undefined || manifest === undefined) {
        throw new Error(`${path}: expected a comment on its first line that says what it shows`);
      }
      const expected: Expected = JSON.parse(
        readFileSync(join(root, path.replace(/\.yaml$/, '.expected.json')), 'utf8'),
      );
      const about = comment.replace(/^# ?/gm, '').trim().replace(/\s+/g, ' ');
      return { name: file.replace(/\.yaml$/, ''), path, about, manifest, expected };
    });
}
