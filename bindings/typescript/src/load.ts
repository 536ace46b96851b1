// How a browser loads the module.

import { compileResponse } from "./response.js";

/** Compiles the module at `source`. */
export async function load(source: URL | string): Promise<WebAssembly.Module> {
  return compileResponse(await fetch(source));
}
