/** A tensor as the golden files hold it. */
export interface GoldenTensor {
  readonly shape: number[];
  readonly data: number[];
}

/** Reads tests/golden/<name>.json. */
export function golden<T>(name: string): T {
  return JSON.parse(Deno.readTextFileSync(new URL(`../golden/${name}.json`, import.meta.url)));
}
