import assert from "node:assert/strict";
import { ARCHITECTURE_TYPES, convertCheckpoint } from "../../../train/convert/mod.ts";
import { golden } from "../../_helpers/golden.ts";
import {
  asGolden,
  convertedSource,
  GOLDEN_OPTIONS,
  goldenArchitecture,
  type GoldenOptionCase,
  goldenSource,
  type GoldenTable,
  ourOptions,
} from "./_lsg_golden.ts";

type Golden = Record<string, GoldenTable>;

/** Rows first: they show where two tables differ. */
function assertTables(actual: Golden, expected: Golden) {
  assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).sort());
  for (const [key, table] of Object.entries(expected)) {
    const rows = Object.keys(table.rows).map((row) => [row, actual[key].rows[row]]);
    const exact = Object.entries(table.rows).map(([row, v]) => [row, v.map(Math.fround)]);
    assert.deepEqual(Object.fromEntries(rows), Object.fromEntries(exact), key);
    assert.deepEqual(actual[key].shape, table.shape, key);
    if (table.sha256) assert.equal(actual[key].sha256, table.sha256, key);
  }
}

for (const type of ARCHITECTURE_TYPES) {
  Deno.test(`convertCheckpoint() makes the reference's ${type} bit for bit`, async () => {
    const expected = goldenArchitecture(type);
    const conversion = await convertCheckpoint(goldenSource(expected), {
      ...GOLDEN_OPTIONS,
      modelType: type,
    });
    const tables: Golden = {};
    for (const [key, table] of conversion.replaced) tables[key] = await asGolden(table);
    const { transformers_version: _, ...config } = conversion.config;
    assert.deepEqual(config, expected.converted_config);
    assert.deepEqual([...conversion.dropped], expected.dropped);
    // The reference damages BARThez' decoder; ours is tiled like mBART's.
    const { "model.decoder.embed_positions.weight": decoder, ...rest } = tables;
    if (type !== "barthez") return assertTables(tables, expected.tables);
    assertTables({ ...rest, "model.decoder.embed_positions.weight": decoder }, {
      ...goldenArchitecture("mbart").tables,
      ...expected.tables,
    });
  });
}

const CASES = golden<{ cases: Record<string, GoldenOptionCase> }>("lsg_convert_options").cases;

for (const [name, expected] of Object.entries(CASES)) {
  Deno.test(`convertCheckpoint() makes the reference's tables and config.json: ${name}`, async () => {
    let source = goldenSource(expected);
    if (expected.first) {
      source = convertedSource(
        source,
        await convertCheckpoint(source, ourOptions(expected.first)),
      );
    }
    const conversion = await convertCheckpoint(source, {
      ...ourOptions(expected.options),
      parity: {
        positionTileShort: name.startsWith("tile_short"),
        doubleTypeEmbedding: expected.options.random_global_init,
      },
    });
    const { transformers_version: _, ...config } = conversion.config;
    assert.deepEqual(config, expected.converted_config);
    const tables: Golden = {};
    for (const [key, table] of conversion.replaced) {
      const converted = await asGolden(table);
      if (Object.hasOwn(expected.tables, key)) tables[key] = converted;
      else if (!expected.options.random_global_init) {
        // A table that stays as it is counts as none in the golden file.
        const { shape } = source.tensors.get(key)!;
        const same = await asGolden({ dtype: "F32", shape, data: await source.read(key) });
        assert.equal(converted.sha256, same.sha256, key);
      }
    }
    assertTables(tables, expected.tables);
  });
}
