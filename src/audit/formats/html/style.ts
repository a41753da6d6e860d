/** The style of the page: one file, no scripts, light and dark by the reader's setting, and black on white on paper. */
export const style = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f6f7f9, #14161a);
  --card: light-dark(#ffffff, #1d2026);
  --line: light-dark(#d9dde3, #343943);
  --text: light-dark(#1b1f24, #e4e7eb);
  --faint: light-dark(#57606a, #9aa4b0);
  --error: light-dark(#b3261e, #ff8a80);
  --warning: light-dark(#8a5a00, #f2b84b);
  --info: light-dark(#2c5f8a, #8ab8e0);
  --good: light-dark(#23713a, #7fd093);
  --bar: light-dark(#b3261e, #d8584d);
  --code: light-dark(#f0f2f5, #16181d);
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1rem; margin: 0; font-family: ui-monospace, monospace; }
p { margin: .25rem 0 .75rem; max-width: 60rem; }
.faint { color: var(--faint); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; margin: 1.25rem 0; }
.tile, .card { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .8rem 1rem; }
.tile b { display: block; font-size: 1.7rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.card { margin: 0 0 1rem; }
.error { color: var(--error); } .warning { color: var(--warning); } .info { color: var(--info); } .good { color: var(--good); }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .45rem .8rem; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--faint); font-weight: 600; font-size: .85rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code, pre { font-family: ui-monospace, monospace; font-size: .85rem; }
code { overflow-wrap: anywhere; }
td code { overflow-wrap: break-word; }
.whole { white-space: nowrap; }
pre { background: var(--code); border-radius: .375rem; padding: .6rem .8rem; margin: .25rem 0 0; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: .75rem; margin: .5rem 0 .25rem; }
.finding { border-top: 1px solid var(--line); padding: .6rem 0; }
.finding p { margin: .1rem 0; }
summary + pre { margin-top: .5rem; }
.changes { margin-top: .75rem; padding-block: .2rem; }
.changes .finding:first-child { border-top: 0; }
summary { cursor: pointer; color: var(--faint); }
.bar { display: grid; grid-template-columns: minmax(8rem, 2fr) 3fr auto; gap: .75rem; align-items: center; padding: .2rem 0; }
.bar span:first-child { overflow-wrap: anywhere; }
.bar i { display: block; height: .8rem; min-width: 2px; border-radius: .2rem; background: var(--bar); }
@media (max-width: 36rem) {
  .bar { grid-template-columns: 1fr auto; } .bar i { grid-column: 1 / -1; grid-row: 2; }
  thead { display: none; }
  tr { display: block; padding: .4rem 0; border-top: 1px solid var(--line); }
  tbody tr:first-child { border-top: 0; }
  th, td { display: block; padding: .1rem .8rem; border: 0; }
  td.number { text-align: left; }
  td[data-label]::before { content: attr(data-label) ': '; color: var(--faint); }
  td:empty { display: none; }
}
@media print {
  :root { color-scheme: light; font-size: 11px; }
  body { background: #fff; font-size: 1rem; }
  main { max-width: none; padding: 0; }
  section .finding, .tile, tr { break-inside: avoid; }
  h2, h3, summary { break-after: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
  details > .pair { display: grid; }
  details > pre { display: block; }
  .scroll, pre { overflow: visible; }
}
`;
