/** Numbers as people read them. Plain ASCII digits, no locale: reports are byte-stable. */

/** Four significant digits, without an exponent where that stays readable; null is a dash. */
export function formatNumber(value: number | null, digits = 4): string {
  if (value === null || !Number.isFinite(value)) return "-";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e7) return String(value);
  if (size >= 1e7 || size < 1e-4) return value.toExponential(digits - 1);
  if (size >= 10 ** digits) return String(Math.round(value));
  return value.toPrecision(digits);
}

const TIME_UNITS: readonly [number, string][] = [[1e9, "s"], [1e6, "ms"], [1e3, "us"], [1, "ns"]];
const BYTE_UNITS: readonly [number, string][] = [
  [2 ** 40, "TiB"],
  [2 ** 30, "GiB"],
  [2 ** 20, "MiB"],
  [2 ** 10, "KiB"],
  [1, "B"],
];
const RATE_UNITS: readonly [number, string][] = [
  [1e15, "P"],
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
  [1, ""],
];

function scaled(value: number | null, units: readonly [number, string][], digits: number): string {
  if (value === null || !Number.isFinite(value)) return "-";
  const unit = units.find(([size]) => Math.abs(value) >= size) ?? units[units.length - 1];
  return `${formatNumber(value / unit[0], digits)} ${unit[1]}`;
}

/** Nanoseconds in the unit that suits them, e.g. `1.234 ms`. */
export function formatDuration(ns: number | null, digits = 4): string {
  return scaled(ns, TIME_UNITS, digits);
}

/** Bytes with binary prefixes. */
export function formatBytes(bytes: number | null, digits = 4): string {
  return scaled(bytes, BYTE_UNITS, digits);
}

/** A rate with decimal prefixes, e.g. `formatRate(1.2e12, "FLOP/s")` is `1.200 TFLOP/s`. */
export function formatRate(value: number | null, unit: string, digits = 4): string {
  return scaled(value, RATE_UNITS, digits) + (value === null ? "" : unit);
}

/** A share as a percentage with three digits. */
export function formatShare(share: number | null): string {
  return share === null ? "-" : `${formatNumber(share * 100, 3)} %`;
}

/** Parameters as `T=1024, dtype=f32`, sorted by name. */
export function formatParams(params: Readonly<Record<string, unknown>>): string {
  return Object.keys(params).sort().map((name) => `${name}=${params[name]}`).join(", ");
}

/** A duration for headings: `3 min 20 s`. */
export function formatSpan(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (h > 0) return `${h} h ${m} min`;
  return m > 0 ? `${m} min ${s} s` : `${s} s`;
}
