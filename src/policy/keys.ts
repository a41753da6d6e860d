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
