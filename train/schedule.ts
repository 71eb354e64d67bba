/** Learning rate of each step, counted from 0. */
export type Schedule = (step: number) => number;

/** Options shared by the schedules. */
export interface ScheduleOptions {
  /** Highest learning rate. */
  readonly learningRate: number;
  /** Steps of the whole run. */
  readonly steps: number;
  /** Steps of linear increase at the start; step s gets learningRate * (s + 1) / warmupSteps. @default {0} */
  readonly warmupSteps?: number;
  /** Lowest learning rate at the end. @default {0} */
  readonly minLearningRate?: number;
}

/** Names of the schedules, for configurations. */
export const SCHEDULES = ["constant", "linear", "cosine"] as const;
export type ScheduleName = typeof SCHEDULES[number];

/** Makes a schedule by name: warm-up, then constant, linear or cosine decay to `minLearningRate`. */
export function makeSchedule(name: ScheduleName, options: ScheduleOptions): Schedule {
  const { learningRate, steps, warmupSteps = 0, minLearningRate = 0 } = options;
  if (!(warmupSteps >= 0 && warmupSteps <= steps)) {
    throw new RangeError(
      `Cannot make a schedule: warmupSteps is ${warmupSteps}, expected 0 to steps (${steps})`,
    );
  }
  return (step) => {
    if (step < warmupSteps) return learningRate * (step + 1) / warmupSteps;
    if (name === "constant") return learningRate;
    const done = Math.min(1, (step - warmupSteps) / Math.max(1, steps - warmupSteps));
    const left = name === "linear" ? 1 - done : 0.5 * (1 + Math.cos(Math.PI * done));
    return minLearningRate + (learningRate - minLearningRate) * left;
  };
}
