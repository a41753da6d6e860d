import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scanJson, scanJsonLine } from '../../../../src/scanner/formats/json.ts';
import { anyReport, groupWith, reportWith } from './reports.ts';

describe('scanJson', () => {
  it('is indented and ends in a newline', () => {
    const json = scanJson(reportWith());
    expect(json).toMatch(/^\{\n {2}"schemaVersion": 1,\n {2}"node": "node-1",\n/);
    expect(json).toMatch(/\n\}\n$/);
    expect(JSON.parse(json)).toEqual(reportWith());
  });

  it('holds nothing that a terminal would act on, and all that was read', () => {
    const comms = ['\x1b[31m\x9b31m\x7f', 'a\u202eb\u2028c\ufeff', '\ud800', '\u{e0041}'];
    const json = scanJson(reportWith({ groups: [groupWith({ comms })] }));
    expect(json).toContain('"\\u001b[31m\\u009b31m\\u007f"');
    expect(json).toContain('"a\\u202eb\\u2028c\\ufeff"');
    expect(json).toContain('"\\ud800"');
    expect(json).toContain('"\\udb40\\udc41"');
    expect(JSON.parse(json).groups[0].comms).toEqual(comms);
  });

  it('leaves other text readable', () => {
    expect(scanJson(reportWith({ node: 'Grüße, 墓守 🧟' }))).toContain('"Grüße, 墓守 🧟"');
  });

  it('loses nothing of any report', () => {
    fc.assert(
      fc.property(anyReport, (report) => {
        expect(JSON.parse(scanJson(report))).toEqual(JSON.parse(JSON.stringify(report)));
        expect(JSON.parse(scanJsonLine(report))).toEqual(JSON.parse(JSON.stringify(report)));
      }),
    );
  });
});

describe('scanJsonLine', () => {
  it('is one line without an end', () => {
    expect(scanJsonLine(reportWith({ notes: ['two\nlines'] }))).not.toContain('\n');
  });
});
