import type { Cell, ReportInput, RunBody } from "../../harness/contract.ts";
import { decoding, speed } from "./report_cost.ts";
import { fits, pairs, signed } from "./report_format.ts";
import { explainability, numerics, scaling } from "./report_properties.ts";
import { quality } from "./report_quality.ts";
import { numberOf, rowsOf } from "./rows.ts";

/** The leap benchmark's part of the report. */
export function reportLeap(result: RunBody): ReportInput {
  const { cells } = result;
  const sections = [
    quality(result),
    speed(result),
    decoding(result),
    explainability(result),
    numerics(cells),
    scaling(result),
  ];
  return {
    headline: headline(result),
    sections: sections.filter((s) => (s.tables?.length ?? 0) + (s.charts?.length ?? 0) > 0),
  };
}

function headline({ cells, comparisons }: RunBody): string[] {
  const lines: string[] = [];
  const losses = pairs(comparisons).filter((c) => c.metric === "loss (test)");
  if (losses.length > 0) {
    lines.push(
      `Test loss against GPT-2 at equal data, batch order and parameters (within ${
        parameterSpread(cells).toFixed(1)
      } %): ` +
        losses.map((c) =>
          `${c.candidate.variant} ${signed(c.estimate)} nats/token (${c.verdict}, ${c.n} ${
            c.n === 1 ? "seed" : "seeds"
          })`
        ).join("; ") + ".",
    );
  }
  const longest = Math.max(...rowsOf(cells, "speed").map((row) => numberOf(row, "T")));
  const ratios = pairs(comparisons).filter((c) =>
    c.metric === "forward+backward" && c.candidate.params.T === longest &&
    c.baseline.variant === "gpt2-fused" && c.estimate !== null
  );
  if (ratios.length > 0) {
    lines.push(
      `At T = ${longest}, forward + backward takes ` +
        ratios.map((c) => `${c.candidate.variant} ${c.estimate!.toFixed(2)}`).join(" and ") +
        " of the time of GPT-2 with a fused attention kernel.",
    );
  }
  const growth = fits(comparisons).filter((c) =>
    c.metric === "forward+backward" && c.exponent !== null
  );
  if (growth.length > 0) {
    lines.push(
      `Step time grows as T to the power ${
        growth.map((c) => `${c.exponent!.toFixed(2)} (${c.variant})`).join(", ")
      }.`,
    );
  }
  return lines.length > 0 ? lines : ["No rows that could be compared were recorded."];
}

/** Largest difference of the trained models' parameter counts from GPT-2's, in percent. */
function parameterSpread(cells: readonly Cell[]): number {
  const counts = rowsOf(cells, "train").map((row) => row.implementation?.parameters ?? NaN);
  const baseline = rowsOf(cells, "train").find((row) => row.variant === "gpt2")?.implementation
    ?.parameters ?? NaN;
  return Math.max(...counts.map((count) => 100 * Math.abs(count / baseline - 1)));
}
