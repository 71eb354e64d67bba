/** Typed errors of the engine. Each says what was wrong, the value, what was expected and the next step. */

/** No WebGPU adapter could be had on this machine. */
export class NoAdapterError extends Error {
  override readonly name = "NoAdapterError";
  constructor(readonly reason: string) {
    super(
      `Cannot open a GPU: ${reason}; install a driver (on Debian the package mesa-vulkan-drivers gives a software ` +
        `one) or run through the command line, which unpacks a bundled software adapter on Linux x64`,
    );
  }
}

/** An allocation passes the memory budget or a limit of the adapter. */
export class GpuOutOfMemoryError extends RangeError {
  override readonly name = "GpuOutOfMemoryError";
  constructor(readonly requestedBytes: number, readonly limitBytes: number, what: string) {
    super(
      `Cannot allocate ${what}: ${requestedBytes} bytes requested, at most ${limitBytes} bytes allowed; ` +
        `use a smaller batch, context or preset`,
    );
  }
}

/** One tensor is larger than the adapter lets a kernel bind. */
export class BindingTooLargeError extends RangeError {
  override readonly name = "BindingTooLargeError";
  constructor(readonly bytes: number, readonly limitBytes: number, what: string) {
    super(
      `Cannot bind ${what}: it is ${bytes} bytes, the adapter's maxStorageBufferBindingSize is ${limitBytes}; ` +
        `split it (batch, heads or chunks) so that each part fits`,
    );
  }
}

/** The WebGPU implementation refused a shader, a bind group or a command. */
export class GpuValidationError extends Error {
  override readonly name = "GpuValidationError";
  constructor(readonly kernel: string, detail: string) {
    super(`Cannot run kernel ${kernel}: ${detail}`);
  }
}

/** The device went away (driver reset, adapter unplugged, `destroy`). */
export class DeviceLostError extends Error {
  override readonly name = "DeviceLostError";
  constructor(readonly reason: string) {
    super(
      `Cannot continue on this GPU: the device was lost (${reason}); open a new Gpu and resume`,
    );
  }
}

/** Shapes that do not fit together; raised on the CPU before anything is dispatched. */
export class ShapeError extends RangeError {
  override readonly name = "ShapeError";
}

/** A tensor was used after its memory went back to the pool. */
export class UseAfterFreeError extends ReferenceError {
  override readonly name = "UseAfterFreeError";
  constructor(what: string) {
    super(
      `Cannot use ${what}: its memory was already released; keep it with tensor.keep() or return it from the scope`,
    );
  }
}
