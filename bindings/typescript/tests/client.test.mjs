// What a client promises beside the readings: it rejects only when it is aborted, leaks nothing, and survives a trap.

import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { MemoryStorage, SetupError, createClient, formatUnits, formatUnitsShort, samples } from "saldo";

import { OWNED, SwitchedStorage, SwitchedTransport, withWorld, proven, withClient } from "./drill.mjs";

const UNUSED = "0x00000000000000000000000000000000000000aa";

test("a balance is proven, and says where it stands", () =>
  withClient("proven", async (client, world) => {
    const reading = await proven(client, world.owner);
    assert.equal(reading.amount, OWNED);
    assert.equal(reading.block.chainId, client.chainId);
    assert.equal(typeof reading.block.number, "bigint");
    assert.match(reading.block.hash, /^0x[0-9a-f]{64}$/);
    assert.equal(reading.isRestored, false);
    assert.ok(Object.isFrozen(reading) && Object.isFrozen(reading.block));
    assert.equal((await client.freshness(reading)).code, "fresh");
    const [finalized] = await client.finalized([{ owner: world.owner }]);
    assert.equal(finalized.state, "proven");
    assert.equal(finalized.block.assurance.level, "finalized");
  }));

test("settings that cannot be used are refused with a code", async () => {
  const refused = (options) =>
    createClient(options).then(
      () => assert.fail("it was accepted"),
      (error) => {
        assert.ok(error instanceof SetupError);
        return error.code;
      },
    );
  assert.equal(await refused({ network: "nowhere" }), "unknown_network");
  assert.equal(await refused({ network: "mainnet" }), "no_provider");
  assert.equal(await refused({ network: "mainnet", rpc: "no url" }), "provider");
  assert.equal(await refused({ network: "mainnet", useDirectory: true, checkpoint: "0x12" }), "checkpoint");
  assert.equal(await refused({ network: "mainnet", useDirectory: true, wasm: new Uint8Array(8) }), "module");
});

test("no output shows a URL", async () => {
  const secret = "https://rpc.example/SECRET";
  const lines = [];
  const given = { network: "mainnet", rpc: secret, beacon: secret, checkpoint: `0x${"11".repeat(32)}` };
  const fails = () => Promise.reject(new TypeError(`cannot fetch ${secret}`));
  const client = await createClient({ ...given, fetch: fails, log: (some) => void lines.push(...some), logLevel: "trace" });
  const reading = await client.getBalance({ address: UNUSED });
  assert.equal(reading.state, "unknown");
  const shown = JSON.stringify([reading, await client.health(), lines, await client.diversity()]);
  assert.ok(lines.length > 0);
  assert.ok(!shown.includes("SECRET"), shown);
  await client.shutdown();
});

test("an abort ends a read at once, with an AbortError and its reason", () =>
  withClient(
    "proven",
    async (client, world) => {
      const reason = new Error("the user left");
      const already = AbortSignal.abort(reason);
      await assert.rejects(client.read([{ owner: world.owner }], { signal: already }), { name: "AbortError", cause: reason });
      const ended = new AbortController();
      const reads = [1, 2, 3].map(() => client.getBalance({ address: world.owner, signal: ended.signal }));
      setTimeout(() => ended.abort(reason), 50);
      for (const read of reads) await assert.rejects(read, { name: "AbortError", cause: reason });
      assert.equal(client.chainId > 0, true);
    },
    { transport: Object.assign(new SwitchedTransport(), { does: "hangs" }) },
  ));

test("nothing but an abort rejects: nonsense is a reading too", () =>
  withClient("proven", async (client) => {
    for (const owner of ["", "0x12", undefined, null, 7, {}]) {
      const [reading] = await client.read([{ owner }]);
      assert.equal(reading.why.code, "malformed_address");
    }
    assert.equal((await client.getBalance({ address: "vitalik.eth" })).why.code, "malformed_address");
    assert.equal((await client.read([{ owner: UNUSED, chainId: 5 }]))[0].why.code, "network_not_configured");
    assert.deepEqual(await client.read([]), []);
  }));

test("after the end everything is closed, and nothing throws", () =>
  withWorld("proven", async (world) => {
  {
    const client = await createClient(world.options);
    const watching = (async () => {
      for await (const change of client.watch([{ owner: world.owner }])) void change;
      return "ended";
    })();
    await client.shutdown();
    await client.shutdown();
    assert.equal(await watching, "ended");
    assert.equal((await client.getBalance({ address: world.owner })).why.code, "closed");
    assert.equal((await client.getAccount({ address: world.owner })).balance.why.code, "closed");
    assert.equal((await client.check([{ holding: { owner: world.owner }, amount: 0n }]))[0].unknown.why.code, "closed");
    assert.equal((await client.health()).isClosed, true);
    assert.equal(await client.last({ owner: world.owner }), undefined);
    await assert.rejects(client.adopt("mainnet"), { name: "SetupError", code: "closed" });
    client.networkChanged(true);
    client.setPace("paused");
    const other = await createClient(world.options);
    await other[Symbol.asyncDispose]();
    assert.equal((await other.getBalance({ address: world.owner })).why.code, "closed");
  }
  }));

test("a loop that is left ends the watch, and its requests", () =>
  withClient("proven", async (client, world) => {
    for await (const change of client.watch([{ owner: world.owner }])) {
      if (change.kind === "reading" && change.reading.state === "proven") {
        assert.equal(change.reading.amount, OWNED);
        break;
      }
    }
    const ended = new AbortController();
    const loop = (async () => {
      for await (const change of client.watch([{ owner: UNUSED }], { signal: ended.signal })) void change;
    })();
    setTimeout(() => ended.abort(), 100);
    await assert.rejects(loop, { name: "AbortError" });
  }));

test("what was proven is written without a later call, and a new client shows it", () =>
  withWorld("proven", async (world) => {
  const storage = new SwitchedStorage();
  const client = await createClient({ ...world.options, storage });
  await proven(client, world.owner);
  for (let left = 100; storage.writes === 0 && left > 0; left -= 1) await new Promise((done) => setTimeout(done, 20));
  assert.ok(storage.writes > 0);
  await client.storageFaults();
  await client.shutdown();
  const http = Object.assign(new SwitchedTransport(), { does: "offline" });
  const next = await createClient({ ...world.options, storage, transport: http });
  const last = await next.last({ owner: world.owner });
  assert.equal(last.amount, OWNED);
  assert.equal(last.isRestored, true);
  assert.equal(http.sent, 0);
  await next.shutdown();
  }));

test("the package has the codes, the samples and the formats of the library", async () => {
  const types = readFileSync(new URL("../src/why.ts", import.meta.url), "utf8");
  const listed = [...types.slice(0, types.indexOf(";")).matchAll(/\| "(\w+)"/g)].map(([, code]) => code);
  const source = readFileSync(new URL("../../../crates/ffi/src/why.rs", import.meta.url), "utf8");
  const codes = [.../const CODES.*?\[\n(.*?)\];/s.exec(source)[1].matchAll(/"(\w+)"/g)].map(([, code]) => code);
  assert.deepEqual(listed, codes);
  const reasons = readFileSync(new URL("../../../crates/reading/src/why/reason.rs", import.meta.url), "utf8");
  for (const code of ["internal_fault", "closed"]) {
    const own = types.slice(types.indexOf(`code: "${code}"`));
    const rust = reasons.slice(reasons.indexOf(`code: "${code}"`));
    assert.equal(/text: "(.*)"/.exec(own)[1], /message: "(.*)"/.exec(rust)[1]);
    assert.equal(/nextStep: "(.*)"/.exec(own)[1], /next_step: "(.*)"/.exec(rust)[1]);
  }
  const shown = await samples();
  assert.deepEqual(new Set(shown.map(({ reading }) => reading.state)), new Set(["proven", "provisional", "unknown"]));
  for (const { reading } of shown) {
    const at = reading.state === "proven" ? reading : reading.last;
    assert.equal(at?.holding.chainId ?? 0, 0);
  }
});

test("amounts are formatted exactly", () => {
  const greatest = 2n ** 256n - 1n;
  assert.equal(formatUnits(greatest, 0), greatest.toString());
  assert.equal(formatUnits(greatest, 255).length, 257);
  for (const [amount, decimals, text] of [
    [0n, 18, "0"],
    [1n, 18, "0.000000000000000001"],
    [1500000000000000000n, 18, "1.5"],
    [100n, 0, "100"],
    [105n, 2, "1.05"],
  ]) {
    assert.equal(formatUnits(amount, decimals), text);
  }
  for (const [amount, places, text] of [
    [0n, 4, "0"],
    [1n, 4, "<0.0001"],
    [99999999999999n, 4, "<0.0001"],
    [100000000000000n, 4, "0.0001"],
    [1000000000000000001n, 4, "1"],
    [1234567000000000000n, 4, "1.2345"],
    [1n, 0, "<1"],
    [1n, 18, "0.000000000000000001"],
  ]) {
    assert.equal(formatUnitsShort(amount, 18, places), text);
  }
  assert.throws(() => formatUnits(-1n, 18), RangeError);
});

test("addresses get their checksum", () =>
  withClient("proven", async (client) => {
    const checksummed = "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045";
    assert.equal(client.getAddress(checksummed.toLowerCase()), checksummed);
    assert.equal(client.getAddress(checksummed.replace("0xd8dA", "0xd8DA")), undefined);
  }));

test("several clients of one storage lose nothing", () =>
  withWorld("proven", async (world) => {
  const storage = new MemoryStorage();
  const clients = await Promise.all([1, 2, 3].map(() => createClient({ ...world.options, storage })));
  await Promise.all(clients.map((client) => proven(client, world.owner)));
  for (const client of clients) {
    assert.deepEqual(await client.storageFaults(), []);
    await client.shutdown();
  }
  const next = await createClient({ ...world.options, storage });
  assert.equal((await next.last({ owner: world.owner })).amount, OWNED);
  await next.shutdown();
  }));

test("the module imports nothing, and has no descriptions for the generator", async () => {
  const module = await WebAssembly.compile(readFileSync(new URL("../dist/saldo.wasm", import.meta.url)));
  assert.deepEqual(WebAssembly.Module.imports(module), []);
  const names = WebAssembly.Module.exports(module).map(({ name }) => name);
  assert.deepEqual(names.filter((name) => name.startsWith("UNIFFI_META")), []);
});
