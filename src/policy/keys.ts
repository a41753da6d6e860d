/** Labels that users set on namespaces; `inject` on pods and pod templates too. */
export const labelKeys = {
  inject: 'gravekeeper.dev/inject',
  probes: 'gravekeeper.dev/probes',
  dryRun: 'gravekeeper.dev/dry-run',
} as const;

/** Annotations on pods and pod templates; all but `status` are the user's. */
export const annotationKeys = {
  skipContainers: 'gravekeeper.dev/skip-containers',
  argv: 'gravekeeper.dev/argv',
  ignore: 'gravekeeper.dev/ignore',
  status: 'gravekeeper.dev/status',
} as const;

/** The strategies by which a remedy is chosen. */
export const strategies = ['auto', 'share-pid', 'tini'] as const;

/** What may happen to findings. */
export const probeModes = ['warn', 'deny', 'ignore'] as const;

/** What a label may say, and what holds if it says nothing or something else; the documentation has it from here. */
export interface LabelMeaning {
  readonly values: readonly string[];
  readonly absent: string;
  readonly invalid: string;
}

export const labelMeanings: Readonly<Record<keyof typeof labelKeys, LabelMeaning>> = {
  inject: {
    values: [...strategies, 'none'],
    absent: 'not opted in to injection',
    invalid: 'as `none`, and a warning',
  },
  probes: {
    values: probeModes,
    absent: '`warn` where `inject` is set and not `none`, else not opted in',
    invalid: 'as `warn`, and a warning',
  },
  dryRun: {
    values: ['true', 'false'],
    absent: '`false`',
    invalid: 'as `true`, and a warning',
  },
};
