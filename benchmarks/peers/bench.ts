import type { Benchmark, Task } from "../../harness/contract.ts";
import { caseCost } from "./case_cost.ts";
import { caseId, caseParams, caseTitle, type PeerCase } from "./cases.ts";
import { comparePeers } from "./compare.ts";
import { casesOf, type PeersConfig, peersConfigSchema } from "./config.ts";
import { PEERS_PRESETS } from "./presets.ts";
import { reportPeers } from "./report.ts";
import { runCase } from "./run_case.ts";

/** Our engine beside the libraries a user would pick instead; see the folder's README for the method. */
export const benchmark: Benchmark<PeersConfig> = {
  name: "peers",
  version: 1,
  title: "Peers: our engine beside the libraries a user would pick instead",
  question:
    "How fast and how lean is our engine against jax-js, TensorFlow.js and onnxruntime-web?",
  source: {
    title: "No publication: a side-by-side measurement of published npm packages",
    url: "https://www.npmjs.com/package/@jax-js/jax",
    year: 2026,
    note: "Versions are pinned in benchmarks/peers/packages.ts and stated in every row.",
  },
  configSchema: peersConfigSchema,
  presets: PEERS_PRESETS,
  tasks: (config) => casesOf(config).map((spec) => taskOf(spec, config)),
  memoryEstimate: (config) => Math.max(0, ...casesOf(config).map(peakBytes)) * PEER_OVERHEAD,
  async run(context, task, config) {
    const spec = casesOf(config).find((item) => caseId(item) === task.id);
    if (!spec) {
      throw new TypeError(`Cannot run task ${task.id}: the configuration has no such case`);
    }
    await runCase(context, spec, config);
  },
  compare: (cells) => comparePeers(cells),
  report: reportPeers,
};

function taskOf(spec: PeerCase, config: PeersConfig): Task {
  const { flops, bytes } = caseCost(spec);
  // A wait or a compiled shader costs about as much as a small case; beyond that the arithmetic counts.
  const seconds = 10 + (flops ?? 0) / 1e8 + (bytes ?? 0) / 1e8;
  return {
    id: caseId(spec),
    title: caseTitle(spec),
    weight: seconds * Math.sqrt(config.samples),
    kind: "time",
    variants: ["ours", ...config.libraries],
    params: caseParams(spec),
  };
}

/** Peers hold several copies of the scores, and their pools give nothing back between cases. */
const PEER_OVERHEAD = 12;

/** Bytes of the largest array a library without fused kernels makes. */
function peakBytes(spec: PeerCase): number {
  switch (spec.operation) {
    case "attention":
      return 4 * spec.heads * spec.length ** 2;
    case "cross-entropy":
      return 4 * spec.rows * spec.vocabulary;
    case "gpt2-step":
      return 4 * spec.batch * spec.layers * spec.heads * spec.length ** 2;
    default:
      return caseCost(spec).bytes ?? 0;
  }
}
