/**
 * What is used of prom-client, part by part: the whole package also loads what pushes metrics, gathers those of a
 * cluster of processes and measures Node itself, and with it the modules of Node that they need, 5 MiB.
 */
export { default as Counter } from 'prom-client/lib/counter.js';
export { default as Gauge } from 'prom-client/lib/gauge.js';
export { default as Histogram } from 'prom-client/lib/histogram.js';
export { default as Registry } from 'prom-client/lib/registry.js';
