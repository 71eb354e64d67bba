/** Scalars and small objects that several parts of the result schema share. */
import { z } from "zod";

/** A value of one named parameter of a cell, e.g. `T: 1024` or `dtype: "f32"`. */
export const paramValueSchema = z.union([z.string(), z.number(), z.boolean()]);

/** Parameters are always named, never positional. */
export const paramsSchema = z.record(z.string(), paramValueSchema).meta({
  description: "Named parameters of the point, e.g. { T: 1024 }",
});

/** SHA-256 as 64 lower-case hexadecimal digits. */
export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/).meta({
  description: "SHA-256, 64 lower-case hexadecimal digits",
});

/** ISO 8601 instant in UTC with milliseconds. */
export const instantSchema = z.iso.datetime({ precision: 3 }).meta({
  description: "ISO 8601 instant, UTC, milliseconds",
});

/** Whole nanoseconds. */
export const nanosecondsSchema = z.int().nonnegative().meta({ description: "Whole nanoseconds" });

/** Which clock produced a duration. */
export const clockSchema = z.enum(["timestamp-query", "wall"]).meta({
  description: "GPU timestamps, or wall time around the end of the queue's work",
});

/** An interval estimate. */
export const intervalSchema = z.strictObject({
  low: z.number().meta({ description: "Lower end, in the unit of the estimate" }),
  high: z.number().meta({ description: "Upper end, in the unit of the estimate" }),
  level: z.number().gt(0).lt(1).meta({ description: "Coverage aimed at, e.g. 0.95" }),
  method: z.enum([
    "bootstrap-percentile",
    "bootstrap-bca",
    "bootstrap-paired",
    "student-t",
    "normal",
    "exact",
  ]).meta({ description: "How the interval was computed" }),
}).meta({ description: "Interval estimate" });

export type ParamValue = z.infer<typeof paramValueSchema>;
export type Params = z.infer<typeof paramsSchema>;
export type Clock = z.infer<typeof clockSchema>;
export type Interval = z.infer<typeof intervalSchema>;
