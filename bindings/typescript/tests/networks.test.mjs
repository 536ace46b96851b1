// One client of several networks: a rollup beside its L1, which a view of the client is about.

import { test } from "node:test";
import assert from "node:assert/strict";

import { MemoryStorage, createClient, saldoProvider } from "saldo";

import { OWNED, World, proven, withClient } from "./drill.mjs";

const [L1, ROLLUP] = [31_337, 84_532];

test("a view is about its network, and no second client", () =>
  withClient("l1_and_rollup", async (client, world) => {
    assert.equal(client.chainId, L1);
    assert.deepEqual(client.chainIds, [L1, ROLLUP]);
    assert.equal(client.on(1), undefined);
    const rollup = client.on(ROLLUP);
    assert.equal(rollup.chainId, ROLLUP);
    assert.deepEqual([client.policy.maxAgeSeconds, rollup.policy.maxAgeSeconds], [300, 3 * 60 * 60]);
    const reading = await proven(rollup, world.owner);
    assert.equal(reading.amount, OWNED);
    assert.equal(reading.block.assurance.level, "l1_proof_checked");
    assert.equal((await client.freshness(reading)).code, "fresh");
    const [remembered] = await client.totals([{ owner: world.owner, chainId: ROLLUP }]);
    assert.deepEqual([remembered.chainId, remembered.sum.kind], [ROLLUP, "proven"]);
    await rollup.shutdown();
    assert.equal((await client.getBalance({ address: world.owner })).why.code, "closed");
  }));

test("a provider of a view answers for the rollup", () =>
  withClient("l1_and_rollup", async (client, world) => {
    const rollup = client.on(ROLLUP);
    await proven(rollup, world.owner);
    const provider = saldoProvider(rollup);
    assert.equal(Number(await provider.request({ method: "eth_chainId" })), ROLLUP);
    const amount = await provider.request({ method: "eth_getBalance", params: [world.owner, "latest"] });
    assert.equal(BigInt(amount), OWNED);
  }));

test("after a trap each network has what it was told", async () => {
  const world = await World.open("l1_and_rollup");
  let breaks = false;
  const clock = {
    now() {
      if (!breaks) return Date.now();
      breaks = false;
      throw new WebAssembly.RuntimeError("unreachable");
    },
    monotonic: () => performance.now(),
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        signal.addEventListener("abort", () => (clearTimeout(timer), resolve()));
      }),
  };
  const client = await createClient({ ...world.options, clock, storage: new MemoryStorage() });
  try {
    // A table is of one network: that of L1 is none of the rollup's.
    await client.adopt(world.options.network);
    await assert.rejects(client.on(ROLLUP).adopt(world.options.network), { code: "other_chain" });
    const rollup = client.on(ROLLUP);
    await proven(rollup, world.owner);
    await client.storageFaults();
    breaks = true;
    assert.equal((await rollup.getBalance({ address: world.owner })).why.code, "internal_fault");
    assert.equal((await rollup.last({ owner: world.owner })).amount, OWNED);
    assert.equal((await proven(rollup, world.owner)).amount, OWNED);
    assert.deepEqual(client.chainIds, [L1, ROLLUP]);
  } finally {
    await client.shutdown();
    await world.close();
  }
});

test("what several networks need is said", async () => {
  const world = await World.open("l1_and_rollup");
  const refused = async (others, more = {}) => {
    const made = createClient({ ...world.options, others, ...more }).then(
      async (client) => (await client.shutdown(), "made"),
      (error) => error.code,
    );
    return made;
  };
  const rpc = "https://rpc.example";
  assert.equal(await refused([{ network: "base", rpc }]), "no_l1");
  assert.equal(await refused([{ network: world.options.network, rpc, beacon: rpc }]), "same_network");
  assert.equal(await refused([{ network: "mainnet2", rpc }]), "unknown_network");
  // The smaller module says that it has no rollups.
  const wasm = new URL(import.meta.resolve("saldo/saldo.wasm"));
  assert.equal(await refused(world.options.others, { wasm }), "no_rollups");
  await world.close();
});
