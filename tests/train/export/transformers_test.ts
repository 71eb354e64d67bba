import assert from "node:assert/strict";
import { ByteTokenizer } from "../../../data/mod.ts";
import type { Gpt2 } from "../../../models/mod.ts";
import { huggingFaceFolder } from "../../../train/mod.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";
import { PROJECT, runDeno, temporaryFolder } from "../../cli/_helpers.ts";
import { byteCheckpoint, tinyGpt2 } from "./_exported_model.ts";

const PROMPT = "Wörld 1";
const TOKENS = 12;

gpuTest("an exported folder generates our tokens in @huggingface/transformers", async () => {
  const model = tinyGpt2();
  const { files } = await huggingFaceFolder(await byteCheckpoint(model), "tiny");
  await using folder = await temporaryFolder();
  await Deno.mkdir(`${folder.path}/tiny/onnx`, { recursive: true });
  for (const [path, contents] of files) {
    const bytes = typeof contents === "string" ? new TextEncoder().encode(contents) : contents;
    await Deno.writeFile(`${folder.path}/tiny/${path}`, bytes);
  }
  const child = [`${PROJECT}tests/train/export/_generate_with_transformers.ts`, folder.path];
  const { code, stdout, stderr } = await runDeno([
    "run",
    "--quiet",
    "--no-prompt",
    "--no-lock",
    "--allow-read",
    "--allow-env",
    "--allow-sys",
    "--allow-ffi",
    ...child,
    "tiny",
    PROMPT,
    `${TOKENS}`,
  ]);
  if (code === 3) {
    console.warn(`skipped: @huggingface/transformers could not be loaded (${lastLine(stderr)})`);
    model.dispose();
    return;
  }
  assert.equal(code, 0, stderr);
  const theirs = JSON.parse(stdout);
  const tokenizer = new ByteTokenizer();
  const prompt = [...tokenizer.encode(PROMPT)];
  assert.deepEqual(theirs.prompt, prompt);
  assert.deepEqual(theirs.ids, await generateGreedily(model, prompt));
  assert.equal(theirs.text, tokenizer.decode(theirs.ids));
  model.dispose();
});

/** The prompt and the tokens our decoder finds likeliest, up to the end-of-text token. */
async function generateGreedily(model: Gpt2, prompt: number[]): Promise<number[]> {
  const ids = [...prompt];
  const decoder = model.decoder(1);
  for (let i = 0; ids.length < prompt.length + TOKENS; i++) {
    const token = gpu.tensor(Int32Array.of(ids[i]), [1]);
    const logits = decoder.step(token);
    token.dispose();
    const values = await gpu.readFloats(logits);
    logits.dispose();
    if (i + 1 < ids.length) continue;
    ids.push(values.indexOf(values.reduce((a, b) => Math.max(a, b))));
    if (ids.at(-1) === new ByteTokenizer().specials.endOfText) break;
  }
  decoder.dispose();
  return ids;
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
