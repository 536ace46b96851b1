// A trap of the module is an internal fault. The module is replaced from the storage, and nothing that was stored is lost.

import { test } from "node:test";
import assert from "node:assert/strict";

import { MemoryStorage, createClient } from "saldo";

import { OWNED, withWorld, proven } from "./drill.mjs";

/** A clock that can be told to break the module: what it throws passes through the frames of Rust, as a trap does. */
class BreakingClock {
  breaks = false;

  now() {
    if (this.breaks) {
      this.breaks = false;
      throw new WebAssembly.RuntimeError("unreachable");
    }
    return Date.now();
  }

  monotonic() {
    return performance.now();
  }

  sleep(milliseconds, signal) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      signal.addEventListener("abort", () => (clearTimeout(timer), resolve()));
    });
  }
}

test("a trap is an internal fault, and the next read is proven by a new module", () =>
  withWorld("proven", async (world) => {
  const [clock, storage, lines] = [new BreakingClock(), new MemoryStorage(), []];
  const client = await createClient({ ...world.options, clock, storage, log: (some) => void lines.push(...some) });
  await proven(client, world.owner);
  await client.storageFaults();

  clock.breaks = true;
  const faulty = await client.getBalance({ address: world.owner });
  assert.equal(faulty.state, "unknown");
  assert.equal(faulty.why.code, "internal_fault");
  assert.ok(lines.some(({ level, text }) => level === "error" && text.includes("panicked")), JSON.stringify(lines.at(-1)));

  const last = await client.last({ owner: world.owner });
  assert.equal(last.amount, OWNED);
  assert.equal(last.isRestored, true);
  assert.equal((await proven(client, world.owner)).amount, OWNED);
  assert.deepEqual(await client.storageFaults(), []);
  await client.shutdown();
  }));

test("everything that waits ends with the trap, and what was told is told again", () =>
  withWorld("proven", async (world) => {
  const clock = new BreakingClock();
  const client = await createClient({ ...world.options, clock });
  await proven(client, world.owner);
  client.networkChanged(false);
  client.setPace("background");
  assert.equal((await client.health()).isOffline, true);

  const watch = client.watch([{ owner: world.owner }]);
  assert.notEqual((await watch.next()).length, 0);
  clock.breaks = true;
  const [readings, account, verdicts] = await Promise.all([
    client.read([{ owner: world.owner }, { owner: world.owner }]),
    client.getAccount({ address: world.owner }),
    client.check([{ holding: { owner: world.owner }, amount: OWNED }]),
  ]);
  assert.deepEqual(readings.map((one) => one.why.code), ["internal_fault", "internal_fault"]);
  assert.equal(account.balance.why.code, "internal_fault");
  assert.equal(verdicts[0].unknown.why.code, "internal_fault");
  assert.equal((await client.health()).isOffline, true);

  client.networkChanged(true);
  const changes = [];
  while (!changes.some(({ kind, reading }) => kind === "reading" && reading.state === "proven")) {
    changes.push(...(await watch.next()));
  }
  await client.shutdown();
  assert.deepEqual(await watch.next(), []);
  }));

test("a module that always traps gives readings all the same", () =>
  withWorld("proven", async (world) => {
  const clock = new BreakingClock();
  const client = await createClient({ ...world.options, clock });
  for (let left = 20; left > 0; left -= 1) {
    clock.breaks = true;
    assert.equal((await client.getBalance({ address: world.owner })).why.code, "internal_fault");
  }
  assert.equal((await proven(client, world.owner)).amount, OWNED);
  await client.shutdown();
  }));
