// What `npm pack` gives, as a user has it: in a project of its own, in Node and through a bundler for browsers.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

import { withWorld } from "./drill.mjs";

const here = fileURLToPath(new URL("..", import.meta.url));
const project = mkdtempSync(join(tmpdir(), "saldo-project-"));
let packed;

before(() => {
  const npm = (...given) => execFileSync("npm", given, { cwd: project, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  [packed] = JSON.parse(npm("pack", here, "--json", "--silent"));
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  // Nothing else is installed, and nothing runs.
  npm("install", "--offline", "--no-audit", "--no-fund", "--silent", join(project, packed.filename));
});

after(() => rmSync(project, { recursive: true, force: true }));

test("it has the code, the types and the module, and nothing else", () => {
  const names = packed.files.map(({ path }) => path);
  for (const needed of ["dist/index.js", "dist/index.d.ts", "dist/saldo.wasm", "dist/saldo-rollup.wasm", "dist/native/bindings.js", "README.md", "LICENSES.md"]) {
    assert.ok(names.includes(needed), needed);
  }
  assert.deepEqual(
    names.filter((name) => !/^(dist\/.*\.(js|d\.ts|wasm)|README\.md|LICENSES\.md|package\.json)$/.test(name)),
    [],
  );
  assert.deepEqual(readdirSync(join(project, "node_modules")).filter((name) => !name.startsWith(".")), ["saldo"]);
  const manifest = JSON.parse(readFileSync(join(project, "node_modules/saldo/package.json"), "utf8"));
  assert.equal(manifest.dependencies, undefined);
  assert.equal(manifest.scripts, undefined);
});

test("its code makes no code of text, and its types need no others", () => {
  const folder = join(project, "node_modules/saldo/dist");
  for (const name of readdirSync(folder, { recursive: true }).filter((one) => one.endsWith(".js"))) {
    assert.doesNotMatch(readFileSync(join(folder, name), "utf8"), /\beval\(|new Function\b/, name);
  }
  writeFileSync(join(project, "use.ts"), 'import { createClient } from "saldo";\nexport const client = createClient({ network: "mainnet" });\n');
  const settings = { target: "es2022", lib: ["es2022", "dom", "esnext.disposable"], module: "nodenext", strict: true, noEmit: true, types: [] };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions: settings, files: ["use.ts"] }));
  execFileSync(process.execPath, [join(here, "node_modules/typescript/bin/tsc"), "-p", project], { stdio: "inherit" });
});

const PROGRAM = `
  import { createClient } from "saldo";
  const client = await createClient(JSON.parse(process.argv[2]));
  const [reading] = await client.readPatiently([{ owner: process.argv[3] }], { patienceMs: 10_000 });
  console.log(reading.state, String(reading.amount));
  await client.shutdown();
`;

function run(path, world) {
  const given = [path, JSON.stringify(world.options), world.owner];
  return execFileSync(process.execPath, given, { cwd: project, encoding: "utf8" });
}

test("Node alone uses it, and ends by itself", () =>
  withWorld("proven", async (world) => {
  writeFileSync(join(project, "program.js"), PROGRAM);
  assert.equal(run("program.js", world), "proven 1500000000000000000\n");
  }));

test("esbuild bundles it for Node and for browsers, where it names nothing of Node", () =>
  withWorld("proven", async (world) => {
  const entry = { entryPoints: [join(project, "program.js")], bundle: true, format: "esm", logLevel: "error" };
  await build({ ...entry, platform: "node", outfile: join(project, "out/node.js") });
  writeFileSync(join(project, "out/saldo.wasm"), readFileSync(join(project, "node_modules/saldo/dist/saldo.wasm")));
  writeFileSync(join(project, "out/package.json"), '{ "type": "module" }');
  assert.equal(run("out/node.js", world), "proven 1500000000000000000\n");
  const { outputFiles } = await build({ ...entry, platform: "browser", write: false });
  assert.doesNotMatch(outputFiles[0].text, /node:|require\(/);
  assert.match(outputFiles[0].text, /saldo\.wasm/);
  }));
