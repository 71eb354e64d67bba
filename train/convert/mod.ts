/**
 * Conversion of pretrained checkpoints to local-sparse-global attention.
 *
 * @module
 */
export {
  type Architecture,
  ARCHITECTURE_TYPES,
  architectureOfType,
  ARCHITECTURES,
  autoMap,
  type Head,
  lsgClass,
} from "./architectures.ts";
export {
  checkConversion,
  type ConversionCheck,
  type LoadableCheckpoint,
  SHORT_TOLERANCE,
} from "./check_conversion.ts";
export { type Conversion, convertCheckpoint, plannedConfig } from "./convert_checkpoint.ts";
export { ConversionError } from "./conversion_error.ts";
export {
  CONVERSION_PARITY,
  type ConversionOptions,
  type ConversionParity,
} from "./conversion_options.ts";
export type { ConversionSource } from "./conversion_source.ts";
export type { StoredTable } from "./float_table.ts";
export { globalPositionOrder } from "./global_positions.ts";
export { LSG_FIELD_NAMES, type LsgFields, lsgFields } from "./lsg_fields.ts";
export { tiledRows } from "./position_tables.ts";
export { findSpecialTokens, TOKEN_FILES } from "./special_tokens.ts";
export {
  checkIndex,
  convertedIndex,
  INDEX_FILE,
  indexedFiles,
  type Piece,
  type PlannedFile,
  planWeightFiles,
  SINGLE_FILE,
} from "./weight_files.ts";
