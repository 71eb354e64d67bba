import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, withDefault } from "@optique/core/modifiers";
import { argument, command, constant, flag } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { type CorpusName, openCorpus, originOf, SOURCES } from "../../data/mod.ts";
import { didYouMean } from "../did_you_mean.ts";
import type { Host } from "../host.ts";
import { UserError } from "../user_error.ts";

/** `data [id...] [--fetch] [--json]` */
export const dataCommand = command(
  "data",
  object({
    command: constant("data"),
    ids: multiple(argument(string({ metavar: "SOURCE" }))),
    fetch: withDefault(
      flag("--fetch", {
        description: message`Fetch what is missing and check every split against its checksum.`,
      }),
      false,
    ),
    json: withDefault(
      flag("--json", { description: message`Print JSON for another program.` }),
      false,
    ),
  }),
  { description: message`List the data sets with their licences; fetch and verify them.` },
);

interface SplitState {
  readonly split: string;
  /** Expected checksum; null where the first download is trusted. */
  readonly sha256: string | null;
  readonly status: "listed" | "verified" | "failed";
  readonly detail: string;
}

/** Lists the sources, and with `fetch` loads each split, which verifies it. Exit code 1 on failure. */
export async function runData(
  options: { ids: readonly string[]; fetch: boolean; json: boolean },
  host: Host,
): Promise<number> {
  const known = SOURCES.map(({ id }) => id);
  const unknown = options.ids.find((id) => !known.includes(id));
  if (unknown !== undefined) {
    throw new UserError(`Cannot find data source "${unknown}"` + didYouMean(unknown, known));
  }
  const rows = [];
  for (const source of SOURCES) {
    if (options.ids.length > 0 && !options.ids.includes(source.id)) continue;
    const { origin: from, revision } = originOf(source);
    const origin = revision === null ? from : `${from} at ${revision}`;
    const splits: SplitState[] = [];
    for (const [split, { sha256 = null }] of Object.entries(source.splits)) {
      splits.push(
        options.fetch
          ? await verify(source.id, split, sha256, host)
          : { split, sha256, status: "listed", detail: "" },
      );
    }
    rows.push({ id: source.id, title: source.title, licence: source.licence, origin, splits });
  }
  if (options.json) host.print(JSON.stringify(rows, null, 2));
  else {
    for (const { id, title, licence, origin, splits } of rows) {
      host.print(`${id}  ${title}`);
      host.print(`  Licence: ${licence}`);
      host.print(`  Origin: ${origin}`);
      for (const { split, sha256, status, detail } of splits) {
        const pin = sha256 ? `sha256 ${sha256.slice(0, 16)}...` : "no checksum known yet";
        host.print(`  ${split.padEnd(14)} ${status.padEnd(9)} ${detail || pin}`);
      }
    }
  }
  return rows.some(({ splits }) => splits.some(({ status }) => status === "failed")) ? 1 : 0;
}

async function verify(
  id: string,
  split: string,
  sha256: string | null,
  host: Host,
): Promise<SplitState> {
  try {
    const loaded = await openCorpus(id as CorpusName, { store: host }).load(split);
    const detail = `${loaded.documents.length} documents, sha256 ${loaded.sha256.slice(0, 16)}...`;
    return { split, sha256: loaded.sha256, status: "verified", detail };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { split, sha256, status: "failed", detail };
  }
}
