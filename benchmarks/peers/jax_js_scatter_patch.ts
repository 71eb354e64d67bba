/** Helper of jax-js that adds to a float in storage through a pointer argument. */
const HELPER =
  /fn atomic_add_f32\(address: ptr<storage, atomic<u32>, read_write>, value: f32\) \{([\s\S]*?)\n\}/;
const CALL = /atomic_add_f32\(&output\[([^\]]+)\],/g;

/** Why the shader is rewritten; goes into the notes of every row that depends on it. */
export const SCATTER_NOTE =
  "embedding gradient shader rewritten: as shipped it passes a storage pointer to a function, which Deno's compiler rejects";

/**
 * Rewrites jax-js's scatter-add shader so that it takes an index instead of a storage pointer: pointers to storage as function arguments
 * need a WGSL extension that not every compiler has. The arithmetic is unchanged.
 *
 * @returns The text, as it was where it holds no such helper.
 */
export function rewriteScatter(code: string): string {
  if (!HELPER.test(code)) return code;
  return code
    .replace(
      HELPER,
      (_, body: string) =>
        `fn atomic_add_f32(place: u32, value: f32) {${
          body.replaceAll("(address", "(&output[place]")
        }\n}`,
    )
    .replace(CALL, "atomic_add_f32(u32($1),");
}

/** Makes one device compile jax-js's scatter-add. */
export function patchJaxScatter(device: GPUDevice): void {
  const createShaderModule = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) =>
    createShaderModule({ ...descriptor, code: rewriteScatter(descriptor.code) });
}
