// The sample that tests a wallet with vitest: in a project of its own, with the package as a user has it. It needs the command `saldo`.

import { test } from "node:test";
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const command = process.env.SALDO_COMMAND;
const skip = command === undefined && process.env.CI !== "true" ? "SALDO_COMMAND names no command `saldo`" : false;

test("the sample tests a wallet, and notices one that shows 0 for what it does not know", { skip, timeout: 280_000 }, () => {
  assert.ok(command !== undefined, "SALDO_COMMAND must name the command `saldo`");
  const project = mkdtempSync(join(tmpdir(), "saldo-vitest-"));
  try {
    const notInstalled = (path) => !path.includes("node_modules");
    cpSync(here("../samples/vitest"), project, { recursive: true, filter: notInstalled });
    const npm = (...given) => execFileSync("npm", given, { cwd: project, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
    npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent");
    const [{ filename }] = JSON.parse(npm("pack", here(".."), "--json", "--silent"));
    npm("install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", join(project, filename));
    const vitest = (env) =>
      spawnSync("npx", ["vitest", "run"], { cwd: project, encoding: "utf8", env: { ...process.env, NO_COLOR: "1", ...env } });
    const honest = vitest({});
    assert.equal(honest.status, 0, honest.stdout + honest.stderr);
    assert.match(honest.stdout, /3 passed/);
    const naive = vitest({ NAIVE: "1" });
    assert.notEqual(naive.status, 0, "a wallet that shows 0 must fail");
    assert.match(naive.stdout, /2 failed \| 1 passed/);
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
});
