// `saldo drill serve`, to which any page may send requests.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SALDO = process.env.SALDO_COMMAND ?? fileURLToPath(new URL("../../../../target/debug/saldo", import.meta.url));

/** What the owner of every scenario holds, in wei. */
export const OWNED = 1_500_000_000_000_000_000n;

const HEAD = 'title = "a scenario of a test in the browser"\nlasts = "2h"\nlooks_every = "5m"\nnaive = "wrong"\n';

/** A scenario, served on loopback until it is closed. */
export class Served {
  #folder = mkdtempSync(join(tmpdir(), "saldo-browser-"));
  #server;

  /** Serves the scenario file with this text after its head. */
  static async open(text) {
    const served = new Served();
    const [scenario, network] = ["scenario.toml", "network.toml"].map((name) => join(served.#folder, name));
    writeFileSync(scenario, HEAD + text);
    served.#server = spawn(SALDO, ["drill", "serve", "--json", "--scenario", scenario, "--out", network], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    // A test that fails does not close it.
    process.once("exit", () => served.#server.kill());
    const lines = createInterface({ input: served.#server.stdout });
    const [line] = await once(lines, "line");
    lines.on("line", () => {});
    const told = JSON.parse(line);
    served.owner = told.address;
    /** The URLs of the providers. */
    served.providers = told.rpc_urls.map((one) => one.slice(one.indexOf("=") + 1));
    served.networkFile = readFileSync(network, "utf8");
    served.options = { network: served.networkFile, directoryFile: served.networkFile };
    return served;
  }

  /** Ends the servers: from now on every connection is refused. */
  async close() {
    this.#server.kill();
    if (this.#server.exitCode === null && this.#server.signalCode === null) await once(this.#server, "exit");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
