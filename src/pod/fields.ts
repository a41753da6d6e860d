import * as z from 'zod/mini';
import { guardOf } from './guard.ts';
import type { JsonObject } from './json.ts';
import { pointer } from './pointer.ts';

/** The fields of a container that matter here. */
export type PickedContainer = z.infer<ReturnType<typeof containerSchema>>;
/** The fields of a pod's spec that matter here. */
export type PickedSpec = z.infer<ReturnType<typeof specSchema>>;

type Field = <T extends z.ZodMiniType>(schema: T) => z.ZodMiniType<z.output<T> | null | undefined>;

/** A field of the wrong type is an issue: the fast path of a well-typed object. */
const strict: Field = (schema) => z.nullish(schema);
/** A field of the wrong type reads as absent, and its siblings stay. */
const lenient: Field = (schema) => z.catch(z.nullish(schema), undefined);

const strings = z.array(z.string());
const anything = z.array(z.unknown());

function securityContextSchema(field: Field) {
  const profile = z.object({ type: field(z.string()) });
  return z.object({
    runAsUser: field(z.number()),
    runAsNonRoot: field(z.boolean()),
    allowPrivilegeEscalation: field(z.boolean()),
    capabilities: field(z.object({ add: field(strings), drop: field(strings) })),
    seccompProfile: field(profile),
    appArmorProfile: field(profile),
    windowsOptions: field(z.record(z.string(), z.unknown())),
  });
}

function probeSchema(field: Field) {
  return z.object({
    exec: field(z.object({ command: field(strings) })),
    periodSeconds: field(z.number()),
    timeoutSeconds: field(z.number()),
  });
}

function hookSchema(field: Field) {
  return z.object({ exec: field(z.object({ command: field(strings) })) });
}

function containerSchema(field: Field) {
  return z.object({
    name: field(z.string()),
    image: field(z.string()),
    command: field(strings),
    args: field(strings),
    restartPolicy: field(z.string()),
    env: field(
      z.array(
        z.object({ name: z.string(), value: z.nullish(z.string()), valueFrom: z.optional(z.unknown()) }),
      ),
    ),
    securityContext: field(securityContextSchema(field)),
    livenessProbe: field(probeSchema(field)),
    readinessProbe: field(probeSchema(field)),
    startupProbe: field(probeSchema(field)),
    lifecycle: field(
      z.object({
        postStart: field(hookSchema(field)),
        preStop: field(hookSchema(field)),
        stopSignal: field(z.string()),
      }),
    ),
    volumeMounts: field(
      z.array(z.object({ name: z.string(), mountPath: z.string(), subPath: z.nullish(z.string()) })),
    ),
    volumeDevices: field(z.array(z.object({ devicePath: z.string() }))),
    resources: field(
      z.object({
        requests: field(z.record(z.string(), z.unknown())),
        limits: field(z.record(z.string(), z.unknown())),
      }),
    ),
  });
}

function specSchema(field: Field) {
  return z.object({
    hostPID: field(z.boolean()),
    hostUsers: field(z.boolean()),
    shareProcessNamespace: field(z.boolean()),
    runtimeClassName: field(z.string()),
    os: field(z.object({ name: field(z.string()) })),
    nodeSelector: field(z.record(z.string(), z.string())),
    affinity: field(
      z.object({
        nodeAffinity: field(
          z.object({
            requiredDuringSchedulingIgnoredDuringExecution: field(
              z.object({ nodeSelectorTerms: field(z.array(nodeSelectorTermSchema(field))) }),
            ),
          }),
        ),
      }),
    ),
    securityContext: field(securityContextSchema(field)),
    volumes: field(z.array(volumeSchema(field))),
    containers: field(anything),
    initContainers: field(anything),
  });
}

function nodeSelectorTermSchema(field: Field) {
  return z.object({
    matchExpressions: field(
      z.array(z.object({ key: z.string(), operator: z.string(), values: field(strings) })),
    ),
  });
}

function volumeSchema(field: Field) {
  return z.object({
    name: field(z.string()),
    emptyDir: field(z.object({ medium: field(z.string()) })),
    image: field(z.object({ reference: field(z.string()) })),
  });
}

function metadataSchema(field: Field) {
  return z.object({
    labels: field(z.record(z.string(), z.unknown())),
    annotations: field(z.record(z.string(), z.unknown())),
    ownerReferences: field(
      z.array(
        z.object({
          apiVersion: z.string(),
          kind: z.string(),
          name: z.string(),
          controller: z.nullish(z.boolean()),
        }),
      ),
    ),
  });
}

/** What was picked out of an object, and the pointers of what was left out because of its type. */
interface Picked<T> {
  /** Of a well-typed object, the object itself: it may hold more than the type says, so its keys are not listed. */
  readonly fields: T;
  readonly lost: readonly string[];
}

/**
 * Makes a function that picks the fields that matter out of an object, one by one: a field of the wrong type is left
 * out and its pointer kept, its siblings stay. Its `schema` is what a well-typed object keeps to.
 */
function picker<T>(schemaOf: (field: Field) => z.ZodMiniType<T>) {
  const schemas = { strict: schemaOf(strict), lenient: schemaOf(lenient) };
  const isWellTyped = guardOf(schemas.strict);
  const pick = (raw: JsonObject, base: string): Picked<T> => {
    if (isWellTyped(raw)) return { fields: raw, lost: [] };
    const outcome = schemas.strict.safeParse(raw);
    if (outcome.success) return { fields: outcome.data, lost: [] };
    const lost = outcome.error.issues.map((issue) => pointer(base, ...issue.path.map(String)));
    return { fields: schemas.lenient.parse(raw), lost: [...new Set(lost)] };
  };
  return Object.assign(pick, { schema: schemas.strict });
}

/** Picks the fields of `metadata`. */
export const pickMetadata = picker(metadataSchema);
/** Picks the fields of a pod's `spec`; its containers stay as they are. */
export const pickSpec = picker(specSchema);
/** Picks the fields of a container. */
export const pickContainer = picker(containerSchema);
