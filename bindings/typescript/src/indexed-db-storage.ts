// IndexedDB as the storage, for pages, workers and service workers.

import { StorageFailure } from "./errors.js";
import { acknowledge, expect } from "./storage.js";
import type { Storage, StorageAck, StorageChange, StorageSnapshot } from "./storage.js";
import { alone } from "./web-lock.js";

const ENTRIES = "entries";
const META = "meta";
const VERSION = "version";

/**
 * Keeps bytes in a database of IndexedDB. Several tabs and workers may share one: a write is one transaction that compares the version,
 * under a Web Lock, so that they write one after another.
 */
export class IndexedDbStorage implements Storage {
  readonly #name: string;
  #database: Promise<IDBDatabase> | undefined;

  constructor(name = "saldo") {
    this.#name = name;
  }

  async load(): Promise<StorageSnapshot> {
    return this.#named(async () => {
      const database = await this.#open();
      const transaction = database.transaction([ENTRIES, META], "readonly");
      const [names, values, version] = await Promise.all([
        result(transaction.objectStore(ENTRIES).getAllKeys()),
        result(transaction.objectStore(ENTRIES).getAll() as IDBRequest<Uint8Array[]>),
        result(transaction.objectStore(META).get(VERSION) as IDBRequest<bigint | undefined>),
      ]);
      const entries = names.map((name, index): [string, Uint8Array] => [String(name), values[index] as Uint8Array]);
      return { entries, version: version ?? 0n };
    });
  }

  async apply(changes: readonly StorageChange[], expectedVersion: bigint): Promise<StorageAck> {
    return this.#named(() =>
      alone(`saldo:${this.#name}`, async () => {
        const database = await this.#open();
        const transaction = database.transaction([ENTRIES, META], "readwrite", { durability: "strict" });
        const done = completed(transaction);
        // The transaction reports what fails. Without this, a browser reports it a second time.
        done.catch(() => {});
        const [entries, meta] = [transaction.objectStore(ENTRIES), transaction.objectStore(META)];
        const version = ((await result(meta.get(VERSION))) as bigint | undefined) ?? 0n;
        try {
          expect(version, expectedVersion);
        } catch (conflict) {
          transaction.abort();
          throw conflict;
        }
        for (const { name, value } of changes) {
          if (value === undefined) entries.delete(name);
          else entries.put(value, name);
        }
        meta.put(version + 1n, VERSION);
        const written = await Promise.all(
          changes.map(async ({ name }): Promise<[string, Uint8Array | undefined]> => {
            return [name, (await result(entries.get(name))) as Uint8Array | undefined];
          }),
        );
        await done;
        return acknowledge(written, version + 1n);
      }),
    );
  }

  /** Closes the database, for example before it is deleted. The next call opens it again. */
  async close(): Promise<void> {
    const database = this.#database;
    this.#database = undefined;
    (await database?.catch(() => undefined))?.close();
  }

  #open(): Promise<IDBDatabase> {
    this.#database ??= openDatabase(this.#name, () => (this.#database = undefined)).catch((error: unknown) => {
      this.#database = undefined;
      throw error;
    });
    return this.#database;
  }

  /** Gives what IndexedDB throws a name. */
  async #named<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof StorageFailure) throw error;
      const name = error instanceof DOMException ? error.name : "";
      if (name === "QuotaExceededError") throw new StorageFailure("full");
      // The browser closed the database, for example because the user cleared it.
      if (name === "InvalidStateError") this.#database = undefined;
      throw new StorageFailure("unexpected", name);
    }
  }
}

function openDatabase(name: string, closed: () => void): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(ENTRIES);
    request.result.createObjectStore(META);
  };
  return result(request).then((database) => {
    database.onclose = closed;
    database.onversionchange = () => {
      database.close();
      closed();
    };
    return database;
  });
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error ?? new StorageFailure("unexpected", "aborted"));
  });
}
