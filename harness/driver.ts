import type { AdapterInfo } from "../engine/adapter_info.ts";
import { SWIFTSHADER } from "./adapter/swiftshader.ts";
import type { Host } from "./host.ts";
import { runProgram } from "./run_program.ts";

/** Driver version and device memory, `null` where unknown. */
export interface DriverDescription {
  readonly driver: string | null;
  readonly memoryBytes: number | null;
}

/**
 * WebGPU hides the driver's version, so it is asked elsewhere: NVIDIA's own tool, the version in
 * Mesa's software adapter name, the pin of the bundled adapter.
 */
export async function describeDriver(info: AdapterInfo, host: Host): Promise<DriverDescription> {
  if (/nvidia|geforce|quadro|tesla/i.test(`${info.vendor} ${info.description}`)) {
    return await askNvidia() ?? { driver: null, memoryBytes: null };
  }
  if (/swiftshader/i.test(info.description)) {
    const bundled = host.env("ATTENTION_BENCH_ADAPTER") === "bundled";
    const driver = bundled ? `SwiftShader of Chromium ${SWIFTSHADER.version}` : "SwiftShader";
    return { driver, memoryBytes: null };
  }
  const llvm = info.description.match(/LLVM [\d.]+/)?.[0];
  return { driver: llvm ? `Mesa llvmpipe (${llvm})` : null, memoryBytes: null };
}

async function askNvidia(): Promise<DriverDescription | undefined> {
  const output = await runProgram("nvidia-smi", [
    "--query-gpu=driver_version,memory.total",
    "--format=csv,noheader,nounits",
  ]);
  if (!output) return undefined;
  // One line per GPU; WebGPU picks the first.
  const [version, mebibytes] = new TextDecoder().decode(output).split("\n")[0].split(",");
  const memory = Number(mebibytes) * 2 ** 20;
  return {
    driver: version.trim() ? `NVIDIA ${version.trim()}` : null,
    memoryBytes: Number.isSafeInteger(memory) && memory > 0 ? memory : null,
  };
}
