import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeNodes } from '../../../../src/scanner/cluster.ts';
import { clusterTable } from '../../../../src/scanner/formats/cluster-table.ts';
import { scanJson, scanJsonLine } from '../../../../src/scanner/formats/json.ts';
import { createScanMetrics } from '../../../../src/scanner/formats/metrics.ts';
import { npdFile, npdResult } from '../../../../src/scanner/formats/npd.ts';
import { changeLine, scanSummary } from '../../../../src/scanner/formats/summary.ts';
import { scanTable } from '../../../../src/scanner/formats/table.ts';
import type { ScanReport } from '../../../../src/scanner/report.ts';
import { terminalOf } from '../../../../src/terminal.ts';
import { anyReport } from './reports.ts';

const terminal = terminalOf({}, { COLUMNS: '80' });

const formats: Readonly<Record<string, (report: ScanReport) => string | Promise<string>>> = {
  table: (report) => scanTable(report, terminal),
  summary: (report) => scanSummary(report, report, 1, 1, terminal),
  'line of the log': (report) => changeLine(null, report) ?? '',
  JSON: scanJson,
  'line of JSON': scanJsonLine,
  'node-problem-detector': (report) => npdFile(npdResult(report, { problemFrom: 1 }), 1),
  'table of a cluster': (report) => {
    const answers = [
      { node: report.node ?? '', report: { ...report, time: '2026-11-20T03:00:00Z' }, problem: null },
      { node: report.time, report: null, problem: report.notes[0] ?? 'away' },
    ];
    return clusterTable(mergeNodes(answers, Date.parse('2026-11-20T03:00:01Z')), terminal);
  },
  metrics: (report) => {
    const metrics = createScanMetrics({ version: '1', maxSeries: 2 });
    metrics.passed(report, 1);
    return metrics.registry.metrics();
  },
};

describe.each(Object.entries(formats))('the %s', (_, format) => {
  it('never emits what a terminal acts on or hides, but for line breaks', async () => {
    await fc.assert(
      fc.asyncProperty(anyReport, async (report) => {
        expect(await format(report)).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});
