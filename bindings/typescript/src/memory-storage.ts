// A storage that lasts as long as the page or the process.

import { acknowledge, change, expect } from "./storage.js";
import type { Storage, StorageAck, StorageChange, StorageSnapshot } from "./storage.js";

/** Keeps bytes in memory. Several clients may share one. */
export class MemoryStorage implements Storage {
  readonly #entries = new Map<string, Uint8Array>();
  #version = 0n;

  async load(): Promise<StorageSnapshot> {
    return { entries: [...this.#entries], version: this.#version };
  }

  async apply(changes: readonly StorageChange[], expectedVersion: bigint): Promise<StorageAck> {
    expect(this.#version, expectedVersion);
    const written = change(this.#entries, changes);
    this.#version += 1n;
    return acknowledge(written, this.#version);
  }
}
