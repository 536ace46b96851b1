// Loads the client for other languages as a WebAssembly module, and calls it by the C functions of UniFFI.
// Usage: node ffi.mjs MODULE. Ends with status 0 only if everything passed.

import { ok, deepStrictEqual as equal } from "node:assert";
import { readFileSync } from "node:fs";

import { check, finish, module } from "./checks.mjs";

const names = WebAssembly.Module.exports(module).map((each) => each.name);
const of = (part) => `uniffi_saldo_ffi_fn_${part}`;

check("the module imports nothing: no wasm-bindgen, no system", () => {
  equal(WebAssembly.Module.imports(module), []);
});
check("a client is made with the clock of the app, and not with a thread", () => {
  ok(names.includes(of("constructor_saldoclient_with_clock")));
  ok(!names.includes(of("constructor_saldoclient_new")));
  for (const given of ["clock", "httptransport", "storage", "logsink"]) {
    ok(names.includes(of(`init_callback_vtable_${given}`)), given);
  }
  for (const method of ["balance", "read", "finalized", "last", "watch", "refresh", "totals", "health", "shutdown"]) {
    ok(names.includes(of(`method_saldoclient_${method}`)), method);
  }
});

/** One instance. UniFFI passes structures by their address: a buffer is its capacity, its length (8 bytes each) and its address. */
class Library {
  constructor() {
    this.wasm = new WebAssembly.Instance(module, {}).exports;
    // A page of its own, which the module's allocator does not know.
    this.page = this.wasm.memory.grow(1) * 65_536;
  }

  get #view() {
    return new DataView(this.wasm.memory.buffer);
  }

  /** Calls `name` and returns the bytes that it returns. Each text among the arguments becomes a buffer. */
  call(name, ...given) {
    const [result, status] = [this.page, this.page + 64];
    const argument = (value, index) => (typeof value === "string" ? this.#buffer(value, this.page + 128 + 64 * index) : value);
    const args = given.map(argument);
    this.#view.setInt8(status, 0);
    this.wasm[name](result, ...args, status);
    const code = this.#view.getInt8(status);
    return { code, bytes: this.#bytes(code === 0 ? result : status + 8) };
  }

  text(name, ...given) {
    const { code, bytes } = this.call(name, ...given);
    equal(code, 0);
    return Buffer.from(bytes).toString();
  }

  #buffer(text, at) {
    const content = Buffer.from(text);
    const source = this.page + 4_096;
    new Uint8Array(this.wasm.memory.buffer, source, content.length).set(content);
    const [foreign, status] = [at + 32, at + 40];
    this.#view.setInt32(foreign, content.length, true);
    this.#view.setUint32(foreign + 4, source, true);
    this.#view.setInt8(status, 0);
    this.wasm.ffi_saldo_ffi_rustbuffer_from_bytes(at, foreign, status);
    equal(this.#view.getInt8(status), 0);
    return at;
  }

  #bytes(at) {
    const length = Number(this.#view.getBigUint64(at + 8, true));
    return new Uint8Array(this.wasm.memory.buffer, this.#view.getUint32(at + 16, true), length).slice();
  }
}

const library = new Library();
check("it says its version", () => {
  const manifest = readFileSync(new URL("../../Cargo.toml", import.meta.url), "utf8");
  const version = library.text(of("func_library_version"));
  ok(manifest.includes(`version = "${version}"`), version);
  return version;
});
check("it formats amounts exactly", () => {
  equal(library.text(of("func_format_amount"), "1500000000000000000", 18), "1.5");
  const greatest = (2n ** 256n - 1n).toString();
  equal(library.text(of("func_format_amount"), greatest, 0), greatest);
});
check("it checks and hashes addresses", () => {
  const checksummed = "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045";
  const normalize = (text) => Buffer.from(library.call(of("func_normalize_address"), text).bytes);
  // An optional text: a byte that says whether it is there, its length in four bytes, and the text.
  equal(normalize(checksummed.toLowerCase()).subarray(5).toString(), checksummed);
  equal([...normalize(checksummed.replace("0xd8dA", "0xd8DA"))], [0]);
});
check("it has a sample of each state", () => {
  const { code, bytes } = library.call(of("func_samples"));
  equal(code, 0);
  const count = new DataView(bytes.buffer).getInt32(0);
  ok(count >= 4, `${count} samples`);
  return `${count} samples`;
});

finish("for other languages");
