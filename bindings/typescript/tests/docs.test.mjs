// The examples of the documents compile, and those that make a client of mainnet run, against the drill.

import { test } from "node:test";
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { createClient } from "saldo";

import { withWorld, proven } from "./drill.mjs";

const here = (path) => new URL(path, import.meta.url);
const documents = ["../README.md", "../../../README.md", "../../../docs/typescript.md", "../../../docs/check.md"];

/** The examples of a document. A section that is hidden in a comment declares what an example uses. */
function examples(path) {
  const text = readFileSync(here(path), "utf8");
  return [...text.matchAll(/(?:<!-- declares\n([\s\S]*?)-->\n+)?```ts\n([\s\S]*?)```/g)].map(([, declared = "", code], index) => ({
    name: `${path.replaceAll(/[^a-z]/gi, "_")}${index}`,
    declared,
    code,
  }));
}

const all = documents.flatMap(examples);
const made = 'createClient({ network: "mainnet", useDirectory: true })';

test("the examples compile", () => {
  // Inside the package, so that its name is found.
  const folder = here("../dist/examples/");
  mkdirSync(folder, { recursive: true });
  try {
    for (const { name, declared, code } of all) writeFileSync(new URL(`${name}.ts`, folder), `${declared}\n${code}\nexport {};\n`);
    const settings = JSON.parse(readFileSync(here("types/tsconfig.json"), "utf8"));
    settings.compilerOptions.types = ["node"];
    settings.compilerOptions.skipLibCheck = true;
    writeFileSync(new URL("tsconfig.json", folder), JSON.stringify(settings));
    const compiler = fileURLToPath(here("../node_modules/typescript/bin/tsc"));
    const { stdout, status } = spawnSync(process.execPath, [compiler, "-p", fileURLToPath(folder)], { encoding: "utf8" });
    assert.equal(status, 0, stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
  assert.ok(all.length >= 4);
});

test("the first example of each README runs", () =>
  withWorld("proven", async (world) => {
  const client = await createClient(world.options);
  await proven(client, world.owner);
  await client.shutdown();
  for (const path of documents.slice(0, 2)) {
    const { code } = examples(path)[0];
    assert.ok(code.includes(made));
    const program = code
      .replace(/0x[0-9a-fA-F]{40}/, world.owner)
      .replace(made, `createClient(${JSON.stringify(world.options)})`);
    // A read ends at its deadline, which a busy machine can miss.
    let shown = "";
    for (let left = 5; left > 0 && !shown.startsWith("1.5 ETH"); left -= 1) {
      shown = (await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], { cwd: here("..") })).stdout;
    }
    assert.match(shown, /^1\.5 ETH, proven at block \d+\n$/);
  }
  }));
