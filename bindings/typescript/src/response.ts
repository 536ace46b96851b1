// A module from a response of a server.

/** Compiles while the bytes arrive, where the server says that they are WebAssembly. */
export async function compileResponse(response: Response): Promise<WebAssembly.Module> {
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const isTyped = response.headers.get("content-type")?.startsWith("application/wasm") === true;
  if (isTyped && "compileStreaming" in WebAssembly) return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
}
