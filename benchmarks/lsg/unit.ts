import type { QualityTask } from "./config.ts";

/** One run of a task: everything in it follows from the seed. */
export interface Unit {
  readonly task: QualityTask;
  readonly seed: number;
  /** Set for the documents that are longer than the source's positions. */
  readonly long?: boolean;
}

/** Name of a unit in tasks, artifacts and seeds. */
export function unitName({ task, seed, long = false }: Unit): string {
  return `${long ? "long-" : ""}${task.name}/${seed}`;
}

/** Artifact with the weights of a unit at one stage. */
export function weightsArtifact(unit: Unit, stage: "pretrained" | "base"): string {
  return `${stage}-${unitName(unit).replaceAll("/", "-")}.safetensors`;
}
