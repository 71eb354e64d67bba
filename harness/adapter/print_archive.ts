/**
 * Prints the compressed SwiftShader archive on standard output.
 *
 * A program of its own, run as a child with no permission at all and with its own lock file
 * (`swiftshader.lock`): the npm package weighs 70 MB, and whatever the main lock file lists is
 * downloaded by every user, also by those who have a GPU. See `fetch_archive.ts`.
 * @module
 */

// Imported as bytes, so none of the package's code runs; it only has to be in the module graph for
// `import.meta.resolve` to know its folder. The package exports its entry alone, hence the detour.
import "npm:@sparticuz/chromium@153.0.0" with { type: "bytes" };

const entry = import.meta.resolve("npm:@sparticuz/chromium@153.0.0");
const url = new URL("../bin/swiftshader.tar.br", entry).href;
const archive: { default: Uint8Array<ArrayBuffer> } = await import(url, { with: { type: "bytes" } });
await new Blob([archive.default]).stream().pipeTo(Deno.stdout.writable);
