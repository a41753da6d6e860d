/** Commands that a shell carries out itself: bash, dash and busybox's ash; those that start programs left out. */
export const shellBuiltins: ReadonlySet<string> = new Set(
  `. : [ alias bg bind break caller cd chdir compgen complete compopt continue declare dirs disown echo enable
  eval exit export false fc fg getopts hash help history jobs kill let local logout mapfile popd printf pushd pwd
  read readarray readonly return set shift shopt source suspend test times trap true type typeset ulimit umask
  unalias unset wait`.split(/\s+/),
);
