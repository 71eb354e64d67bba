import { type Host, joinPath } from "../host.ts";
import { readExactly } from "./checkpoint_weights.ts";

/** Bytes held at a time while a file is copied. */
const COPY_BYTES = 16 << 20;

/** Writes files of one folder and keeps their names. */
export class FolderWriter {
  constructor(
    readonly host: Host,
    readonly folder: string,
    readonly names: string[],
  ) {}

  async json(name: string, value: unknown): Promise<void> {
    this.names.push(name);
    const text = JSON.stringify(value, null, 2) + "\n";
    await this.host.writeFileAtomic(joinPath(this.folder, name), text);
  }

  /** Begins a file, which is there from then on; call {@link append} and {@link copy} for its contents. */
  async begin(name: string): Promise<void> {
    this.names.push(name);
    await this.append(name, new Uint8Array());
  }

  async append(name: string, bytes: Uint8Array): Promise<void> {
    await this.host.appendFile(joinPath(this.folder, name), bytes);
  }

  /** Appends bytes of another file, a piece at a time. */
  async copy(name: string, path: string, begin: number, end: number): Promise<void> {
    for (let at = begin; at < end; at += COPY_BYTES) {
      const bytes = await readExactly(this.host, path, at, Math.min(end, at + COPY_BYTES));
      await this.append(name, bytes);
    }
  }
}
