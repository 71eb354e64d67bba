/**
 * Weights and inputs that golden files do not store: a closed form of key name and flat index, the same as in
 * `tools/golden/lsg_weights.py`, bit for bit.
 */
export function closedForm(name: string, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const values = new Float32Array(shape.reduce((product, n) => product * n, 1));
  const seed = fnv1a(name);
  const norm = /norm/i.test(name) && name.endsWith("weight");
  for (let i = 0; i < values.length; i++) {
    let x = (seed + Math.imul(i, 0x9E3779B1)) >>> 0;
    x = Math.imul(x ^ x >>> 16, 0x85EBCA6B) >>> 0;
    x = Math.imul(x ^ x >>> 13, 0xC2B2AE35) >>> 0;
    const value = (((x ^ x >>> 16) >>> 16) - 32768) / 65536;
    values[i] = norm ? 1 + value / 2 : value;
  }
  return values;
}

/** FNV-1a of the UTF-8 bytes, 32 bits. */
function fnv1a(name: string): number {
  let hash = 0x811C9DC5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/**
 * Positions of Pegasus, float32 [rows, width]: P[p, m] = sin(p / 10000^(2m / D)), P[p, D/2 + m] = cos of the same, in float64.
 * The one table of `tests/golden/lsg_pegasus.json` that has no closed form.
 */
export function sinusoids(rows: number, width: number): Float32Array<ArrayBuffer> {
  const half = width / 2;
  return Float32Array.from({ length: rows * width }, (_, i) => {
    const [p, c] = [Math.floor(i / width), i % width];
    const angle = p / 10000 ** (2 * (c % half) / width);
    return c < half ? Math.sin(angle) : Math.cos(angle);
  });
}
