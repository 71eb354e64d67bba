import { ConversionError } from "./conversion_error.ts";

/** Options of a conversion; the defaults are those of lsg-converter's command line. */
export interface ConversionOptions {
  /** New number of positions. @default {4096} */
  readonly maxLength?: number;
  /** Class of the model, instead of the one in config.json. */
  readonly architecture?: string;
  /** Type of the model instead of the `model_type` in config.json; BARThez needs it. */
  readonly modelType?: string;
  /** Make the globals' words from random numbers with the vocabulary's mean and covariance. @default {false} */
  readonly randomGlobalInit?: boolean;
  /** Distance between the positions of neighbouring globals. @default {64} */
  readonly globalPositionalStride?: number;
  /** Keep row 0 of the globals that an LSG checkpoint has. @default {false} */
  readonly keepFirstGlobalToken?: boolean;
  /** Keep all globals that an LSG checkpoint has and change the positions alone. @default {false} */
  readonly resizeLsg?: boolean;
  /** Add token type 0 to the globals of BERT, ALBERT and ELECTRA. @default {true} */
  readonly useTokenIds?: boolean;
  /** Seed of random numbers. @default {123} */
  readonly seed?: number;
  /** Fields of the converted config.json: those of LSG, and those that the source has. */
  readonly set?: Readonly<Record<string, unknown>>;
  /** Faults of lsg-converter to repeat, for comparisons with it. */
  readonly parity?: ConversionParity;
}

/** Faults of lsg-converter that a conversion can repeat; all off by default. */
export interface ConversionParity {
  /** The position table lacks rows where the length is just over a multiple of its period. */
  readonly positionTileShort?: boolean;
  /** With random globals, row 0 gets token type 0 twice. */
  readonly doubleTypeEmbedding?: boolean;
}

/** Names of {@link ConversionParity}. */
export const CONVERSION_PARITY = [
  "positionTileShort",
  "doubleTypeEmbedding",
] as const satisfies readonly (keyof ConversionParity)[];

/** {@link ConversionOptions} with its defaults. */
export type FullConversionOptions =
  & Required<Omit<ConversionOptions, "architecture" | "modelType">>
  & Pick<ConversionOptions, "architecture" | "modelType">;

/** @throws {ConversionError} For a number out of range. */
export function withDefaults(options: ConversionOptions): FullConversionOptions {
  const full = {
    maxLength: 4096,
    randomGlobalInit: false,
    globalPositionalStride: 64,
    keepFirstGlobalToken: false,
    resizeLsg: false,
    useTokenIds: true,
    seed: 123,
    set: {},
    parity: {},
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
  };
  requireInteger("the new maximum length", "--max-length", full.maxLength, 1, 2 ** 20);
  requireInteger("the seed", "--seed", full.seed, 0, 0xffffffff);
  const stride = full.globalPositionalStride;
  requireInteger("the stride between globals", "--global-positional-stride", stride, 1, 2 ** 20);
  return full;
}

function requireInteger(
  what: string,
  option: string,
  value: number,
  least: number,
  most: number,
): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new ConversionError(
    `Cannot convert: ${what} is ${value}, expected an integer from ${least} to ${most}; ` +
      `change it with ${option}`,
  );
}
