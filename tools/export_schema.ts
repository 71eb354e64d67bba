/**
 * Writes what is derived from the result schema: the JSON Schema and the documentation of every key.
 *
 *     deno run --allow-write=results --allow-env tools/export_schema.ts
 */
import { z } from "zod";
import { runResultSchema, SCHEMA_VERSION } from "../harness/result_schema.ts";

/** Path of the JSON Schema, from the project folder. */
export const SCHEMA_PATH = `results/schema/run.v${SCHEMA_VERSION}.schema.json`;
/** Path of the documentation. */
export const README_PATH = "results/README.md";

interface Node {
  type?: string | string[];
  description?: string;
  enum?: unknown[];
  const?: unknown;
  properties?: Record<string, Node>;
  additionalProperties?: Node | boolean;
  items?: Node | boolean;
  prefixItems?: Node[];
  anyOf?: Node[];
  oneOf?: Node[];
  $ref?: string;
}

/** The JSON Schema (draft 2020-12) as text. */
export function schemaText(): string {
  const schema = z.toJSONSchema(runResultSchema, { target: "draft-2020-12" });
  return JSON.stringify(schema, null, 2) + "\n";
}

const INTRODUCTION = `# Results

One folder per machine: \`<machine>/machine.json\`, and for each run \`<run>.json\` (everything
measured), \`<run>.md\` (the report, made from the JSON alone) and a folder \`<run>/\` with its charts
and side files. To submit a result, add these files in a pull request; nothing is edited by hand.

Rules of the format:

- \`schemaVersion\` is ${SCHEMA_VERSION}. A newer file is refused, an older one is upgraded step by step.
- Unknown keys are refused. There is no NaN: \`null\` means that the value failed.
- Durations are whole nanoseconds. Samples are kept in the order taken, untrimmed.
- Failed, skipped and invalid rows stay in the file, with reason codes.
- Derived figures (statistics, comparisons, the report) recompute from the rows and carry a formula
  version.
- \`contentSha256\` is the SHA-256 of the canonical JSON (keys sorted, no spaces) of everything else.
- Published files are only added, never changed; a mistake is corrected by a new run.
- Hardware and software adapters are never ranked together, nor are different presets.

The JSON Schema is [schema/run.v${SCHEMA_VERSION}.schema.json](schema/run.v${SCHEMA_VERSION}.schema.json).
This page and the schema are generated: \`deno task schema\`.

## Every key

\`[]\` stands for each item of a list, \`*\` for any name.
`;

/** The documentation of every key as Markdown. */
export function readmeText(): string {
  const rows: string[] = [];
  visit(z.toJSONSchema(runResultSchema, { target: "draft-2020-12" }) as Node, "", rows);
  return `${INTRODUCTION}\n${rows.join("\n")}\n`;
}

function visit(node: Node, path: string, rows: string[]): void {
  // Items of a list are described with the list, unless they say more.
  if (path !== "" && (node.description !== undefined || !/[\]*]$/.test(path))) {
    const meaning = node.description === undefined ? "" : `: ${node.description}`;
    rows.push(`- \`${path}\` (${typeName(node)})${meaning}`);
  }
  for (const [suffix, child] of children(node)) {
    visit(child, suffix === "[]" || path === "" ? path + suffix : `${path}.${suffix}`, rows);
  }
}

function children(node: Node): [string, Node][] {
  const variants = (node.anyOf ?? node.oneOf ?? []).filter((item) => item.type !== "null");
  // The kinds of one union share most keys; each key is documented once.
  const merged = new Map<string, Node>();
  for (const variant of variants) {
    for (const [name, child] of children(variant)) {
      const known = merged.get(name);
      if (known === undefined) merged.set(name, child);
      else if (known.const !== undefined && known.const !== child.const) {
        merged.set(name, { enum: [known.const, child.const], description: known.description });
      } else if (known.enum && child.const !== undefined) {
        merged.set(name, { ...known, enum: [...known.enum, child.const] });
      }
    }
  }
  if (variants.length > 0) return [...merged];
  if (node.properties) return Object.entries(node.properties);
  if (typeof node.items === "object" && isStructure(node.items)) return [["[]", node.items]];
  if (typeof node.additionalProperties === "object" && isStructure(node.additionalProperties)) {
    return [["*", node.additionalProperties]];
  }
  return [];
}

function isStructure(node: Node): boolean {
  return node.properties !== undefined || node.items !== undefined ||
    node.anyOf !== undefined && node.anyOf.some(isStructure) || node.oneOf !== undefined;
}

function typeName(node: Node): string {
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum) return node.enum.map((value) => JSON.stringify(value)).join(" or ");
  const union = node.anyOf ?? node.oneOf;
  if (union) return [...new Set(union.map(typeName))].join(" or ");
  if (node.prefixItems) return `[${node.prefixItems.map(typeName).join(", ")}]`;
  if (node.type === "array") {
    const items = typeof node.items === "object" ? typeName(node.items) : "anything";
    return `list of ${items}`;
  }
  if (node.type === "object" && node.properties === undefined) {
    const values = typeof node.additionalProperties === "object"
      ? typeName(node.additionalProperties)
      : "anything";
    return `record of ${values}`;
  }
  if (node.$ref) return "any JSON";
  return [node.type ?? "anything"].flat().join(" or ");
}

if (import.meta.main) {
  await Deno.mkdir("results/schema", { recursive: true });
  await Deno.writeTextFile(SCHEMA_PATH, schemaText());
  await Deno.writeTextFile(README_PATH, readmeText());
}
