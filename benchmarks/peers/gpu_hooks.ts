/**
 * Watches every WebGPU device of this process from outside, whichever library made it: the calls are counted on the prototypes, so
 * all libraries are seen by the same rule.
 */

/** What a watcher is told. Every call names the device it belongs to. */
export interface GpuWatcher {
  device?(device: GPUDevice): void;
  createBuffer?(device: GPUDevice, buffer: GPUBuffer, bytes: number): void;
  /** Called once per buffer, also where a library destroys it twice. */
  destroyBuffer?(device: GPUDevice, bytes: number): void;
  dispatch?(device: GPUDevice): void;
  submit?(device: GPUDevice): void;
  /** May return timestamp writes for a pass that has none of its own. */
  beginPass?(device: GPUDevice): GPUComputePassTimestampWrites | undefined;
}

const watchers = new Set<GpuWatcher>();
const deviceOf = new WeakMap<object, GPUDevice>();
const bytesOf = new WeakMap<GPUBuffer, number>();
let restore: (() => void) | undefined;

/** Starts telling a watcher; returns a function that stops it. The hooks go in with the first watcher and out with the last. */
export function watchGpu(watcher: GpuWatcher): () => void {
  restore ??= install();
  watchers.add(watcher);
  return () => {
    watchers.delete(watcher);
    if (watchers.size > 0) return;
    restore?.();
    restore = undefined;
  };
}

/** Makes a device known that was opened before the hooks went in. */
export function knowDevice(device: GPUDevice): void {
  deviceOf.set(device.queue, device);
}

/** Replaces methods of a prototype; returns a function that puts the old ones back. */
function replace<T extends object>(prototype: T, methods: Partial<T>): () => void {
  const old = Object.fromEntries(
    Object.keys(methods).map((name) => [name, prototype[name as keyof T]]),
  );
  Object.assign(prototype, methods);
  return () => void Object.assign(prototype, old);
}

function install(): () => void {
  const adapter = GPUAdapter.prototype;
  const device = GPUDevice.prototype;
  const buffer = GPUBuffer.prototype;
  const encoder = GPUCommandEncoder.prototype;
  const pass = GPUComputePassEncoder.prototype;
  const queue = GPUQueue.prototype;
  const {
    requestDevice,
  } = adapter;
  const { createBuffer, createCommandEncoder } = device;
  const { destroy } = buffer;
  const { beginComputePass } = encoder;
  const { dispatchWorkgroups, dispatchWorkgroupsIndirect } = pass;
  const { submit } = queue;
  const dispatched = (target: object) => {
    const owner = deviceOf.get(target);
    if (owner) { for (const watcher of watchers) watcher.dispatch?.(owner); }
  };
  const undo = [
    replace(adapter, {
      async requestDevice(this: GPUAdapter, descriptor?: GPUDeviceDescriptor) {
        const made = await requestDevice.call(this, withTimestamps(this, descriptor));
        knowDevice(made);
        for (const watcher of watchers) watcher.device?.(made);
        return made;
      },
    }),
    replace(device, {
      createBuffer(this: GPUDevice, descriptor: GPUBufferDescriptor) {
        const made = createBuffer.call(this, descriptor);
        deviceOf.set(made, this);
        bytesOf.set(made, descriptor.size);
        for (const watcher of watchers) watcher.createBuffer?.(this, made, descriptor.size);
        return made;
      },
      createCommandEncoder(this: GPUDevice, descriptor?: GPUCommandEncoderDescriptor) {
        const made = createCommandEncoder.call(this, descriptor);
        deviceOf.set(made, this);
        return made;
      },
    }),
    replace(buffer, {
      destroy(this: GPUBuffer) {
        const owner = deviceOf.get(this);
        const bytes = bytesOf.get(this);
        if (owner && bytes !== undefined) {
          bytesOf.delete(this);
          for (const watcher of watchers) watcher.destroyBuffer?.(owner, bytes);
        }
        return destroy.call(this);
      },
    }),
    replace(encoder, {
      beginComputePass(this: GPUCommandEncoder, descriptor?: GPUComputePassDescriptor) {
        const owner = deviceOf.get(this);
        let described = descriptor;
        if (owner && !descriptor?.timestampWrites) {
          for (const watcher of watchers) {
            const timestampWrites = watcher.beginPass?.(owner);
            if (timestampWrites) described = { ...descriptor, timestampWrites };
          }
        }
        const made = beginComputePass.call(this, described);
        if (owner) deviceOf.set(made, owner);
        return made;
      },
    }),
    replace(pass, {
      dispatchWorkgroups(this: GPUComputePassEncoder, x: number, y?: number, z?: number) {
        dispatched(this);
        return dispatchWorkgroups.call(this, x, y, z);
      },
      dispatchWorkgroupsIndirect(this: GPUComputePassEncoder, from: GPUBuffer, offset: number) {
        dispatched(this);
        return dispatchWorkgroupsIndirect.call(this, from, offset);
      },
    }),
    replace(queue, {
      submit(this: GPUQueue, buffers: Iterable<GPUCommandBuffer>) {
        const owner = deviceOf.get(this);
        if (owner) { for (const watcher of watchers) watcher.submit?.(owner); }
        return submit.call(this, buffers as GPUCommandBuffer[]);
      },
    }),
  ];
  return () => undo.forEach((put) => put());
}

/** Asks for timestamps where the adapter has them: a clock changes no result and no other limit. */
function withTimestamps(
  adapter: GPUAdapter,
  descriptor: GPUDeviceDescriptor = {},
): GPUDeviceDescriptor {
  const wanted = [...descriptor.requiredFeatures ?? []];
  if (!adapter.features.has("timestamp-query") || wanted.includes("timestamp-query")) {
    return descriptor;
  }
  return { ...descriptor, requiredFeatures: [...wanted, "timestamp-query"] };
}
