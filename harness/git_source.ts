import type { RunResult } from "./result_schema.ts";
import { runProgram } from "./run_program.ts";

/** Revision of the code, as results record it. */
export type GitSource = RunResult["source"];

const UNKNOWN: GitSource = { commit: null, commitDate: null, dirty: null, diffSha256: null };

/** Runs git with arguments; `undefined` when it fails. */
export type RunGit = (args: string[]) => Promise<Uint8Array<ArrayBuffer> | undefined>;

/**
 * Commit, its date, whether tracked files differ from it, and the SHA-256 of that difference.
 * Published results do not count as a difference: a run writes them itself. Everything is `null`
 * outside a repository, without git, or without permission to run it.
 */
export async function readGitSource(
  git: RunGit = (args) => runProgram("git", args),
): Promise<GitSource> {
  const head = await text(git, ["log", "-1", "--format=%H %cI"]);
  if (!head) return UNKNOWN;
  const [commit, commitDate] = head.split(" ");
  const paths = ["--", ".", ":(exclude)results"];
  const status = await text(git, ["status", "--porcelain", "--untracked-files=normal", ...paths]);
  if (status === undefined) return { ...UNKNOWN, commit, commitDate };
  const dirty = status !== "";
  const diff = dirty ? await git(["diff", "HEAD", "--binary", ...paths]) : undefined;
  const diffSha256 = diff
    ? new Uint8Array(await crypto.subtle.digest("SHA-256", diff)).toHex()
    : null;
  return { commit, commitDate, dirty, diffSha256 };
}

async function text(git: RunGit, args: string[]): Promise<string | undefined> {
  const output = await git(args);
  return output && new TextDecoder().decode(output).trim();
}
