// The module, compiled once for all clients.

import { load } from "#load";

import { SetupError } from "./errors.js";
import type { WasmSource } from "./options.js";
import { compileResponse } from "./response.js";

let own: Promise<WebAssembly.Module> | undefined;

/** Compiles the module from `source`, or from the file beside the code. Throws `SetupError` if that fails. */
export async function compile(source: WasmSource | undefined): Promise<WebAssembly.Module> {
  try {
    if (source === undefined) {
      own ??= load(new URL("./saldo.wasm", import.meta.url)).catch((error: unknown) => {
        own = undefined;
        throw error;
      });
      return await own;
    }
    if (source instanceof WebAssembly.Module) return source;
    if (typeof source === "string" || source instanceof URL) return await load(source);
    if (source instanceof Response) return await compileResponse(source);
    return await WebAssembly.compile(source as BufferSource);
  } catch (error) {
    throw new SetupError("module", "saldo.wasm cannot be loaded: name its place with the option `wasm`", { cause: error });
  }
}
