import { BindingTooLargeError } from "./errors.ts";
import type { Gpu } from "./gpu.ts";
import type { MemoryTag, Storage } from "./memory.ts";
import { Parameter } from "./parameter.ts";
import type { Initializer } from "./random.ts";
import { type Shape, sizeOf, Tensor } from "./tensor.ts";

/** Options of one parameter. */
export interface ParameterOptions {
  /** Whether weight decay applies. @default {true for two and more dimensions} */
  readonly decay?: boolean;
  /** @default {true} */
  readonly trainable?: boolean;
}

/** A contiguous run of parameters that one optimizer dispatch updates. */
export interface ParameterGroup {
  readonly decay: boolean;
  readonly trainable: boolean;
  /** All values of the group, flat. */
  readonly values: Tensor;
  /** All gradients of the group, flat, in the same order; missing when frozen. */
  readonly gradients: Tensor | undefined;
  readonly parameters: readonly Parameter[];
}

interface Declared {
  readonly parameter: Parameter;
  readonly init: Initializer;
}

/** Offsets inside a group must be bindable on every adapter. */
const ALIGNMENT = 256;

/**
 * The parameters of a model. They are declared one by one and then placed together: all of one kind (decayed or not, trainable or
 * not) lie in one buffer, so the optimizer and the gradient norm need one dispatch a group. Groups over the adapter's binding limit are
 * split.
 */
export class ParameterSet implements Iterable<Parameter> {
  #declared: Declared[] = [];
  #byName = new Map<string, Parameter>();
  #groups: ParameterGroup[] = [];
  #offsets = new Map<string, { offset: number; group: string }>();
  #next = new Map<string, number>();
  #allocated = false;

  /**
   * @param gpu Where the values live.
   * @param seed Seed of the initial values; the same seed gives the same bits on every adapter.
   * @param trainable False for the name of a parameter freezes it, whatever its own options say.
   */
  constructor(
    readonly gpu: Gpu,
    readonly seed: number,
    private readonly trainable: (name: string) => boolean = () => true,
  ) {}

  /** Declares a parameter. Its memory comes with `allocate`. */
  add(name: string, shape: Shape, init: Initializer, options: ParameterOptions = {}): Parameter {
    if (this.#allocated) {
      throw new TypeError(`Cannot add parameter ${name}: the set is already allocated`);
    }
    if (this.#byName.has(name)) {
      throw new TypeError(`Cannot add parameter ${name}: the name is taken`);
    }
    const decay = options.decay ?? shape.length >= 2;
    const trainable = (options.trainable ?? true) && this.trainable(name);
    const bytes = Math.ceil(sizeOf(shape) * 4 / ALIGNMENT) * ALIGNMENT;
    const limit = this.gpu.info.limits.maxStorageBufferBindingSize;
    if (bytes > limit) throw new BindingTooLargeError(bytes, limit, `parameter ${name}`);
    const { group, offset } = this.#reserve(`${decay}/${trainable}`, bytes, limit);
    const parameter = new Parameter(this.gpu, name, shape, { decay, trainable }, offset);
    this.#offsets.set(name, { offset, group });
    this.#byName.set(name, parameter);
    this.#declared.push({ parameter, init });
    return parameter;
  }

  /** Places the parameters in GPU memory and fills in their initial values. Gradients get memory too unless frozen. */
  allocate(): this {
    this.#allocated = true;
    for (const [group, bytes] of this.#next) {
      const members = this.#declared.filter((d) =>
        this.#offsets.get(d.parameter.name)!.group === group
      );
      this.#groups.push(this.#placeGroup(members, bytes));
    }
    return this;
  }

  get groups(): readonly ParameterGroup[] {
    return this.#groups;
  }

  /** Number of trained and frozen values. */
  get count(): number {
    return this.#declared.reduce((sum, d) => sum + d.parameter.size, 0);
  }

  /** Number of trained values. */
  get trainableCount(): number {
    return this.#declared.reduce(
      (sum, d) => sum + (d.parameter.trainable ? d.parameter.size : 0),
      0,
    );
  }

  get(name: string): Parameter {
    const parameter = this.#byName.get(name);
    if (!parameter) {
      throw new TypeError(
        `Cannot find parameter ${name}: the model has ${[...this.#byName.keys()].join(", ")}`,
      );
    }
    return parameter;
  }

  /** In order of declaration. */
  [Symbol.iterator](): Iterator<Parameter> {
    return this.#declared.map((d) => d.parameter)[Symbol.iterator]();
  }

  /** Marks all gradients as empty. */
  clearGradients(): void {
    for (const { parameter } of this.#declared) parameter.clearGradient();
  }

  /** Gives all memory back. */
  dispose(): void {
    for (const { values, gradients, parameters } of this.#groups) {
      parameters.forEach((p) => p.dispose());
      values.dispose();
      gradients?.dispose();
    }
    this.#groups = [];
  }

  /** A group splits where it would pass the binding limit. */
  #reserve(kind: string, bytes: number, limit: number): { group: string; offset: number } {
    let part = 0;
    while ((this.#next.get(`${kind}/${part}`) ?? 0) + bytes > limit) part++;
    const group = `${kind}/${part}`;
    const offset = this.#next.get(group) ?? 0;
    this.#next.set(group, offset + bytes);
    return { group, offset };
  }

  #placeGroup(members: readonly Declared[], bytes: number): ParameterGroup {
    const { decay, trainable } = members[0].parameter;
    const values = this.#flat(bytes, "parameters");
    const gradients = trainable ? this.#flat(bytes, "gradients") : undefined;
    const host = new Float32Array(bytes / 4);
    for (const { parameter, init } of members) {
      const start = parameter.byteOffset / 4;
      init(host.subarray(start, start + parameter.size), this.seed, parameter.name);
      const gradient = gradients &&
        this.#part(gradients.storage, parameter.shape, parameter.byteOffset);
      values.storage.refs++;
      parameter.placeAt(values.storage, gradient);
      parameter.keep();
    }
    this.gpu.upload(values, host);
    return { decay, trainable, values, gradients, parameters: members.map((d) => d.parameter) };
  }

  /** Zeroed: the padding between parameters takes part in the gradient norm. */
  #flat(bytes: number, tag: MemoryTag): Tensor {
    return this.gpu.zeros([bytes / 4], "f32", tag).keep();
  }

  #part(storage: Storage, shape: Shape, byteOffset: number): Tensor {
    // Lives as long as the flat buffer and is never disposed on its own, so it holds no reference.
    return new Tensor(this.gpu, shape, "f32", storage, byteOffset);
  }
}
