import type { z } from "zod";
import { didYouMean } from "../did_you_mean.ts";
import { UserError } from "../user_error.ts";

type Plain = Record<string, unknown>;

/**
 * Applies `--set a.b=value` to a configuration. The value is read as JSON, and as a plain string
 * where it is not JSON (`--set data.corpus=sotu`). The result goes through the benchmark's schema.
 *
 * @param config Configuration to start from; not changed.
 * @param schema Checks and completes the result.
 * @param assignments `key=value` texts in order; later ones win.
 * @returns The checked configuration.
 * @throws {UserError} For a text without `=`, an unknown key (near keys are named) or a bad value.
 */
export function applyOverrides<C extends object>(
  config: C,
  schema: z.ZodType<C>,
  assignments: readonly string[],
): C {
  const changed = structuredClone(config) as Plain;
  for (const assignment of assignments) {
    const [key, value] = readAssignment(assignment);
    assign(changed, key, value, knownKeys(config, schema));
  }
  const checked = schema.safeParse(changed);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  const path = issue.path.join(".");
  const given = assignments.findLast((text) => path.startsWith(text.split("=")[0].trim()));
  throw new UserError(
    `Cannot use ${given ? `--set ${given}` : "this configuration"}: ` +
      `${path ? `${path}: ` : ""}${issue.message}`,
  );
}

/** Every settable path of a configuration, parents included, from its values and its schema. */
export function knownKeys(config: object, schema?: z.ZodType): string[] {
  const keys = new Set<string>();
  const visit = (value: unknown, prefix: string) => {
    if (!isPlain(value)) return;
    for (const [name, child] of Object.entries(value)) {
      keys.add(prefix + name);
      visit(child, `${prefix}${name}.`);
    }
  };
  visit(config, "");
  // Optional keys that the preset leaves out are known to the schema alone.
  const shape = (schema as { shape?: Record<string, unknown> } | undefined)?.shape ?? {};
  for (const name of Object.keys(shape)) keys.add(name);
  return [...keys];
}

function assign(config: Plain, key: string, value: unknown, known: readonly string[]): void {
  const parts = key.split(".");
  let target: unknown = config;
  for (let i = 0; i < parts.length; i++) {
    const path = parts.slice(0, i + 1).join(".");
    const isIndex = Array.isArray(target) && /^\d+$/.test(parts[i]) &&
      Number(parts[i]) < target.length;
    const isKey = isPlain(target) && (Object.hasOwn(target, parts[i]) || known.includes(path));
    if (!isIndex && !isKey) {
      throw new UserError(`Cannot set "${key}": unknown key` + didYouMean(key, known));
    }
    const container = target as Plain;
    if (i === parts.length - 1) container[parts[i]] = value;
    else target = container[parts[i]] ??= {};
  }
}

/**
 * Key and value of `key=value`. The value is read as JSON, and as a plain string where it is not JSON.
 *
 * @throws {UserError} For a text without `=`.
 */
export function readAssignment(assignment: string): [key: string, value: unknown] {
  const split = assignment.indexOf("=");
  if (split < 1) {
    throw new UserError(`Cannot set "${assignment}": expected --set key=value`);
  }
  return [assignment.slice(0, split).trim(), parseValue(assignment.slice(split + 1))];
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isPlain(value: unknown): value is Plain {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
