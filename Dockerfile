# Two images from one file:
#
#   docker build --target tini -t ghcr.io/gravekeeper/tini .    the static tini and the copier, for the pods
#   docker build -t ghcr.io/gravekeeper/gravekeeper .           the program itself
#
# Every stage but the empty one starts from the same base, so that a build fetches one.
ARG NODE_IMAGE=docker.io/library/node:24-bookworm-slim

FROM ${NODE_IMAGE} AS tini-files
RUN apt-get update \
  && apt-get install -y --no-install-recommends gcc libc6-dev tini \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /files/licenses
# Both programs hold parts of the C library, hence its licence.
RUN cp /usr/share/doc/tini/copyright tini \
  && cp /usr/share/doc/libc6/copyright glibc \
  && install -m 0555 /usr/bin/tini-static /files/tini
COPY LICENSE gravekeeper
COPY src/copier/copier.c /src/
RUN gcc -std=c17 -Wall -Wextra -Werror -Os -static -s -o /files/copier /src/copier.c \
  && chmod 0555 /files/copier

FROM scratch AS tini
ARG VERSION=unreleased
LABEL org.opencontainers.image.title="Gravekeeper tini" \
      org.opencontainers.image.description="A static tini, and the copier that puts it into a volume of a pod" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0 AND MIT AND LGPL-2.1-or-later"
COPY --from=tini-files /files/ /
# A number, since runAsNonRoot cannot look names up; any other user may run it as well.
USER 65532:65532
ENTRYPOINT ["/copier"]

FROM ${NODE_IMAGE} AS bundle
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY scripts/build.ts scripts/
COPY src src
RUN node scripts/build.ts

FROM ${NODE_IMAGE} AS gravekeeper
ARG VERSION=unreleased
LABEL org.opencontainers.image.title="Gravekeeper" \
      org.opencontainers.image.description="The admission webhook that keeps zombie processes out of Kubernetes pods" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
# Nothing is installed at run time, so the package managers go.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
    /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-* \
  && ln -s /app/main.js /usr/local/bin/gravekeeper
COPY --from=bundle /build/dist /app
COPY LICENSE /app/
ENV NODE_ENV=production
# The young generation would grow to 100 MiB under load and stay there. A pod that sets NODE_OPTIONS chooses for itself;
# the rest of the heap follows the memory limit.
ENV NODE_OPTIONS=--max-semi-space-size=8
USER 65532:65532
# The threads of V8's compiler take some 30 MiB that they do not give back, the code of its middle tier some four, and no
# throughput was seen to be lost without them (docs/benchmarks.md). NODE_OPTIONS does not take these flags.
ENTRYPOINT ["node", "--no-concurrent-recompilation", "--no-maglev", "/app/main.js"]
