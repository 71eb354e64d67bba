/** What is known of the adapter behind a `Gpu`. */
export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** Software adapters (llvmpipe, SwiftShader, WARP) are never ranked with hardware. */
  readonly class: "hardware" | "software";
  readonly isFallbackAdapter: boolean;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly hasTimestamps: boolean;
}

const SOFTWARE = /llvmpipe|lavapipe|swiftshader|software|basic render|warp\b/i;

/** Limits the engine asks for in full; the alignments are asked for because lower is better. */
const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxUniformBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupsPerDimension",
  "minUniformBufferOffsetAlignment",
  "minStorageBufferOffsetAlignment",
] as const;

/** The limits of an adapter or device that matter here, as a plain record. */
export function limitsOf(limits: GPUSupportedLimits): Record<string, number> {
  return Object.fromEntries(LIMITS.map((name) => [name, Number(limits[name])]));
}

/** Reads everything the suite reports about an adapter. */
export function describeAdapter(adapter: GPUAdapter, features: readonly string[]): AdapterInfo {
  const { vendor, architecture, device, description } = adapter.info;
  const isFallbackAdapter = Boolean(
    (adapter.info as { isFallbackAdapter?: boolean }).isFallbackAdapter,
  );
  const software = isFallbackAdapter ||
    SOFTWARE.test(`${vendor} ${architecture} ${device} ${description}`);
  return {
    vendor,
    architecture,
    device,
    description,
    class: software ? "software" : "hardware",
    isFallbackAdapter,
    features,
    limits: limitsOf(adapter.limits),
    hasTimestamps: features.includes("timestamp-query"),
  };
}
