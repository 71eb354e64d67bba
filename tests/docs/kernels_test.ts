import assert from "node:assert/strict";
import { attentionTunable } from "../../attention/mod.ts";
import { choiceKey, kernelSource, matmulProblem, matmulTunable } from "../../engine/mod.ts";
import { matmulDirectKernel } from "../../engine/kernels/matmul_direct.ts";

const page = await Deno.readTextFile(new URL("../../docs/kernels.md", import.meta.url));

Deno.test("docs/kernels.md shows the kernel that is generated, whole and in order", () => {
  const kernel = matmulDirectKernel(matmulProblem({ M: 64, N: 64, K: 64 }), { tileM: 2, tileN: 8 });
  const shown = [...page.matchAll(/```wgsl\n([\s\S]*?)```/g)].map((match) => match[1]).join("");
  // The formatter moves the blocks of a page to the left.
  const lines = (text: string) => text.split("\n").map((line) => line.trim()).filter(Boolean);
  assert.deepEqual(lines(shown), lines(kernelSource(kernel)));
  assert.ok(page.includes(`\`${kernel.key}\``), kernel.key);
});

Deno.test("docs/kernels.md lists every candidate and no other", () => {
  for (const operation of [matmulTunable, attentionTunable]) {
    const row = page.split("\n").find((line) => line.startsWith(`| \`${operation.name}\``));
    const listed = [...row!.split("|")[2].matchAll(/`([^`]+)`/g)].map((match) => match[1]);
    const tuned = operation.candidates.filter((c) => !c.reference).map(({ name }) => name);
    assert.deepEqual(listed, tuned);
  }
});

Deno.test("docs/kernels.md names a key as the tuner makes it", () => {
  const key = choiceKey(matmulTunable, matmulProblem({ M: 1024, N: 512, K: 128 }));
  assert.ok(page.includes(`\`${key}\` covers M\n  from 1024 to 2047`), key);
});
