// The modules, each compiled once for all clients: the one without rollups, and the larger one for several networks.

import { load } from "#load";

import { SetupError } from "./errors.js";
import type { WasmSource } from "./options.js";
import { compileResponse } from "./response.js";

const own = new Map<string, Promise<WebAssembly.Module>>();

/**
 * Compiles the module from `source`, or from the file beside the code: for several networks that with rollups. Throws `SetupError` if that
 * fails.
 */
export async function compile(source: WasmSource | undefined, hasOthers: boolean): Promise<WebAssembly.Module> {
  try {
    if (source === undefined) {
      // Bundlers find files by exactly this expression.
      return await once(
        hasOthers ? new URL("./saldo-rollup.wasm", import.meta.url) : new URL("./saldo.wasm", import.meta.url),
      );
    }
    if (source instanceof WebAssembly.Module) return source;
    if (typeof source === "string" || source instanceof URL) return await load(source);
    if (source instanceof Response) return await compileResponse(source);
    return await WebAssembly.compile(source as BufferSource);
  } catch (error) {
    const name = hasOthers ? "saldo-rollup.wasm" : "saldo.wasm";
    throw new SetupError("module", `${name} cannot be loaded: name its place with the option \`wasm\``, { cause: error });
  }
}

async function once(file: URL): Promise<WebAssembly.Module> {
  const begun = own.get(file.href) ?? load(file);
  own.set(file.href, begun);
  try {
    return await begun;
  } catch (error) {
    if (own.get(file.href) === begun) own.delete(file.href);
    throw error;
  }
}
