// What the compiler must refuse: a forgotten state, and an amount without one.

import { test } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = new URL("./types/", import.meta.url);
const compiler = fileURLToPath(new URL("../node_modules/typescript/bin/tsc", import.meta.url));

test("the compiler refuses what can be misread, and nothing else", () => {
  const expected = readFileSync(new URL("readings.ts", folder), "utf8")
    .split("\n")
    .flatMap((line, index) => {
      const [, code, next] = /refused: (TS\d+)( at the next line)?/.exec(line) ?? [];
      return code === undefined ? [] : [`readings.ts:${index + (next ? 2 : 1)} ${code}`];
    });
  assert.ok(expected.length >= 8);
  const { stdout } = spawnSync(process.execPath, [compiler, "--pretty", "false", "-p", fileURLToPath(folder)], {
    encoding: "utf8",
    cwd: fileURLToPath(folder),
  });
  const refused = [...stdout.matchAll(/^(\S+?)\((\d+),\d+\): error (TS\d+)/gm)].map(([, file, line, code]) => `${file}:${line} ${code}`);
  assert.deepEqual(refused.sort(), expected.sort(), stdout);
});
