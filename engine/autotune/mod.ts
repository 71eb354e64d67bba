/**
 * Choice among implementations of one operation. Every operation has a default for each class of adapter and works without tuning; `tune`
 * times the alternatives and stores what is clearly faster in `gpu.choices`, which the operation looks up.
 *
 * Tuning is explicit and off by default. No operation tunes on its own: it would have to wait for the GPU, and results would depend on
 * timing, since different tiles may add in a different order. Tests and continuous integration never tune. A benchmark harness that
 * tunes on hardware does so before it measures, keeps `exportChoices` with the results, and can repeat the run with `importChoices`.
 *
 * ```ts ignore
 * await tune(gpu, matmulTunable, [matmulProblem({ M: 1024, N: 1024, K: 1024 })]);
 * const text = exportChoices(gpu, [matmulTunable]);
 * pinChoice(gpu, matmulTunable, "staged 32x32"); // whatever was tuned
 * ```
 *
 * @module
 */
export * from "./candidate.ts";
export * from "./choices.ts";
export * from "./choices_file.ts";
export * from "./tune.ts";
