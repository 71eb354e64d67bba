import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { argument, command, constant, option } from "@optique/core/primitives";
import { path } from "@optique/run/valueparser";
import { huggingFaceFolder, SafetensorsError } from "../../train/mod.ts";
import { type Host, joinPath, StorageError } from "../host.ts";
import { UserError } from "../user_error.ts";
import { exportFolder } from "./export_folder.ts";
import { makeFolder, requireFree } from "./new_folder.ts";

/** `export checkpoint [--out folder]` */
export const exportCommand = command(
  "export",
  object({
    command: constant("export"),
    checkpoint: argument(path({ metavar: "CHECKPOINT" }), {
      description: message`Weights that a finished run left in the cache's checkpoints folder.`,
    }),
    out: optional(
      option("--out", path({ metavar: "FOLDER" }), {
        description:
          message`New folder to write; by default the checkpoint's name without its ending.`,
      }),
    ),
  }),
  {
    description:
      message`Write trained weights as a folder that Hugging Face libraries and ONNX runtimes load.`,
  },
);

/**
 * Writes the folder and prints its files, one a line. It is filled beside its final name and renamed at the end.
 *
 * @throws {UserError} If the file is no checkpoint that can be exported or the folder is in use; nothing is left behind.
 */
export async function runExport(
  options: { readonly checkpoint: string; readonly out: string | undefined },
  host: Host,
): Promise<number> {
  const { checkpoint } = options;
  const folder = exportFolder(checkpoint, options.out);
  const bytes = await readCheckpointFile(host, checkpoint);
  await requireFree(host, folder, "export");
  const { files, notes } = await convert(bytes, checkpoint);
  await makeFolder(host, folder, async (staging) => {
    for (const [name, contents] of files) {
      await host.writeFileAtomic(joinPath(staging, name), contents);
    }
  });
  for (const name of files.keys()) host.print(joinPath(folder, name));
  for (const note of notes) host.printError(`Note: ${note}`);
  return 0;
}

async function readCheckpointFile(host: Host, path: string): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined;
  try {
    bytes = await host.readFile(path);
  } catch (error) {
    // A folder, or a file that may not be read.
    if (error instanceof StorageError) throw new UserError(error.message, 2, { cause: error });
    throw error;
  }
  if (bytes) return bytes;
  throw new UserError(
    `Cannot export ${path}: there is no such file; expected a checkpoint (.safetensors), such as ` +
      `those a finished run leaves in ${joinPath(host.cacheDir, "checkpoints")}`,
  );
}

async function convert(bytes: Uint8Array, name: string) {
  try {
    return await huggingFaceFolder(bytes, name);
  } catch (error) {
    if (error instanceof SafetensorsError || error instanceof RangeError) {
      throw new UserError(error.message, 2, { cause: error });
    }
    throw error;
  }
}
