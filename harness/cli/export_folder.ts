/** Folder that `export` writes to: the one named, or the checkpoint's name without its ending. */
export function exportFolder(checkpoint: string, out?: string): string {
  const folder = out ?? checkpoint.replace(/\.safetensors$/, "");
  // A path without an ending must not name the checkpoint itself.
  const named = folder === checkpoint && out === undefined ? `${folder}-export` : folder;
  return named.replace(/(?<=.)\/+$/, "");
}

/** Folder that is filled first and then renamed, so that nothing half-written is left under the final name. */
export function stagingFolder(folder: string): string {
  return `${folder}.partial`;
}
