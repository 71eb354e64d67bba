/** A store in memory, with the network of the test. */

import type { NetworkStore } from "../../data/data_store.ts";

/** Keeps files in a map; `variables` are the environment. */
export class MemoryStore implements NetworkStore {
  readonly cacheDir = "cache";
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly variables: Record<string, string> = {};

  readFile(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return Promise.resolve(this.files.get(path));
  }

  writeFileAtomic(path: string, contents: Uint8Array | string): Promise<void> {
    this.files.set(path, toBytes(contents));
    return Promise.resolve();
  }

  appendFile(path: string, contents: Uint8Array | string): Promise<void> {
    const before = this.files.get(path) ?? new Uint8Array();
    const added = toBytes(contents);
    const joined = new Uint8Array(before.length + added.length);
    joined.set(before);
    joined.set(added, before.length);
    this.files.set(path, joined);
    return Promise.resolve();
  }

  remove(path: string): Promise<void> {
    this.files.delete(path);
    return Promise.resolve();
  }

  rename(from: string, to: string): Promise<void> {
    const file = this.files.get(from);
    if (file === undefined) return Promise.reject(new Error(`no file ${from}`));
    this.files.set(to, file);
    this.files.delete(from);
    return Promise.resolve();
  }

  env(name: string): string | undefined {
    return this.variables[name];
  }

  fetch(input: string | URL, init?: RequestInit): Promise<Response> {
    return fetch(input, init);
  }
}

function toBytes(contents: Uint8Array | string): Uint8Array<ArrayBuffer> {
  return typeof contents === "string" ? new TextEncoder().encode(contents) : contents.slice();
}
