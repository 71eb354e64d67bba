import { writeSafetensors } from "../../../train/safetensors.ts";
import { type GoldenArchitecture, goldenTensors } from "./_lsg_golden.ts";

/** Files of the golden source as a checkpoint folder, by name. */
export function goldenFiles(given: GoldenArchitecture): Map<string, Uint8Array> {
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value, null, 2));
  const tensors = [...goldenTensors(given)].map(([key, { shape, data }]) =>
    [key, { shape, data: new Float32Array(data.buffer) }] as const
  );
  return new Map([
    ["config.json", json(given.config)],
    ["tokenizer_config.json", json(given.tokenizer)],
    ["vocab.txt", new TextEncoder().encode("<s>\n<pad>\n</s>\n<unk>\n<mask>\n")],
    ["model.safetensors", writeSafetensors(new Map(tensors), { format: "pt", note: "kept" })],
  ]);
}

/** Writes files into a folder, which is made. */
export async function writeFiles(folder: string, files: ReadonlyMap<string, Uint8Array>) {
  await Deno.mkdir(folder, { recursive: true });
  for (const [name, bytes] of files) await Deno.writeFile(`${folder}/${name}`, bytes);
}

/** The same files with the weights split in two, as large checkpoints are. */
export function splitFiles(
  given: GoldenArchitecture,
  isFirst: (key: string, place: number) => boolean,
): Map<string, Uint8Array> {
  const files = goldenFiles(given);
  files.delete("model.safetensors");
  const all = [...goldenTensors(given)];
  const weightMap: Record<string, string> = {};
  for (const number of [1, 2]) {
    const name = `model-0000${number}-of-00002.safetensors`;
    const part = all.filter(([key], i) => isFirst(key, i) === (number === 1));
    for (const [key] of part) weightMap[key] = name;
    const tensors = part.map(([key, { shape, data }]) =>
      [key, { shape, data: new Float32Array(data.buffer) }] as const
    );
    files.set(name, writeSafetensors(new Map(tensors), { format: "pt" }));
  }
  const index = { metadata: { total_size: 1, origin: "test" }, weight_map: weightMap };
  files.set("model.safetensors.index.json", new TextEncoder().encode(JSON.stringify(index)));
  return files;
}
