/** Sizes and colours shared by all charts. */

export const CHART_WIDTH = 760;
export const PLOT_HEIGHT = 380;
export const FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";
export const INK = "#1f2328";
export const MUTED = "#59636e";
export const GRID = "#d0d7de";

/** Colours that stay apart for colour-blind readers (Okabe and Ito 2008), dark enough on white. */
export const SERIES_COLOURS: readonly string[] = [
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#cc79a7",
  "#8c6d00",
  "#56b4e9",
  "#6a3d9a",
  "#4d4d4d",
];

/** Symbols repeat the colour, for print without colour. */
export const SERIES_SYMBOLS: readonly string[] = [
  "circle",
  "square",
  "triangle",
  "diamond",
  "cross",
  "star",
  "wye",
  "times",
];

/** Colours of a heat map from low to high; lightness rises evenly. */
export const HEAT_COLOURS: readonly string[] = [
  "#f7fbff",
  "#d6e6f4",
  "#abd0e6",
  "#6aaed6",
  "#3787c0",
  "#105ba4",
  "#08306b",
];

/** Estimated width of a text: no font can be measured without a screen. */
export function textWidth(text: string, size: number): number {
  return text.length * size * 0.58;
}

/** Escapes a text for SVG. */
export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
