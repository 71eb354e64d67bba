/** JSON texts with one spelling per value, and their SHA-256. */

/**
 * JSON with sorted keys and no spaces. Keys holding `undefined` are left out, as by
 * `JSON.stringify`; a number that is not finite is refused, because JSON would silently write null.
 */
export function canonicalJson(value: unknown): string {
  return write(value, "$", null, "");
}

/**
 * The same with line breaks for people and for line-based diffs: one key per line, arrays of plain
 * values on one line, so that a thousand samples are one line.
 */
export function formatJson(value: unknown): string {
  return write(value, "$", " ", "") + "\n";
}

/** SHA-256 of bytes or of a UTF-8 text, lower-case hexadecimal. */
export async function sha256Hex(content: string | Uint8Array): Promise<string> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Digest of a result: everything but `contentSha256` itself. */
export function contentSha256(result: object): Promise<string> {
  const { contentSha256: _, ...rest } = result as Record<string, unknown>;
  return sha256Hex(canonicalJson(rest));
}

function write(value: unknown, path: string, indent: string | null, outer: string): string {
  if (value === null || typeof value === "string" || typeof value === "boolean") {
    return JSON.stringify(value);
  }
  if (typeof value === "number") {
    if (!Number.isFinite(value)) {
      throw new RangeError(
        `Cannot write JSON: ${path} is ${value}, expected a finite number; record null instead`,
      );
    }
    return JSON.stringify(value);
  }
  if (typeof value !== "object") {
    throw new TypeError(`Cannot write JSON: ${path} is a ${typeof value}`);
  }
  const inner = indent === null ? "" : outer + indent;
  if (Array.isArray(value)) {
    const items = value.map((item, i) => write(item ?? null, `${path}[${i}]`, indent, inner));
    const flat = indent === null || value.every(isFlat);
    return flat
      ? `[${items.join(indent === null ? "," : ", ")}]`
      : `[\n${items.map((item) => inner + item).join(",\n")}\n${outer}]`;
  }
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0)
    .map(([key, item]) =>
      JSON.stringify(key) + (indent === null ? ":" : ": ") +
      write(item, `${path}.${key}`, indent, inner)
    );
  if (indent === null) return `{${entries.join(",")}}`;
  return entries.length === 0
    ? "{}"
    : `{\n${entries.map((entry) => inner + entry).join(",\n")}\n${outer}}`;
}

function isFlat(item: unknown): boolean {
  return typeof item !== "object" || item === null ||
    (Array.isArray(item) && item.every((part) => typeof part !== "object" || part === null));
}
