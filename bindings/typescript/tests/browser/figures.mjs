// The figures of docs/typescript.md: what the package costs a page in Chromium. Usage: tests/browser/run --figures
// It needs an idle machine: times are medians, and the machine's load is printed beside them.

import { loadavg } from "node:os";

import { Browser } from "./chromium.mjs";
import { pagesOf } from "./processor-time.mjs";
import { Served } from "./served.mjs";

const ROUNDS = 7;
const ROUND_TRIP_MS = 50;

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const say = (what, value) => console.log(`${what}: ${value}`);
const milliseconds = (numbers) => `${median(numbers).toFixed(1)} ms (${Math.min(...numbers).toFixed(1)} to ${Math.max(...numbers).toFixed(1)})`;

/** Keeps the memory of each module. To be run in a page. */
function observe() {
  const instantiate = WebAssembly.instantiate;
  globalThis.memories = [];
  WebAssembly.instantiate = async (...given) => {
    const instance = await instantiate(...given);
    memories.push(instance.exports.memory);
    return instance;
  };
}

const served = await Served.open('slot = "1s"\n');
const browser = await Browser.open();
const given = { options: served.options, owner: served.owner, rounds: ROUNDS };
say("load of the machine", loadavg().map((one) => one.toFixed(1)).join(" "));
say("Chromium", browser.chromium.version());

/** A page of a profile of its own, with requests as slow as a network makes them. */
async function withPage(latency, use) {
  const profile = await browser.profile();
  const page = await browser.page(profile);
  const devtools = await profile.newCDPSession(page);
  await devtools.send("Network.enable");
  await devtools.send("Network.emulateNetworkConditions", { offline: false, latency, downloadThroughput: -1, uploadThroughput: -1 });
  const result = await use(page, devtools);
  await profile.close();
  return result;
}

const started = await withPage(0, (page) =>
  page.evaluate(async ({ options, rounds }) => {
    const bytes = await (await fetch("/saldo/saldo.wasm")).arrayBuffer();
    const times = { compile: [], instantiate: [], create: [] };
    const timed = async (name, work) => {
      const began = performance.now();
      const result = await work();
      times[name].push(performance.now() - began);
      return result;
    };
    for (let round = 0; round < rounds; round += 1) {
      const wasm = await timed("compile", () => WebAssembly.compile(bytes));
      await timed("instantiate", () => WebAssembly.instantiate(wasm, {}));
      await (await timed("create", () => saldo.createClient({ ...options, wasm }))).shutdown();
    }
    return times;
  }, given),
);
say("compile the module", milliseconds(started.compile));
say("instantiate it", milliseconds(started.instantiate));
say("make a client of a compiled module", milliseconds(started.create));

const cold = [];
for (let round = 0; round < ROUNDS; round += 1) {
  cold.push(
    await withPage(ROUND_TRIP_MS, (page) =>
      page.evaluate(async ({ options, owner }) => {
        const began = performance.now();
        const client = await saldo.createClient(options);
        await proven(client, owner);
        return performance.now() - began;
      }, given),
    ),
  );
}
say(`a balance from nothing, ${ROUND_TRIP_MS} ms for each round trip, the module from the network`, milliseconds(cold));

const WATCH_MS = 20_000;
const devtools = await browser.chromium.newBrowserCDPSession();
const watched = await withPage(0, async (page, ofPage) => {
  await page.evaluate(observe);
  await page.evaluate(async ({ options, owner }) => {
    globalThis.client = await saldo.createClient(options);
    await proven(client, owner);
    (async () => {
      for await (const change of client.watch([{ owner }])) void change;
    })();
  }, given);
  const head = () => page.evaluate(async () => (await client.health()).heads.signedSlot);
  // The browser compiles what runs often a second time.
  await page.waitForTimeout(WATCH_MS);
  const [used, from] = [await pagesOf(devtools), await head()];
  const before = used();
  await page.waitForTimeout(WATCH_MS);
  const update = (used() - before) / ((await head()) - from);
  const memory = await page.evaluate(async ({ owner }) => {
    const holdings = [owner, ...Array.from({ length: 99 }, (_, index) => `0x${(index + 1).toString(16).padStart(40, "0")}`)];
    await client.readPatiently(holdings.map((one) => ({ owner: one })), { patienceMs: 20_000 });
    await client.shutdown();
    return memories.map((one) => one.buffer.byteLength);
  }, given);
  await ofPage.send("HeapProfiler.collectGarbage");
  const { usedSize } = await ofPage.send("Runtime.getHeapUsage");
  return { update, memory, usedSize };
});
say("processor time of a watch for each slot, of which nearly all is one signed update (32 members)", `${watched.update.toFixed(1)} ms`);
say("memory of the module with 100 holdings", `${(watched.memory[0] / 1024 / 1024).toFixed(1)} MiB`);
say("heap of JavaScript with it", `${(watched.usedSize / 1024 / 1024).toFixed(1)} MiB`);

await browser.close();
await served.close();
