import * as z from 'zod/v4/core';
import { isJsonObject } from './json.ts';

type Check = (value: unknown) => boolean;

/**
 * Makes a type guard out of a schema: it walks the value once, copies nothing, and costs a fraction of parsing. Where
 * it says yes, parsing succeeds too and would yield the same fields; where it says no, only parsing tells why. The one
 * difference: parsing drops a key `__proto__` of a record unseen, the guard checks its value too.
 *
 * @param schema A schema of the kinds that pods are read with, without checks, defaults or transformations.
 * @returns The guard, for JSON values.
 * @throws TypeError for a schema of another kind.
 */
export function guardOf<T>(schema: z.$ZodType<T>): (value: unknown) => value is T {
  const check = checkOf(schema);
  return (value): value is T => check(value);
}

function checkOf(schema: unknown): Check {
  if (schema instanceof z.$ZodString) return (value) => typeof value === 'string';
  if (schema instanceof z.$ZodNumber) return Number.isFinite;
  if (schema instanceof z.$ZodBoolean) return (value) => typeof value === 'boolean';
  if (schema instanceof z.$ZodUnknown) return () => true;
  if (schema instanceof z.$ZodOptional) return unless(undefined, checkOf(schema._zod.def.innerType));
  if (schema instanceof z.$ZodNullable) return unless(null, checkOf(schema._zod.def.innerType));
  if (schema instanceof z.$ZodArray) return checkOfArray(checkOf(schema._zod.def.element));
  if (schema instanceof z.$ZodRecord) return checkOfRecord(checkOf(schema._zod.def.valueType));
  if (schema instanceof z.$ZodObject) return checkOfObject(schema._zod.def.shape);
  throw new TypeError('there is no guard for a schema of this kind');
}

function unless(nothing: null | undefined, check: Check): Check {
  return (value) => value === nothing || check(value);
}

function checkOfArray(check: Check): Check {
  return (value) => {
    if (!Array.isArray(value)) return false;
    for (const item of value) if (!check(item)) return false;
    return true;
  };
}

function checkOfRecord(check: Check): Check {
  return (value) => {
    if (!isJsonObject(value)) return false;
    for (const key of Object.keys(value)) if (!check(value[key])) return false;
    return true;
  };
}

/** What a field of an object has to be. Plain types are compared in place: most fields have one, and calls add up. */
interface FieldCheck {
  readonly key: string;
  readonly optional: boolean;
  readonly nullable: boolean;
  readonly type: 'string' | 'boolean' | null;
  readonly check: Check;
}

function checkOfObject(shape: Readonly<Record<string, unknown>>): Check {
  const fields = Object.entries(shape).map(([key, schema]) => fieldCheckOf(key, schema));
  return (value) => {
    if (!isJsonObject(value)) return false;
    for (const { key, optional, nullable, type, check } of fields) {
      const field = value[key];
      const isFine =
        field === undefined
          ? optional
          : field === null
            ? nullable
            : type === null
              ? check(field)
              : typeof field === type;
      if (!isFine) return false;
    }
    return true;
  };
}

function fieldCheckOf(key: string, schema: unknown): FieldCheck {
  if (schema instanceof z.$ZodUnknown)
    throw new TypeError(`there is no guard for ${key}, which may be anything but not missing`);
  const check = checkOf(schema);
  let inner = schema;
  while (inner instanceof z.$ZodOptional || inner instanceof z.$ZodNullable) inner = inner._zod.def.innerType;
  return {
    key,
    optional: check(undefined),
    nullable: check(null),
    type: inner instanceof z.$ZodString ? 'string' : inner instanceof z.$ZodBoolean ? 'boolean' : null,
    check: checkOf(inner),
  };
}
