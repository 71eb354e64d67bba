import { DataChecksumError, DataUnavailableError, fetchHubFile, HubError } from "../../data/mod.ts";
import { type Host, joinPath, StorageError } from "../host.ts";
import { UserError } from "../user_error.ts";

/** The files of a checkpoint in the Hugging Face layout, in a folder or on a hub. */
export interface CheckpointFiles {
  /** What to call it in messages. */
  readonly label: string;
  /** Path of a file on this machine, fetched where needed; undefined where the checkpoint has none. */
  path(name: string): Promise<string | undefined>;
  /** Text of a file of moderate size; undefined where there is none. */
  text(name: string): Promise<string | undefined>;
}

/** Configuration files, vocabularies and indices are smaller. */
const MAX_TEXT_BYTES = 256 << 20;
/** Largest file fetched: the weights of the largest models that can be converted have 2.5 GB. */
const MAX_HUB_BYTES = 2 ** 33;

/** True for a name that may be a repository of a hub: `owner/name`, or `name` alone. */
export function looksLikeHubId(checkpoint: string): boolean {
  return /^[A-Za-z0-9][\w.-]*(?:\/[A-Za-z0-9][\w.-]*)?$/.test(checkpoint);
}

/**
 * Opens a checkpoint: a folder where there is one of that name, else a repository of the hub.
 *
 * @param revision Branch, tag or commit of the repository.
 * @throws {UserError} If it is neither.
 */
export async function openCheckpointFiles(
  host: Host,
  checkpoint: string,
  revision: string,
): Promise<CheckpointFiles> {
  const local = await isFolder(host, checkpoint);
  if (!local && !looksLikeHubId(checkpoint)) {
    throw new UserError(
      `Cannot convert ${checkpoint}: there is no such folder; expected one that holds config.json ` +
        "and model.safetensors, or the name of a hub repository (owner/name)",
    );
  }
  const path = local
    ? async (name: string) => {
      const found = joinPath(checkpoint, name);
      return await host.fileSize(found) === undefined ? undefined : found;
    }
    : (name: string) => hubPath(host, checkpoint, revision, name);
  return {
    label: checkpoint,
    path,
    text: async (name) => {
      const found = await path(name);
      if (found === undefined) return undefined;
      const size = await host.fileSize(found) ?? 0;
      if (size > MAX_TEXT_BYTES) {
        throw new UserError(
          `Cannot convert ${checkpoint}: ${name} has ${size} bytes, expected at most ` +
            `${MAX_TEXT_BYTES}; check the checkpoint`,
        );
      }
      return await host.readText(found);
    },
  };
}

async function isFolder(host: Host, path: string): Promise<boolean> {
  try {
    return (await host.list(path)).length > 0;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    throw new UserError(
      `Cannot convert ${path}: it is no folder that can be read; expected one that holds ` +
        "config.json and model.safetensors",
      2,
      { cause: error },
    );
  }
}

async function hubPath(
  host: Host,
  repo: string,
  revision: string,
  name: string,
): Promise<string | undefined> {
  try {
    const file = { kind: "model", repo, revision, path: name } as const;
    const options = {
      store: host,
      maxBytes: MAX_HUB_BYTES,
      warn: (s: string) => host.printError(s),
    };
    return (await fetchHubFile(file, options)).path;
  } catch (error) {
    if (error instanceof HubError && error.status === 404) return undefined;
    if (
      error instanceof HubError || error instanceof DataUnavailableError ||
      error instanceof DataChecksumError || error instanceof RangeError
    ) {
      throw new UserError(
        `${error.message} (there is no folder ${repo} either)`,
        error instanceof RangeError ? 2 : 1,
        { cause: error },
      );
    }
    throw error;
  }
}
