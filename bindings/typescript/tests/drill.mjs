// The drill server of the table of scenarios, and the app's parts with a switch.

import { spawn, execFileSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { FetchTransport, MemoryStorage, StorageFailure, TransportFailure, acknowledge, createClient } from "saldo";

const SERVER =
  process.env.SALDO_SCENARIO_SERVER ?? fileURLToPath(new URL("../../../target/debug/scenario-server", import.meta.url));

/** What the owner of every scenario holds, in wei. */
export const OWNED = 1_500_000_000_000_000_000n;

export function scenarioNames() {
  return execFileSync(SERVER, ["--list"], { encoding: "utf8" }).trim().split("\n");
}

/** One scenario, served on loopback until it is closed. */
export class World {
  #server;
  #lines;

  static async open(name) {
    const world = new World();
    world.#server = spawn(SERVER, [name], { stdio: ["pipe", "pipe", "inherit"] });
    world.#lines = createInterface({ input: world.#server.stdout })[Symbol.asyncIterator]();
    const told = await world.#answer();
    world.steps = told.steps;
    world.options = options(told.config);
    return world;
  }

  /** Lets the events up to this time happen. */
  async happen(at) {
    this.#server.stdin.write(`${at}\n`);
    const { happened } = await this.#answer();
    if (!(happened > 0)) throw new Error(`nothing happens at ${at}`);
  }

  async close() {
    this.#server.stdin.end();
    if (this.#server.exitCode === null) await once(this.#server, "exit");
  }

  /** The address that holds `OWNED` wei. */
  get owner() {
    const step = this.steps.find((one) => one.owner !== undefined || one.holdings !== undefined);
    return step.owner ?? step.holdings[0].owner;
  }

  async #answer() {
    const { value } = await this.#lines.next();
    return JSON.parse(value);
  }
}

/** Runs `use` with a world, and closes it: a server that is left would keep the test from ending. */
export async function withWorld(name, use) {
  const world = await World.open(name);
  try {
    return await use(world);
  } finally {
    await world.close();
  }
}

/** Runs `use` with a client of a world, and the world. */
export function withClient(name, use, more = {}) {
  return withWorld(name, async (world) => {
    const client = await createClient({ ...world.options, ...more });
    try {
      return await use(client, world);
    } finally {
      await client.shutdown();
    }
  });
}

/** Reads until the balance of `owner` is proven. */
export async function proven(client, owner, more = {}) {
  for (let left = 100; left > 0; left -= 1) {
    const reading = await client.getBalance({ address: owner, ...more });
    if (reading.state === "proven") return reading;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error("the balance was not proven within ten seconds");
}

function options(told) {
  const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  const given = (value) => {
    if (value === null) return undefined;
    if (Array.isArray(value)) return value.map(given);
    if (typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [camel(name), given(one)]));
  };
  return given(told);
}

/** An HTTP stack with a switch: it sends requests, or misbehaves. */
export class SwitchedTransport {
  does = "pass";
  inProgress = 0;
  sent = 0;
  #inner = new FetchTransport();

  async send(request, signal) {
    this.inProgress += 1;
    this.sent += 1;
    try {
      return await this.#answer(request, signal);
    } finally {
      this.inProgress -= 1;
    }
  }

  async #answer(request, signal) {
    switch (this.does) {
      case "pass":
        return this.#inner.send(request, signal);
      case "throws":
        throw undefined;
      case "hangs":
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      case "floods":
        return { status: 200, headers: [], body: new Uint8Array(request.maxBytes + 1) };
      default:
        throw new TransportFailure(this.does, { status: 302 });
    }
  }
}

/** A storage in memory with a switch: it works, or misbehaves. */
export class SwitchedStorage {
  does = "pass";
  writes = 0;
  #inner = new MemoryStorage();

  load() {
    return this.#inner.load();
  }

  async apply(changes, expectedVersion) {
    this.writes += 1;
    switch (this.does) {
      case "pass":
        return this.#inner.apply(changes, expectedVersion);
      case "throws":
        throw "something without a name";
      case "full":
        throw new StorageFailure("full");
      case "loses":
        return acknowledge([], expectedVersion + 1n);
      default:
        throw new Error(`the storage does not know ${this.does}`);
    }
  }
}
