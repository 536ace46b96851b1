// `chrome.storage.local` as the storage, for extensions.

import { decode, encode } from "./encoded.js";
import type { Kept } from "./encoded.js";
import { StorageFailure } from "./errors.js";
import { acknowledge, change, expect } from "./storage.js";
import type { Storage, StorageAck, StorageChange, StorageSnapshot } from "./storage.js";
import { alone } from "./web-lock.js";

/** What is used of `chrome.storage.local`, or of `browser.storage.local`. */
export interface ExtensionArea {
  get(key: string): Promise<Record<string, unknown>>;
  set(items: Record<string, unknown>): Promise<void>;
}

/** Keeps bytes under one key of an extension's local storage. Its pages and its service worker may share one. */
export class ExtensionStorage implements Storage {
  readonly #area: ExtensionArea;
  readonly #key: string;

  /** Without `area`, it is `chrome.storage.local`. */
  constructor(area?: ExtensionArea, key = "saldo") {
    const own = (globalThis as { chrome?: { storage?: { local?: ExtensionArea } } }).chrome?.storage?.local;
    const given = area ?? own;
    if (given === undefined) throw new TypeError("there is no chrome.storage.local here: add the permission `storage`");
    this.#area = given;
    this.#key = key;
  }

  async load(): Promise<StorageSnapshot> {
    return this.#read();
  }

  async apply(changes: readonly StorageChange[], expectedVersion: bigint): Promise<StorageAck> {
    return alone(`saldo:extension:${this.#key}`, async () => {
      const { entries, version } = await this.#read();
      expect(version, expectedVersion);
      change(entries, changes);
      await this.#write({ entries, version: version + 1n });
      // Counted from what is there now.
      const kept = await this.#read();
      if (kept.version !== version + 1n) throw new StorageFailure("conflict");
      const written = changes.map(({ name }): [string, Uint8Array | undefined] => [name, kept.entries.get(name)]);
      return acknowledge(written, kept.version);
    });
  }

  async #read(): Promise<Kept> {
    let text: unknown;
    try {
      text = (await this.#area.get(this.#key))[this.#key];
    } catch {
      throw new StorageFailure("unexpected");
    }
    if (text === undefined) return { entries: new Map(), version: 0n };
    if (typeof text !== "string") throw new StorageFailure("damaged");
    return decode(fromBase64(text));
  }

  async #write(kept: Kept): Promise<void> {
    try {
      await this.#area.set({ [this.#key]: toBase64(encode(kept)) });
    } catch (error) {
      throw new StorageFailure(/quota/i.test(String(error)) ? "full" : "unexpected");
    }
  }
}

// The area keeps what JSON can express.
function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4_096) text += String.fromCharCode(...bytes.subarray(at, at + 4_096));
  return btoa(text);
}

function fromBase64(text: string): Uint8Array {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw new StorageFailure("damaged");
  }
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
