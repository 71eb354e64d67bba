import { type Host, StorageError } from "../host.ts";
import { UserError } from "../user_error.ts";
import { stagingFolder } from "./export_folder.ts";

/**
 * Makes sure that a folder can be made under this name.
 *
 * @param action What is to be done, for the message: "export".
 * @throws {UserError} If it holds something, or is no folder.
 */
export async function requireFree(host: Host, folder: string, action: string): Promise<void> {
  let used: boolean;
  try {
    used = (await host.list(folder)).length > 0;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    throw new UserError(`Cannot ${action} to ${folder}: it is no folder; name another with --out`);
  }
  if (used) {
    throw new UserError(
      `Cannot ${action} to ${folder}: the folder is not empty; remove it or name another with --out`,
    );
  }
}

/**
 * Makes a folder that is there whole or not at all: it is filled beside its final name and renamed at the end.
 *
 * @param fill Writes the files into the folder it is given.
 */
export async function makeFolder(
  host: Host,
  folder: string,
  fill: (staging: string) => Promise<void>,
): Promise<void> {
  const staging = stagingFolder(folder);
  // Left by a run that was killed.
  await host.remove(staging);
  try {
    await fill(staging);
    await host.rename(staging, folder);
  } catch (error) {
    await host.remove(staging);
    throw error;
  }
}
