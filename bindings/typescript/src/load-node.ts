// How Node loads the module, whose `fetch` reads no files.

import { readFile } from "node:fs/promises";

import { compileResponse } from "./response.js";

/** Compiles the module at `source`: a file, or a URL. */
export async function load(source: URL | string): Promise<WebAssembly.Module> {
  const isRemote = /^(https?|data|blob):/.test(String(source));
  if (isRemote) return compileResponse(await fetch(source));
  return WebAssembly.compile(await readFile(String(source).startsWith("file:") ? new URL(source) : source));
}
