// A file as the storage, for Node.

import { randomUUID } from "node:crypto";
import { open, readFile, rename, stat, unlink } from "node:fs/promises";
import { resolve } from "node:path";

import { decode, encode } from "./encoded.js";
import type { Kept } from "./encoded.js";
import { StorageFailure } from "./errors.js";
import { acknowledge, change, expect } from "./storage.js";
import type { Storage, StorageAck, StorageChange, StorageSnapshot } from "./storage.js";

/** How long a lock may be held before it counts as left over. A write takes milliseconds. */
const LOCK_STALE_MS = 5_000;
/** How long a write waits for the lock of another process. */
const LOCK_PATIENCE_MS = 8_000;

/** The writes of this process, one after another for each file. */
const queues = new Map<string, Promise<unknown>>();

/**
 * Keeps bytes in one file, which only its owner can read. It is replaced at once, so that a crash leaves the old content or the new one.
 * Several clients and several processes may share one.
 */
export class FileStorage implements Storage {
  readonly #path: string;

  constructor(path: string) {
    this.#path = resolve(path);
  }

  async load(): Promise<StorageSnapshot> {
    return this.#read();
  }

  async apply(changes: readonly StorageChange[], expectedVersion: bigint): Promise<StorageAck> {
    return this.#alone(async () => {
      const { entries, version } = await this.#read();
      expect(version, expectedVersion);
      const written = change(entries, changes);
      await this.#write({ entries, version: version + 1n });
      return acknowledge(written, version + 1n);
    });
  }

  async #read(): Promise<Kept> {
    let bytes: Uint8Array;
    try {
      bytes = await readFile(this.#path);
    } catch (error) {
      if (code(error) === "ENOENT") return { entries: new Map(), version: 0n };
      throw failure(error);
    }
    return decode(bytes);
  }

  async #write(kept: Kept): Promise<void> {
    const temporary = `${this.#path}.${randomUUID()}`;
    try {
      const file = await open(temporary, "wx", 0o600);
      try {
        await file.writeFile(encode(kept));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, this.#path);
    } catch (error) {
      await unlink(temporary).catch(() => {});
      throw failure(error);
    }
  }

  /** Runs `write` while no other client of this process, and no other process, writes. */
  async #alone<T>(write: () => Promise<T>): Promise<T> {
    const before = queues.get(this.#path) ?? Promise.resolve();
    const mine = before.then(() => this.#locked(write));
    const settled = mine.catch(() => {});
    queues.set(this.#path, settled);
    try {
      return await mine;
    } finally {
      if (queues.get(this.#path) === settled) queues.delete(this.#path);
    }
  }

  async #locked<T>(write: () => Promise<T>): Promise<T> {
    const path = `${this.#path}.lock`;
    const until = Date.now() + LOCK_PATIENCE_MS;
    for (;;) {
      try {
        await (await open(path, "wx", 0o600)).close();
        break;
      } catch (error) {
        if (code(error) !== "EEXIST") throw failure(error);
      }
      const held = await stat(path).catch(() => undefined);
      if (held !== undefined && Date.now() - held.mtimeMs > LOCK_STALE_MS) await unlink(path).catch(() => {});
      else if (Date.now() > until) throw new StorageFailure("in_use");
      else await new Promise((done) => setTimeout(done, 10));
    }
    try {
      return await write();
    } finally {
      await unlink(path).catch(() => {});
    }
  }
}

function code(error: unknown): string {
  return String((error as { code?: unknown } | undefined)?.code);
}

function failure(error: unknown): StorageFailure {
  if (error instanceof StorageFailure) return error;
  switch (code(error)) {
    case "ENOSPC":
    case "EDQUOT":
      return new StorageFailure("full");
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new StorageFailure("read_only");
    default:
      return new StorageFailure("unexpected", code(error));
  }
}
