import type { ReportChart } from "../schema/report.ts";
import {
  CHART_WIDTH,
  escapeXml,
  FONT,
  HEAT_COLOURS,
  INK,
  MUTED,
  SERIES_COLOURS,
  textWidth,
} from "./chart_style.ts";
import { formatNumber } from "./format_value.ts";
import { heatDomain, plotOptions } from "./plot_options.ts";

const PADDING = 16;
const LEGEND_ROW = 20;

/**
 * Draws a chart as a stand-alone SVG. Equal charts give equal bytes. The plotting library is loaded
 * on first use only: runs without a report never need it.
 */
export async function renderChart(chart: ReportChart): Promise<string> {
  const [Plot, { parseHTML }] = await Promise.all([
    import("@observablehq/plot"),
    import("linkedom"),
  ]);
  const page = parseHTML("<!doctype html><html><body></body></html>") as unknown as {
    document: object;
  };
  const plot = Plot.plot(plotOptions(Plot, chart, page.document));
  const titles = wrap(chart.title, 15, CHART_WIDTH - 2 * PADDING);
  const legendTop = PADDING + titles.length * 20 + 4;
  const legend = chart.mark === "heatmap"
    ? heatLegend(chart, legendTop)
    : seriesLegend(chart, legendTop);
  const top = legendTop + legend.height;
  const height = top + Number(plot.getAttribute("height")) + 4;
  plot.setAttribute("x", "0");
  plot.setAttribute("y", String(top));
  const heading = titles.map((line, i) =>
    `<text x="${PADDING}" y="${PADDING + 14 + i * 20}" font-size="15" font-weight="600" ` +
    `fill="${INK}">${escapeXml(line)}</text>`
  );
  const names = chart.series.map((series) => series.name).join(", ");
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${CHART_WIDTH}" height="${height}" ` +
    `viewBox="0 0 ${CHART_WIDTH} ${height}" font-family="${FONT}" role="img" ` +
    `aria-label="${escapeXml(chart.title)}">`,
    `<title>${escapeXml(chart.title)}</title>`,
    `<desc>${escapeXml(`${chart.y.label} against ${chart.x.label}: ${names}`)}</desc>`,
    `<rect width="${CHART_WIDTH}" height="${height}" fill="white"/>`,
    ...heading,
    ...legend.parts,
    plot.outerHTML,
    "</svg>\n",
  ].join("\n");
}

function seriesLegend(chart: ReportChart, top: number): { parts: string[]; height: number } {
  // One series is named by the title and the axis.
  if (chart.series.length < 2) return { parts: [], height: 0 };
  const parts: string[] = [];
  let [x, y] = [PADDING, top + 10];
  chart.series.forEach((series, i) => {
    const width = 22 + textWidth(series.name, 12) + 18;
    if (x > PADDING && x + width > CHART_WIDTH - PADDING) [x, y] = [PADDING, y + LEGEND_ROW];
    const colour = SERIES_COLOURS[i % SERIES_COLOURS.length];
    parts.push(
      `<rect x="${x}" y="${y - 5}" width="14" height="10" rx="2" fill="${colour}"/>`,
      `<text x="${x + 20}" y="${y + 4}" font-size="12" fill="${INK}">${
        escapeXml(series.name)
      }</text>`,
    );
    x += width;
  });
  return { parts, height: y - top + 14 };
}

function heatLegend(chart: ReportChart, top: number): { parts: string[]; height: number } {
  const [low, high] = heatDomain(
    chart.series.flatMap((series) => series.points.map((point) => point.value)),
  );
  const y = top + 10;
  const from = formatNumber(low, 3);
  const start = PADDING + textWidth(from, 12) + 8;
  const swatches = HEAT_COLOURS.map((colour, i) =>
    `<rect x="${start + i * 24}" y="${y - 6}" width="24" height="12" fill="${colour}" ` +
    `stroke="${MUTED}" stroke-width="0.25"/>`
  );
  const text = (x: number, content: string) =>
    `<text x="${x}" y="${y + 4}" font-size="12" fill="${INK}">${escapeXml(content)}</text>`;
  const end = start + HEAT_COLOURS.length * 24 + 8;
  const name = chart.series.length === 1 ? `  ${chart.series[0].name}` : "";
  return {
    parts: [text(PADDING, from), ...swatches, text(end, formatNumber(high, 3) + name)],
    height: 26,
  };
}

function wrap(text: string, size: number, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const joined = lines.length === 0 ? word : `${lines[lines.length - 1]} ${word}`;
    if (lines.length > 0 && textWidth(joined, size) <= width) lines[lines.length - 1] = joined;
    else lines.push(word);
  }
  return lines;
}
