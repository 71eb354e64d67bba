/**
 * WGSL twin of `engine/random.ts`: the same bits for the same (seed, stream, index), so a value drawn in a kernel can be checked, or
 * drawn again, on the CPU.
 */
export const RANDOM_WGSL: string = `
fn hash4(counter: vec4u) -> vec4u {
  var v = counter * 1664525u + 1013904223u;
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  v ^= v >> vec4u(16u);
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  return v;
}
// Uniform in [0, 1) with 24 random bits; every such number is exact in f32.
fn uniform01(index: u32, stream: u32, seed: u32) -> f32 {
  return f32(hash4(vec4u(index, stream, seed, 0u)).x >> 8u) * 0x1p-24f;
}
`;
