// A static server: the pages of these tests under `/`, the package under `/saldo/`, the page of this repository under `/web/`.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const folder = (path) => fileURLToPath(new URL(path, import.meta.url));
const PLACES = [
  ["/saldo/", folder("../../dist/")],
  ["/web/saldo/", folder("../../dist/")],
  ["/web/", folder("../../../../web/")],
  ["/", folder("./site/")],
];
const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** What a page needs, and nothing else. */
export const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self' http://127.0.0.1:*";

/** Serves until `close` of what it returns is called. */
export async function openSite() {
  const server = createServer((request, response) => {
    answer(request.url, response).catch(() => response.writeHead(404).end());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    server.close();
    server.closeAllConnections();
  };
  return { origin: `http://127.0.0.1:${server.address().port}`, close };
}

async function answer(url, response) {
  const { pathname } = new URL(url, "http://site");
  const [prefix, place] = PLACES.find(([start]) => pathname.startsWith(start));
  const path = resolve(place, pathname.slice(prefix.length) || "index.html");
  if (!path.startsWith(place)) throw new Error("outside");
  const content = await readFile(path);
  // The page of the repository states its own policy.
  if (prefix === "/" || prefix === "/saldo/") response.setHeader("content-security-policy", POLICY);
  response.setHeader("content-type", TYPES[extname(path)] ?? "application/octet-stream");
  response.end(content);
}
