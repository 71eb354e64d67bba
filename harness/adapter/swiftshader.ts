/**
 * What the suite knows about the bundled software adapter: SwiftShader, a Vulkan driver that runs
 * on the processor (Apache-2.0), as packed in the npm package `@sparticuz/chromium` (MIT) together
 * with the Vulkan loader. Nothing of it is part of this repository.
 * @module
 */

/** A file of the archive that the adapter needs. */
export interface DriverFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** The pinned archive; sums measured on the published package. */
export const SWIFTSHADER = {
  package: "@sparticuz/chromium",
  version: "153.0.0",
  /** Length and sum of `bin/swiftshader.tar.br`. */
  archiveBytes: 1_637_479,
  archiveSha256: "b680e40a33235ecc6ad4c6897a168b70ce5164f0d62d2a64d675320d51614631",
  /** Length after decompression; decompressing stops there. */
  tarBytes: 7_485_440,
  driver: "libvk_swiftshader.so",
  files: [
    {
      name: "libvk_swiftshader.so",
      bytes: 6_004_808,
      sha256: "2f3ceffaaca7d031bc3943f8eacf398a5d9c42c5fe0d15d8840b9acfa630b58e",
    },
    {
      name: "libvulkan.so.1",
      bytes: 833_304,
      sha256: "8ee5ac00fd7968e863b05e0f6808057db16a00ad322777e5a05bed51d4f84085",
    },
  ],
} as const satisfies {
  package: string;
  version: string;
  archiveBytes: number;
  archiveSha256: string;
  tarBytes: number;
  driver: string;
  files: readonly DriverFile[];
};
