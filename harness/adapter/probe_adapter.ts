import { describeAdapter } from "../../engine/adapter_info.ts";
import { NATIVE_BACKENDS, type ProbeResult } from "./select_adapter.ts";

/**
 * Asks this process's WebGPU for its best adapter without opening a device. Sets two environment
 * variables first where they are unset: the back ends to look at, and a runtime folder, without
 * which Mesa prints a warning per call.
 *
 * @param runtimeDir An existing folder for `XDG_RUNTIME_DIR`.
 */
export async function probeAdapter(runtimeDir: string): Promise<ProbeResult> {
  if (Deno.env.get("DENO_WEBGPU_BACKEND") === undefined) {
    Deno.env.set("DENO_WEBGPU_BACKEND", NATIVE_BACKENDS);
  }
  if (Deno.build.os === "linux" && !Deno.env.get("XDG_RUNTIME_DIR")) {
    Deno.env.set("XDG_RUNTIME_DIR", runtimeDir);
  }
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  return adapter ? describeAdapter(adapter, []).class : "none";
}
