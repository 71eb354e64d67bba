import { fetchHubFile } from "../../data/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import type { LsgConfig } from "./config.ts";

/** A file of the published encoder. */
export async function fetchEncoderFile(
  context: TaskContext,
  { encoder: { repo, revision } }: LsgConfig,
  path: string,
): Promise<Uint8Array> {
  const { bytes, sha256, trust } = await fetchHubFile(
    { kind: "model", repo, revision, path },
    {
      store: context.host,
      signal: context.signal,
      warn: (message: string) => context.log(message),
    },
  );
  context.data({
    ...{ id: `${repo}/${path}`, origin: repo, revision, sha256, bytes: bytes.length },
    licence: "as stated in the repository",
    note: trust === "pinned" ? "" : "unpinned: trusted on first use",
  });
  return bytes;
}
