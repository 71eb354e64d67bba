import assert from "node:assert/strict";
import { randomBlocks } from "../../../attention/mod.ts";
import { faultyAttention, variantCases } from "../../../benchmarks/lsg/audit_cases.ts";
import { presets } from "../../../benchmarks/lsg/presets.ts";
import type { BigBirdEncoderAttention } from "../../../models/mod.ts";

const names = new Set(
  Object.values(presets).flatMap(({ step, scaling }) => [
    ...step?.variants ?? [],
    ...scaling?.attention?.variants ?? [],
  ]),
);

for (const name of [...names].filter((name) => name.startsWith("bigbird"))) {
  Deno.test(`faultyAttention() sees other keys than ${name} in the text it is audited with`, () => {
    const [{ given: { N, H }, naive }] = variantCases(name);
    const right = naive as BigBirdEncoderAttention;
    const { blockSize, randomBlocks: count } = right;
    const blocks = Math.ceil((N - 1) / blockSize);
    assert.ok(blocks > count + 3, "window and random blocks leave something out");
    const drawn = (attention: BigBirdEncoderAttention) =>
      randomBlocks({ globals: 1, ...attention }, H, blocks);
    assert.notDeepEqual(drawn(faultyAttention(name) as BigBirdEncoderAttention), drawn(right));
  });
}
