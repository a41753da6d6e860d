import { expect, test } from 'vitest';
import { leakForecast } from '../../../src/rules/leak-forecast.ts';

test('one zombie every 10 s fills 32,768 PIDs in 3.8 days and 4,096 in 11.4 hours', () => {
  const forecast = leakForecast({ periodSeconds: 10, zombiesPerRun: 1 });
  expect(forecast.perHour).toBeCloseTo(360);
  expect(forecast.perDay).toBeCloseTo(8_640);
  expect(forecast.secondsUntil(32_768) / 86_400).toBeCloseTo(3.79, 2);
  expect(forecast.secondsUntil(4_096) / 3_600).toBeCloseTo(11.38, 2);
});

test('two zombies a run leak twice as fast', () => {
  expect(leakForecast({ periodSeconds: 5, zombiesPerRun: 2 }).perDay).toBeCloseTo(34_560);
});

test('a probe that leaves nothing never fills anything', () => {
  const forecast = leakForecast({ periodSeconds: 10, zombiesPerRun: 0 });
  expect(forecast.perDay).toBe(0);
  expect(forecast.secondsUntil(4_096)).toBe(Number.POSITIVE_INFINITY);
});
