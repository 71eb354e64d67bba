/**
 * What to install where no GPU is found, as one clause.
 *
 * @param os `Deno.build.os`.
 * @param arch `Deno.build.arch`.
 */
export function installHint(os: string, arch: string): string {
  switch (os) {
    case "linux":
      return "install the GPU maker's Vulkan driver (NVIDIA: the proprietary one; AMD and Intel: " +
        "Debian and Ubuntu: apt install mesa-vulkan-drivers libvulkan1, Fedora: dnf install " +
        "mesa-vulkan-drivers vulkan-loader)" +
        (arch === "x86_64" ? "" : "; Mesa's package also brings the software driver llvmpipe");
    case "darwin":
      return "macOS has Metal built in: check that the machine has a Metal GPU (in a virtual " +
        "machine turn on paravirtualised graphics) and that macOS is 13 or newer";
    case "windows":
      return "install the GPU maker's driver with DirectX 12 or Vulkan; Windows 10 and 11 also carry " +
        "the software adapter WARP, which needs the optional feature Graphics Tools";
    default:
      return "install a Vulkan driver for this system";
  }
}

/** True where the bundled software adapter runs. */
export function hasBundledAdapter(os: string, arch: string): boolean {
  return os === "linux" && arch === "x86_64";
}
