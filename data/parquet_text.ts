/**
 * One text column of a Parquet file.
 * @module
 */

/**
 * Reads a column of strings.
 * @param bytes The whole file.
 * @param column Name of the column.
 */
export async function readParquetText(
  bytes: Uint8Array<ArrayBuffer>,
  column: string,
): Promise<string[]> {
  // On request: only the sets from a hub need it.
  const [{ parquetReadObjects }, { compressors }] = await Promise.all([
    import("hyparquet"),
    import("hyparquet-compressors"),
  ]);
  const file = {
    byteLength: bytes.length,
    slice: (start: number, end?: number) => bytes.slice(start, end).buffer,
  };
  const rows = await parquetReadObjects({ file, columns: [column], compressors });
  return rows.map((row, i) => {
    const value: unknown = row[column];
    if (typeof value !== "string") {
      throw new TypeError(
        `Cannot read column ${column}: row ${i} is ${typeof value}, expected a string`,
      );
    }
    return value;
  });
}
