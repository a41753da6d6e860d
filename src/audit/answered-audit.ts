import type { Answers } from '../judge.ts';
import { type AnswersOf, type AuditContext, noAnswers } from './judged.ts';
import type { Audit } from './run.ts';

type Read = Parameters<Audit['add']>[0];

/** Objects that wait for answers together: enough to keep registries busy, few enough to hold with their files. */
const mostWaiting = 64;

/** Puts objects into an audit, in their order, once it was found out what they leave to their images. */
export class AnsweredAudit {
  readonly #audit: Audit;
  readonly #context: AuditContext;
  readonly #answersOf: AnswersOf | undefined;
  readonly #waiting: {
    readonly read: Read;
    readonly file: string | undefined;
    readonly answers: Promise<Answers>;
  }[] = [];

  /**
   * @param audit Where objects go.
   * @param context What they are judged by.
   * @param answersOf Finds out about one; left out, nobody is asked, and objects go on at once.
   */
  constructor(audit: Audit, context: AuditContext, answersOf: AnswersOf | undefined) {
    this.#audit = audit;
    this.#context = context;
    this.#answersOf = answersOf;
  }

  /** Takes what was read, as `Audit.add` does. */
  add(read: Read, file?: string): void {
    if (!this.#answersOf) this.#audit.add(read, file);
    else {
      const answers =
        'value' in read ? this.#answersOf(read.value, this.#context) : Promise.resolve(noAnswers);
      this.#waiting.push({ read, file, answers });
    }
  }

  /** Whether as many wait as may: one should be passed on before more are taken. */
  get isFull(): boolean {
    return this.#waiting.length >= mostWaiting;
  }

  /** Passes the one on that has waited for longest. */
  async passOne(): Promise<void> {
    const first = this.#waiting.shift();
    if (first) this.#audit.add(first.read, first.file, await first.answers);
  }

  /** Passes all on. */
  async passAll(): Promise<void> {
    while (this.#waiting.length > 0) await this.passOne();
  }
}
