// Reads the same balance again and again: the memory stays flat, and no handle is left.
// Usage: node --expose-gc tests/memory.mjs [READS]; 20,000 by default.

import assert from "node:assert/strict";

import { FetchTransport, MemoryStorage } from "saldo";

import { start } from "../dist/native/running.js";
import { compile } from "../dist/module.js";
import { systemClock } from "../dist/clock.js";
import { World } from "./drill.mjs";

const reads = Number(process.argv[2] ?? 20_000);
const world = await World.open("proven");
const parts = {
  module: await compile(undefined),
  options: world.options,
  clock: systemClock,
  transport: new FetchTransport(),
  storage: new MemoryStorage(),
};
const { client, saldo, guard } = await start(parts, { networks: new Map() });

/** What is in use now: the heap of JavaScript after a collection, the memory of the module, and the whole process, in KiB. */
function used() {
  globalThis.gc();
  const { heapUsed, rss } = process.memoryUsage();
  return [heapUsed, guard.exports.memory.buffer.byteLength, rss].map((bytes) => Math.round(bytes / 1024));
}

const measured = [];
let provenReads = 0;
for (let done = 0; done < reads; done += 1) {
  if (done % (reads / 5) === 0) measured.push(used());
  const reading = await client.balance(world.owner);
  provenReads += Number(reading.tag === "Proven");
}
measured.push(used());
await client.storageFaults();
console.log(`${reads} reads, ${provenReads} of them proven`);
console.log("heap, module, process, in KiB:", measured.map((each) => each.join(" ")).join(" | "));

// The first fifth warms up.
const [, warm] = measured;
const [heap, module] = measured.at(-1);
const grown = (heap - warm[0]) * 1024;
const perRead = grown / (reads * 0.8);
console.log(`the heap grew by ${perRead.toFixed(1)} bytes a read after the first fifth`);
assert.ok(provenReads > reads * 0.9, "too few reads were proven");
assert.ok(perRead < 64, "the heap grows");
assert.equal(module, warm[1], "the memory of the module grows");
await client.shutdown();
await new Promise((done) => setTimeout(done, 100));
assert.deepEqual(saldo.handles(), { futures: 0, foreign: 0 });
assert.equal(guard.waiting, 0);
console.log("no handle is left");
await world.close();
