// Entries and their version as one text or one run of bytes, for storages that keep one value.

import { StorageFailure } from "./errors.js";

/** Everything that a storage keeps. */
export interface Kept {
  readonly entries: Map<string, Uint8Array>;
  readonly version: bigint;
}

const MAGIC = "saldo-storage-1\n";
/** More than saldo keeps. A larger value is no storage of saldo. */
const MOST_BYTES = 64 << 20;

/** Returns `kept` as bytes: a first line that names the format, a sum of what follows, the version, and the entries with their lengths. */
export function encode({ entries, version }: Kept): Uint8Array {
  const encoder = new TextEncoder();
  const named = [...entries].map(([name, value]): [Uint8Array, Uint8Array] => [encoder.encode(name), value]);
  const length = named.reduce((sum, [name, value]) => sum + 8 + name.length + value.length, MAGIC.length + 16);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  bytes.set(encoder.encode(MAGIC));
  let at = MAGIC.length + 4;
  view.setBigUint64(at, version);
  view.setUint32(at + 8, named.length);
  at += 12;
  for (const [name, value] of named) {
    view.setUint32(at, name.length);
    view.setUint32(at + 4, value.length);
    bytes.set(name, at + 8);
    bytes.set(value, at + 8 + name.length);
    at += 8 + name.length + value.length;
  }
  view.setUint32(MAGIC.length, sum(bytes.subarray(MAGIC.length + 4)));
  return bytes;
}

/** Reads what `encode` returned. Throws `damaged` if it is anything else. */
export function decode(bytes: Uint8Array): Kept {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = MAGIC.length + 16;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    if (bytes.length > MOST_BYTES || bytes.length < start) throw damaged();
    if (decoder.decode(bytes.subarray(0, MAGIC.length)) !== MAGIC) throw damaged();
    if (view.getUint32(MAGIC.length) !== sum(bytes.subarray(MAGIC.length + 4))) throw damaged();
    const version = view.getBigUint64(MAGIC.length + 4);
    const entries = new Map<string, Uint8Array>();
    let at = start;
    for (let left = view.getUint32(start - 4); left > 0; left -= 1) {
      const [name, value] = [view.getUint32(at), view.getUint32(at + 4)];
      const end = at + 8 + name + value;
      if (end > bytes.length) throw damaged();
      entries.set(decoder.decode(bytes.subarray(at + 8, at + 8 + name)), bytes.slice(at + 8 + name, end));
      at = end;
    }
    if (at !== bytes.length) throw damaged();
    return { entries, version };
  } catch {
    // Beyond the end, or no UTF-8.
    throw damaged();
  }
}

/** Adler-32: it notices a write that was cut off. saldo itself verifies what it reads. */
function sum(bytes: Uint8Array): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return ((b << 16) | a) >>> 0;
}

function damaged(): StorageFailure {
  return new StorageFailure("damaged");
}
