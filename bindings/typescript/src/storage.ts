// What an app's own storage must do, and what the storages of this package share.

import { StorageFailure } from "./errors.js";

/** Keeps bytes under names, with a version, in the app's private storage. */
export interface Storage {
  /** Reads everything that is kept, as it was at one moment, with the version of that moment. A new storage has version 0. */
  load(): Promise<StorageSnapshot>;

  /**
   * Writes all of `changes` if the version is still `expectedVersion`, or else nothing of it and throws the `StorageFailure`
   * `conflict`. Durable when it completes. It is never aborted.
   */
  apply(changes: readonly StorageChange[], expectedVersion: bigint): Promise<StorageAck>;
}

/** Everything that is kept. */
export interface StorageSnapshot {
  readonly entries: Iterable<readonly [name: string, value: Uint8Array]>;
  /** The version; 0 for a storage into which nothing was written yet. */
  readonly version: bigint;
}

/** One change of what is kept. */
export interface StorageChange {
  /** The name, of printable ASCII, at most 224 bytes. */
  readonly name: string;
  /** What is kept under it from now on; `undefined`: the entry is removed. */
  readonly value: Uint8Array | undefined;
}

/** What a storage has written, counted from what it wrote and not from what it was given. saldo compares it. */
export interface StorageAck {
  /** The version after the write: another than it ever was before, and not 0. */
  readonly version: bigint;
  /** The number of changes, removals included. */
  readonly written: number;
  /** The sum of all bytes of the names (UTF-8) and the values, modulo 2³². */
  readonly checksum: number;
}

/** Counts what was written: the names, each with the bytes now under it, `undefined` if it was removed. */
export function acknowledge(
  written: Iterable<readonly [name: string, value: Uint8Array | undefined]>,
  version: bigint,
): StorageAck {
  const encoder = new TextEncoder();
  let count = 0;
  let checksum = 0;
  for (const [name, value] of written) {
    count += 1;
    for (const byte of encoder.encode(name)) checksum = (checksum + byte) >>> 0;
    for (const byte of value ?? []) checksum = (checksum + byte) >>> 0;
  }
  return { version, written: count, checksum };
}

/** Applies `changes` to `entries`, and returns what is now under each name that was changed. */
export function change(
  entries: Map<string, Uint8Array>,
  changes: readonly StorageChange[],
): [string, Uint8Array | undefined][] {
  for (const { name, value } of changes) {
    if (value === undefined) entries.delete(name);
    else entries.set(name, value);
  }
  return changes.map(({ name }) => [name, entries.get(name)]);
}

/** Throws `conflict` if the storage has another version than the caller expects. */
export function expect(version: bigint, expected: bigint): void {
  if (version !== expected) throw new StorageFailure("conflict");
}
