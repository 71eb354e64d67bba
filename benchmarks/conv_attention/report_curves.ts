import type { Cell, ReportInput, RunBody } from "../../harness/contract.ts";
import { metricOf, rowsOf, variantsOf } from "../leap/rows.ts";
import { horizonOf } from "./config.ts";
import { meanCurve } from "./report_format.ts";
import type { ConvAttentionBenchConfig } from "./config.ts";

type Section = ReportInput["sections"][number];

/** Training and validation on one chart with the stage switches marked, and the loss by position. */
export function curveSections({ cells, config }: RunBody): Section[] {
  const rows = rowsOf(cells, "train");
  if (rows.length === 0) return [];
  const of = (variant: string) => rows.filter((row) => row.variant === variant);
  const variants = variantsOf(rows);
  const byPosition = variants.filter((v) =>
    metricOf(of(v)[0], "loss", "test-unseen") !== undefined
  );
  const { blockLength } = (config as unknown as ConvAttentionBenchConfig).training;
  const horizon = horizonOf(config as unknown as ConvAttentionBenchConfig);
  return [{
    heading: "Curves",
    charts: [
      {
        id: "loss-curves",
        title: "Training and validation loss, mean over seeds",
        mark: "line",
        x: { label: "step" },
        y: { label: "loss (nats/token)" },
        series: variants.flatMap((variant) =>
          ["training loss", "validation loss"].map((name) => ({
            name: `${variant}, ${name.split(" ")[0]}`,
            points: meanCurve(of(variant), name),
          }))
        ),
        references: stageSwitches(rows),
        note:
          "Band: lowest to highest seed. Vertical lines: stage switches of the progressive models.",
      },
      ...(byPosition.length > 0
        ? [{
          id: "loss-by-position",
          title: "Test loss by position in the block",
          mark: "line" as const,
          x: { label: "position" },
          y: { label: "loss (nats/token)" },
          series: byPosition.map((variant) => ({
            name: variant,
            points: meanCurve(of(variant), "test loss by position", Infinity),
          })),
          references: [{
            axis: "x" as const,
            value: blockLength - horizon - 0.5,
            label: "targets to the right are not in the input",
          }],
          note:
            "A model that looks its targets up is good on the left of the line and no better than others on its right.",
        }]
        : []),
    ],
  }];
}

function stageSwitches(rows: readonly Cell[]) {
  const row = rows.find((r) => metricOf(r, "stage-1-last-step") !== undefined);
  if (!row) return [];
  return [1, 2].map((stage) => ({
    axis: "x" as const,
    value: metricOf(row, `stage-${stage}-last-step`)!,
    label: `stage ${stage + 1}`,
  }));
}
