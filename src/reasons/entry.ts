/** What is known of a reason code. */
export interface ReasonEntry {
  /** One sentence for people; it never contains data of a pod. */
  readonly sentence: string;
  /** Whether it asks nothing of the author of a pod, so that kubectl shows no warning for it. */
  readonly silent: boolean;
  /** The same in at most 70 characters, for a warning, and what to do where there is something to do. */
  readonly short?: string;
  /** What its author may do about it. */
  readonly advice: string;
  /** An excerpt of a manifest, or of the configuration, that leads to it: part of a fixture in test/remedies. */
  readonly example: string;
}
