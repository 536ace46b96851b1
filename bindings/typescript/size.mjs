// The size of the package: prints it, and with --check fails if it is more than 2 % beyond what size.json says.
// With --write, it writes size.json. docs/typescript.md states it.

import { readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";

import { build } from "esbuild";

/** The most that a browser should have to load, compressed by gzip. It is not met: the client itself is larger. */
const GOAL = 350_000;
const ALLOWED = 1.02;

async function glue() {
  const { outputFiles } = await build({
    stdin: { contents: 'export * from "saldo";', resolveDir: "." },
    bundle: true,
    format: "esm",
    platform: "browser",
    minify: true,
    write: false,
  });
  return outputFiles[0].contents;
}

function measured(bytes) {
  return { raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotliCompressSync(bytes).length };
}

const sizes = {
  "saldo.wasm": measured(readFileSync("dist/saldo.wasm")),
  "code, minified": measured(await glue()),
  "saldo-rollup.wasm": measured(readFileSync("dist/saldo-rollup.wasm")),
};
// A client of one network loads these two, one of several the larger module.
const together = sizes["saldo.wasm"].gzip + sizes["code, minified"].gzip;
for (const [name, { raw, gzip, brotli }] of Object.entries(sizes)) {
  console.log(`${name}: ${raw} bytes, ${gzip} by gzip, ${brotli} by brotli`);
}
console.log(`together: ${together} by gzip, and the goal is ${GOAL}`);

if (process.argv.includes("--write")) writeFileSync("size.json", `${JSON.stringify(sizes, null, 2)}\n`);
if (process.argv.includes("--check")) {
  const committed = JSON.parse(readFileSync("size.json", "utf8"));
  for (const [name, { gzip }] of Object.entries(sizes)) {
    if (gzip > committed[name].gzip * ALLOWED) {
      console.error(`${name} has ${gzip} bytes by gzip, and size.json says ${committed[name].gzip}: make it smaller, or write size.json again`);
      process.exitCode = 1;
    }
  }
}
