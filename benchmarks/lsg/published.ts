import type { PublishedFigure } from "../../harness/contract.ts";

const hardware = "Quadro RTX 8000";
const setting = "README: binary classification, training, 4 x 4096 tokens per batch, Adam";

/** Seconds per step and GB with and without attention dropout. */
const ROWS = [
  ["longformer-256", "Longformer-base", 3.22, 34.38, 32.83],
  ["bigbird-64-3", "BigBird-RoBERTa-base (dropout has no effect)", 2.85, 38.13, 38.13],
  ["lsg-256-0", "LSG-RoBERTa 256/0", 1.40, 32.92, 24.80],
  ["lsg-128-128-norm-2", "LSG-RoBERTa 128/128 norm, factor not stated", 1.51, 33.80, 27.52],
  ["lsg-32-32-norm-2", "LSG-RoBERTa 32/32 norm, factor not stated", 1.20, 24.53, 22.53],
] as const;

const at = (attentionDropout: boolean) => ({
  ...{ part: "step", T: 4096, batchSize: 4, attentionDropout },
});

/** The efficiency table of the source's README; comparable under the paper preset only. */
const table: PublishedFigure[] = ROWS.flatMap(([variant, name, seconds, withDropout, without]) => {
  const note = `${setting}; ${name}`;
  return [
    {
      ...{ id: `${variant}-step`, metric: "step-time", unit: "s", value: seconds, variant },
      ...{ params: at(true), hardware, note: `${note}; one time per model, dropout not stated` },
    },
    {
      ...{ id: `${variant}-memory-dropout`, metric: "peak-memory", unit: "GB", variant },
      ...{ value: withDropout, params: at(true), hardware, note },
    },
    {
      ...{ id: `${variant}-memory`, metric: "peak-memory", unit: "GB", variant },
      ...{ value: without, params: at(false), hardware, note },
    },
  ];
});

/** Readings of benchmark.png, which states neither sizes nor batch: length, GB, seconds per step. */
export const PLOT_READINGS: readonly {
  readonly model: string;
  readonly points: readonly (readonly [number, number, number])[];
}[] = [
  {
    model: "LSG-RoBERTa",
    points: [
      [512, 2.2, 0.12],
      [2048, 6, 0.21],
      [4096, 9.5, 0.37],
      [8192, 16.6, 0.68],
      [16384, 30.9, 1.31],
    ],
  },
  {
    model: "LSG-BART",
    points: [
      [512, 3.4, 0.105],
      [2048, 6.1, 0.175],
      [4096, 9.4, 0.285],
      [8192, 15.1, 0.505],
      [16384, 26.4, 0.97],
    ],
  },
];

const readings: PublishedFigure[] = PLOT_READINGS[0].points.map(([T, , seconds]) => ({
  ...{ id: `plot-step-${T}`, metric: "forward+backward-time", unit: "s", value: seconds },
  variant: "lsg-128-128-norm-2",
  params: { part: "scaling-encoder", T },
  hardware: "not stated",
  note:
    "read off benchmark.png (about 5 %), LSG-RoBERTa; batch, sizes and sparsity are not stated, so that only the growth compares",
}));

/** Figures of the source's repository. */
export const published: readonly PublishedFigure[] = [...table, ...readings];
