import { baseName, type Host, joinPath, StorageError } from "../host.ts";
import { UserError } from "../user_error.ts";
import { stagingFolder } from "./export_folder.ts";

/** Marks a folder that is being filled as ours; no folder without it is ever removed. */
export const STAGING_MARK = ".attention-bench-partial";

/**
 * Makes sure that a folder can be made under this name, before any work is done for it.
 *
 * @param action What is to be done, for the message: "export".
 * @throws {UserError} If it holds something, or is no folder that a new one can take the place of.
 */
export async function requireFree(host: Host, folder: string, action: string): Promise<void> {
  const refuse = (problem: string) => {
    throw new UserError(`Cannot ${action} to ${folder}: ${problem} name another with --out`);
  };
  if (["", ".", ".."].includes(baseName(folder))) {
    refuse("it is a folder that cannot be replaced, expected the name of a new one;");
  }
  let used: boolean;
  try {
    if (await host.isLink(folder)) {
      refuse("it is a symbolic link, expected a new folder; name the folder itself or");
    }
    used = (await host.list(folder)).length > 0;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    return refuse("it is no folder;");
  }
  if (used) refuse("the folder is not empty; remove it or");
  await requireOwnStaging(host, folder);
}

/**
 * Makes a folder that is there whole or not at all: it is filled beside its final name and renamed at the end.
 *
 * @param fill Writes the files into the folder it is given.
 * @throws {UserError} If something of another's lies where it is filled.
 */
export async function makeFolder(
  host: Host,
  folder: string,
  fill: (staging: string) => Promise<void>,
): Promise<void> {
  const staging = stagingFolder(folder);
  const mark = joinPath(staging, STAGING_MARK);
  await requireOwnStaging(host, folder);
  // Left by a run that was killed.
  await host.remove(staging);
  try {
    await host.writeFileAtomic(mark, "");
    await fill(staging);
    await host.remove(mark);
    await host.rename(staging, folder);
  } catch (error) {
    await host.remove(staging);
    throw error;
  }
}

async function requireOwnStaging(host: Host, folder: string): Promise<void> {
  const staging = stagingFolder(folder);
  let own = false;
  try {
    const entries = await host.list(staging);
    own = entries.length === 0 || entries.some(({ name }) => name === STAGING_MARK);
    own &&= !await host.isLink(staging);
  } catch (error) {
    // Something else than a folder.
    if (!(error instanceof StorageError)) throw error;
  }
  if (own) return;
  throw new UserError(
    `Cannot write to ${folder}: ${staging}, where it is put together, holds files of others; ` +
      "move them away or name another with --out",
  );
}
