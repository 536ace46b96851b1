import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Serves a scenario with `saldo drill serve`. Returns the settings of a client for it, and how to end it. */
export async function drill(scenario) {
  const file = join(mkdtempSync(join(tmpdir(), "drill-")), "network.toml");
  const given = ["drill", "serve", "--scenario", scenario, "--out", file];
  const server = spawn(process.env.SALDO_COMMAND ?? "saldo", given, { stdio: ["ignore", "ignore", "inherit"] });
  while (!existsSync(file)) await sleep(20);
  const text = readFileSync(file, "utf8"); // the network, and all endpoints
  return { settings: { network: text, directoryFile: text }, end: () => server.kill() };
}
