import { brotliDecompressSync } from "node:zlib";
import { type Host, joinPath } from "../host.ts";
import { UserError } from "../user_error.ts";
import { fetchArchive } from "./fetch_archive.ts";
import { type DriverFile, SWIFTSHADER } from "./swiftshader.ts";
import { readTar } from "./tar.ts";

/** Where the bundled driver lies and whether this call had to unpack it. */
export interface BundledDriver {
  /** Folder of the driver and the Vulkan loader, relative to the project like `host.cacheDir`. */
  readonly folder: string;
  /** Path of the ICD manifest inside {@link folder}. */
  readonly manifest: string;
  /** False when every file was there with the right checksum. */
  readonly unpacked: boolean;
}

/** Options of {@link ensureBundledDriver}. */
export interface BundledDriverOptions {
  /** Absolute path of the cache folder; the manifest must name the driver absolutely. */
  absoluteCacheDir: string;
  /** Called before the archive is fetched. */
  onUnpack?: () => void;
  /** Gives the compressed archive. @default {fetchArchive} */
  fetchArchive?: () => Promise<Uint8Array<ArrayBuffer>>;
}

/** Folder of the unpacked driver under a cache folder. */
export function bundledDriverFolder(cacheDir: string): string {
  return joinPath(cacheDir, "adapter", `swiftshader-${SWIFTSHADER.version}`);
}

/**
 * Makes sure that the SwiftShader driver lies unpacked in the cache. Files are checked by SHA-256
 * on every call, so a truncated or changed entry is replaced; each is written under a temporary
 * name and renamed, so two processes that start at once end with the same whole files.
 *
 * @throws {UserError} When the archive cannot be fetched or is not the pinned one.
 */
export async function ensureBundledDriver(
  host: Host,
  options: BundledDriverOptions,
): Promise<BundledDriver> {
  const folder = bundledDriverFolder(host.cacheDir);
  const manifest = joinPath(folder, "vk_swiftshader_icd.json");
  const stale: DriverFile[] = [];
  for (const file of SWIFTSHADER.files) {
    const bytes = await host.readFile(joinPath(folder, file.name));
    if (!bytes || !await matches(bytes, file)) stale.push(file);
  }
  if (stale.length > 0) {
    options.onUnpack?.();
    const contents = await unpack(await (options.fetchArchive ?? fetchArchive)());
    for (const file of stale) {
      await host.writeFileAtomic(joinPath(folder, file.name), contents.get(file.name)!);
    }
  }
  const driverPath = joinPath(bundledDriverFolder(options.absoluteCacheDir), SWIFTSHADER.driver);
  const manifestText = JSON.stringify({
    file_format_version: "1.0.0",
    ICD: { library_path: driverPath, api_version: "1.0.5" },
  });
  // The project folder may have been moved since the last start.
  if (await host.readText(manifest) !== manifestText) {
    await host.writeFileAtomic(manifest, manifestText);
  }
  return { folder, manifest, unpacked: stale.length > 0 };
}

/** Checks the archive against its pin and gives the wanted files by name. */
async function unpack(archive: Uint8Array<ArrayBuffer>): Promise<Map<string, Uint8Array>> {
  if (archive.length !== SWIFTSHADER.archiveBytes) {
    throw damaged(`it has ${archive.length} bytes, expected ${SWIFTSHADER.archiveBytes}`);
  }
  const sum = await sha256(archive);
  if (sum !== SWIFTSHADER.archiveSha256) {
    throw damaged(`its SHA-256 is ${sum}, expected ${SWIFTSHADER.archiveSha256}`);
  }
  const tar = brotliDecompressSync(archive, { maxOutputLength: SWIFTSHADER.tarBytes });
  const entries = readTar(new Uint8Array(tar));
  const files = new Map<string, Uint8Array>();
  for (const file of SWIFTSHADER.files) {
    const entry = entries.find((candidate) => candidate.name === file.name);
    if (!entry || !await matches(entry.bytes, file)) {
      throw damaged(`${file.name} in it is not the expected file`);
    }
    files.set(file.name, entry.bytes);
  }
  return files;
}

function damaged(reason: string): UserError {
  return new UserError(
    `Cannot unpack the software adapter from ${SWIFTSHADER.package} ${SWIFTSHADER.version}: ` +
      `${reason}; remove the package from Deno's cache (deno clean) and start again`,
    1,
  );
}

async function matches(bytes: Uint8Array<ArrayBuffer>, file: DriverFile): Promise<boolean> {
  return bytes.length === file.bytes && await sha256(bytes) === file.sha256;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
