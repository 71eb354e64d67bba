import type { ArtifactStore } from "../contract.ts";
import { type Host, joinPath } from "../host.ts";

/** Checks the name of an artifact or attachment: a relative path of harmless parts. */
export function checkName(name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/.test(name)) {
    throw new RangeError(
      `Cannot use the file name ${JSON.stringify(name)}: expected letters, digits, ".", "_", "-" ` +
        'and "/" between parts',
    );
  }
  return name;
}

/** Artifacts in a folder of the host. */
export function createArtifactStore(host: Host, folder: string): ArtifactStore {
  const at = (name: string) => joinPath(folder, checkName(name));
  return {
    read: async (name) => await host.readFile(at(name)),
    write: (name, bytes) => host.writeFileAtomic(at(name), bytes),
    remove: (name) => host.remove(at(name)),
  };
}
