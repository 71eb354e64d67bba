import { CONVERT_VALUE_OPTIONS } from "./cli/convert_options.ts";
import { exportFolder, stagingFolder } from "./cli/export_folder.ts";
import type { Host } from "./host.ts";
import { UserError } from "./user_error.ts";

/** True for command lines that open a GPU device. */
export function needsAdapter(args: readonly string[]): boolean {
  const [command] = args;
  return command === "bench" || command === "doctor" ||
    (command === "convert" && args.includes("--check"));
}

/** Environment variables that the suite reads; everything else stays unreadable. */
export const READABLE_VARIABLES: readonly string[] = [
  "ATTENTION_BENCH_*",
  "CI",
  "COLUMNS",
  "DENO_WEBGPU_BACKEND",
  "FORCE_COLOR",
  "GITHUB_*",
  "HF_ENDPOINT",
  "HF_HUB_OFFLINE",
  "HF_TOKEN",
  "HOME",
  "JOB_COMPLETION_*",
  "LD_LIBRARY_PATH",
  "LP_NUM_THREADS",
  "NODE_DISABLE_COLORS",
  "NO_COLOR",
  "PATH",
  "SHELL",
  "SLURM_*",
  "TERM",
  "VK_DRIVER_FILES",
  "VK_ICD_FILENAMES",
];

/** Hosts of the data hub; a test server or mirror is added from `HF_ENDPOINT`. */
const HUB_HOSTS = ["huggingface.co", "*.huggingface.co", "*.hf.co"];

/** Programs that only describe the machine, used where they are installed. */
const DESCRIBING_PROGRAMS = ["git", "nvidia-smi"];

/**
 * Deno permission flags for a command line: reading the project, writing the cache and the results
 * folder, and the files and folders that the arguments themselves name.
 *
 * @param args Arguments as typed; the first one is the command.
 */
export function workerPermissions(args: readonly string[], host: Host): string[] {
  const command = args[0] ?? "";
  const named = namedPaths(args);
  const output = optionValues(args, "--out");
  const flags = [
    list("--allow-read", [".", ...named, ...output]),
    list("--allow-env", READABLE_VARIABLES),
  ];
  switch (command) {
    case "bench":
    case "doctor":
      flags.push(
        list("--allow-write", [host.cacheDir, host.resultsDir, ...output]),
        "--allow-sys=cpus,osRelease,systemMemoryInfo",
      );
      if (command === "bench") flags.push(list("--allow-net", hubHosts(host)));
      flags.push(...describingPrograms(host));
      break;
    case "export": {
      const [checkpoint = ""] = positionals(args, ["--out"]);
      const folder = exportFolder(checkpoint, output[0]);
      requireNoComma(command, folder);
      flags[0] = list("--allow-read", [".", ...named, folder, stagingFolder(folder)]);
      flags.push(list("--allow-write", [folder, stagingFolder(folder)]));
      break;
    }
    case "convert": {
      const [checkpoint = ""] = positionals(args, CONVERT_VALUE_OPTIONS);
      const [folder] = output.map((path) => exportFolder("", path));
      requireNoComma(command, checkpoint, folder);
      // Without --out the worker only says that it is missing.
      const written = folder === undefined ? [] : [folder, stagingFolder(folder)];
      flags[0] = list("--allow-read", [".", ...named, checkpoint, ...written]);
      // A folder is read where it lies; anything else is fetched into the cache.
      if (isFolder(checkpoint)) {
        if (written.length > 0) flags.push(list("--allow-write", written));
      } else {
        flags.push(
          list("--allow-write", [host.cacheDir, ...written]),
          list("--allow-net", hubHosts(host)),
        );
      }
      break;
    }
    case "report":
      flags.push(list("--allow-write", [host.resultsDir, ...output, ...named]));
      break;
    case "compare":
      flags.push(list("--allow-write", [host.resultsDir, ...output]));
      break;
    case "data":
      flags.push(
        list("--allow-write", [host.cacheDir]),
        list("--allow-net", hubHosts(host)),
      );
      break;
  }
  return flags;
}

function list(flag: string, values: readonly string[]): string {
  // A comma separates values in these flags; a path that holds one cannot be passed.
  const usable = values.filter((value) => value !== "" && !value.includes(","));
  return `${flag}=${[...new Set(usable)].join(",")}`;
}

/** @throws {UserError} For a path that cannot be passed, and that the command does nothing without. */
function requireNoComma(command: string, ...paths: (string | undefined)[]): void {
  const path = paths.find((path) => path?.includes(","));
  if (path === undefined) return;
  throw new UserError(
    `Cannot ${command}: the path ${path} holds a comma, expected none, since permissions are lists ` +
      "of paths with commas between them; choose another name",
  );
}

/** Positional arguments that look like a file or folder, with the folder that a file lies in. */
function namedPaths(args: readonly string[]): string[] {
  return args.slice(1).filter((arg) => !arg.startsWith("-") && /[/\\.]/.test(arg)).flatMap(
    (path) => {
      const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
      // Reports and charts are written beside the result file.
      return path.endsWith(".json") && end > 0 ? [path.slice(0, end)] : [path];
    },
  );
}

/** Arguments after the command that are neither options nor their values. */
function positionals(args: readonly string[], valueOptions: readonly string[]): string[] {
  return args.slice(1).filter((arg, i) => !arg.startsWith("-") && !valueOptions.includes(args[i]));
}

function optionValues(args: readonly string[], option: string): string[] {
  return args.flatMap((arg, i) =>
    arg === option && i + 1 < args.length
      ? [args[i + 1]]
      : arg.startsWith(`${option}=`)
      ? [arg.slice(option.length + 1)]
      : []
  );
}

function hubHosts(host: Host): string[] {
  const endpoint = host.env("HF_ENDPOINT");
  if (!endpoint || !URL.canParse(endpoint)) return HUB_HOSTS;
  return [...HUB_HOSTS, new URL(endpoint).host];
}

/** `--allow-run` for those programs that exist; Deno complains about names it cannot find. */
function describingPrograms(host: Host): string[] {
  const separator = Deno.build.os === "windows" ? ";" : ":";
  const suffix = Deno.build.os === "windows" ? ".exe" : "";
  const folders = (host.env("PATH") ?? "").split(separator).filter(Boolean);
  const found = DESCRIBING_PROGRAMS.flatMap((name) => {
    const path = folders.map((folder) => `${folder}/${name}${suffix}`).find(isFile);
    return path === undefined ? [] : [path];
  });
  return found.length > 0 ? [list("--allow-run", found)] : [];
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
