/** A safetensors file that is not what it claims to be. */
export class SafetensorsError extends Error {
  override readonly name = "SafetensorsError";
}
