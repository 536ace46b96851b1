// Reads a balance with a client that is a WebAssembly module. This file is its transport, its clock and its storage: a mirror
// and a provider that have the files of a real chain, a time that passes only when nothing else can happen, and a map.
// Usage: node client.mjs MODULE. Ends with status 0 only if everything passed.

import { ok, deepStrictEqual as equal } from "node:assert";
import { readFileSync, existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { check, finish, module } from "./checks.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const vectors = process.env.SALDO_VECTORS ?? join(here, "../../../shared/vectors");
const GENESIS_TIME = 1606824023; // of mainnet
const DONE = 0;
const PENDING = 1;

const hex = (text) => Buffer.from(text.replace(/^0x/, ""), "hex");

/** One instance of the module, with the answers of `serve`, the entries of `kept`, and a clock that starts at `slot`. */
class App {
  requests = 0;
  #now = 0;
  #replies = [];
  #timers = new Map();

  constructor(serve, kept, slot) {
    this.serve = serve;
    const start = GENESIS_TIME + 12 * slot;
    const text = (at, length) => Buffer.from(new Uint8Array(this.wasm.memory.buffer, at, length));
    const outside = {
      seconds: () => BigInt(start + Math.floor(this.#now / 1000)),
      milliseconds: () => BigInt(this.#now),
      sleep: (number, milliseconds) => this.#timers.set(number, this.#now + Number(milliseconds)),
      send: (number, url, urlLength, body, bodyLength) => {
        this.requests += 1;
        const answer = this.serve(text(url, urlLength).toString(), text(body, bodyLength).toString());
        this.#replies.push([number, ...answer]);
      },
      load: (number) => {
        const lines = [...kept.entries].map(([name, value]) => `${name} ${value}\n`);
        this.#replies.push([number, 1, Buffer.from(`${kept.version}\n${lines.join("")}`)]);
      },
      apply: (number, at, length) => {
        const [version, ...changes] = text(at, length).toString().trimEnd().split("\n");
        ok(Number(version) === kept.version, "the version is the one that was read");
        for (const change of changes) {
          const [name, value] = change.split(" ");
          value ? kept.entries.set(name, value) : kept.entries.delete(name);
        }
        kept.version += 1;
        this.#replies.push([number, 1, Buffer.alloc(0)]);
      },
      cancel: (number) => {
        this.#timers.delete(number);
        this.#replies = this.#replies.filter(([other]) => other !== number);
      },
    };
    this.wasm = new WebAssembly.Instance(module, { outside }).exports;
  }

  #call(name, input, ...numbers) {
    const at = this.wasm.buffer(input.length);
    new Uint8Array(this.wasm.memory.buffer, at, input.length).set(input);
    return this.wasm[name](...numbers);
  }

  #text() {
    const length = this.wasm.length();
    return Buffer.from(new Uint8Array(this.wasm.memory.buffer, this.wasm.buffer(length), length)).toString();
  }

  build(checkpoint) {
    equal(this.#call("build", hex(checkpoint)), DONE);
    return this;
  }

  last(address) {
    equal(this.#call("last", hex(address)), DONE);
    return this.#text();
  }

  /** Reads a balance. A timer ends only when there is no answer to give. */
  read(address) {
    let status = this.#call("read", hex(address));
    while (status === PENDING) {
      const reply = this.#replies.shift();
      if (reply) {
        const [number, code, body] = reply;
        status = this.#call("settle", body, number, code);
        continue;
      }
      const next = [...this.#timers].sort(([, one], [, another]) => one - another)[0];
      ok(next, "the read waits for an answer or a timer");
      this.#timers.delete(next[0]);
      this.#now = Math.max(this.#now, next[1]);
      status = this.#call("settle", Buffer.alloc(0), next[0], 1);
    }
    equal(status, DONE);
    equal(this.#timers.size + this.#replies.length, 0, "a read that ended leaves no work");
    return JSON.parse(this.#text());
  }
}

const emptyStorage = () => ({ version: 0, entries: new Map() });
const unreachable = () => [0, Buffer.alloc(0)];

/** A mirror with the files of the scenario, and a provider with its proof. */
function chain(folder, scenario, change = (proof) => proof) {
  const file = (name) => readFileSync(join(folder, name));
  const [start, update, head] = scenario.steps;
  const files = new Map([
    [`/bootstrap/${scenario.checkpoint}.${start.fork}.ssz`, file(start.file)],
    [`/updates/1421.${update.fork}.ssz`, file(update.file)],
    [`/optimistic_update.${head.fork}.ssz`, file(head.file)],
  ]);
  const { result } = JSON.parse(file(scenario.proofs[0].file));
  const answer = ({ id, method }) =>
    method === "eth_getProof"
      ? { jsonrpc: "2.0", id, result: change(structuredClone(result)) }
      : { jsonrpc: "2.0", id, error: { code: -32601, message: "the method does not exist" } };
  return (url, body) => {
    const { host, pathname } = new URL(url);
    if (host === "mirror.example") {
      const found = files.get(pathname);
      return found ? [200, found] : [404, Buffer.alloc(0)];
    }
    const calls = JSON.parse(body);
    const answers = Array.isArray(calls) ? calls.map(answer) : answer(calls);
    return [200, Buffer.from(JSON.stringify(answers))];
  };
}

function aClient() {
  const folder = join(vectors, "e2e/mainnet-electra-11650268-ethbalance");
  const scenario = JSON.parse(readFileSync(join(folder, "scenario.json")));
  const { address, balance } = scenario.proofs[0];
  const slot = scenario.steps[2].signature_slot + 1;
  const expected = {
    amount: balance,
    block: scenario.expected_store.optimistic_block_number,
    hash: scenario.expected_store.optimistic_block_hash,
  };
  const kept = emptyStorage();
  const app = new App(chain(folder, scenario), kept, slot).build(scenario.checkpoint);

  check("a client in WebAssembly reads a proven balance", () => {
    equal(app.last(address), "none");
    equal(app.read(address), expected);
    return `${balance} wei at block ${expected.block}, ${app.requests} requests`;
  });
  check("an outage changes no amount", () => {
    app.serve = unreachable;
    const { unknown, last } = app.read(address);
    equal([unknown, last, app.last(address)], ["all_unreachable", balance, balance]);
    return unknown;
  });
  check("storage from outside brings the amount back in an outage", () => {
    ok(kept.entries.size > 0);
    const restarted = new App(unreachable, kept, slot).build(scenario.checkpoint);
    const { last } = restarted.read("0x" + "00".repeat(20));
    equal(last, "");
    equal(restarted.last(address), balance);
    return `${kept.entries.size} entries`;
  });
  check("a proof with a flipped byte is no amount", () => {
    const flip = (proof) => {
      const leaf = proof.accountProof.length - 1;
      const node = hex(proof.accountProof[leaf]);
      node[node.length - 1] ^= 1;
      return { ...proof, balance: "0x0", accountProof: proof.accountProof.with(leaf, `0x${node.toString("hex")}`) };
    };
    const liar = new App(chain(folder, scenario, flip), emptyStorage(), slot).build(scenario.checkpoint);
    const { unknown, last } = liar.read(address);
    equal([unknown, last, liar.last(address)], ["proofs_refused", "", "none"]);
    return unknown;
  });
}

check("the module imports what the app gives, and nothing else", () => {
  const imports = WebAssembly.Module.imports(module);
  equal([...new Set(imports.map((each) => each.module))], ["outside"]);
  return imports.map((each) => each.name).sort().join(", ");
});
if (existsSync(vectors)) {
  aClient();
} else {
  const reason = `test vectors are not on this machine (set SALDO_VECTORS): ${vectors}`;
  if (process.env.CI === "true") throw new Error(`must not be skipped in CI: ${reason}`);
  console.error(`skipped: ${reason}`);
}
finish("a client");
