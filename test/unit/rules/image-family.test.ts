import { expect, test } from 'vitest';
import { imageFamily } from '../../../src/rules/image-family.ts';

test.each([
  ['alpine', 'busybox'],
  ['alpine:3.20', 'busybox'],
  ['redis:7-alpine', 'busybox'],
  ['redis:7.2-alpine3.19', 'busybox'],
  ['python:3.12-ALPINE', 'busybox'],
  ['docker.io/library/busybox:1.36-musl', 'busybox'],
  ['example.com:5000/base/alpine-node@sha256:0123', 'busybox'],
  ['debian:12-slim', 'other'],
  ['redis:7-bookworm', 'other'],
  ['bitnami/redis:7.2.4-debian-12-r9', 'other'],
  ['gcr.io/distroless/base-debian12', 'other'],
  ['registry.access.redhat.com/ubi9/ubi-minimal:9.4', 'other'],
  ['ubuntu', 'other'],
  ['quay.io/centos/centos:stream9', 'other'],
  ['redis:7', 'unknown'],
  ['debianish/tool', 'unknown'],
  ['alpinejs:1', 'unknown'],
  ['alpine.example.com/redis:7', 'unknown'],
  ['localhost/redis', 'unknown'],
  ['cgr.dev/chainguard/wolfi-base', 'unknown'],
  ['redis@sha256:alpine', 'unknown'],
  ['', 'unknown'],
])('%s: %s', (image, family) => {
  expect(imageFamily(image)).toBe(family);
});

test('a container without an image is unknown', () => {
  expect(imageFamily(null)).toBe('unknown');
});
