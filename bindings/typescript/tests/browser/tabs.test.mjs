// Several tabs and a worker share one storage: nothing is lost, and nothing goes backwards.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";

import { Browser } from "./chromium.mjs";
import { OWNED, Served } from "./served.mjs";

/** How many addresses each tab reads, and for how long. */
const EACH = 40;
const MILLISECONDS = 5_000;

let browser;
before(async () => (browser = await Browser.open()));
after(() => browser.close());

/** Address `index` of the tab `tab`. */
const address = (tab, index) => `0x${String(tab).padStart(2, "0")}${String(index + 1).padStart(38, "0")}`;

/** What one tab does: it proves its own addresses and the common one again and again, and keeps them. */
async function work({ options, owner, own, milliseconds }) {
  const client = await saldo.createClient({ ...options, storage: new saldo.IndexedDbStorage() });
  const holdings = [owner, ...own].map((one) => ({ owner: one }));
  const newest = {};
  const wentBack = [];
  const end = performance.now() + milliseconds;
  const isDone = () => Object.keys(newest).length === holdings.length;
  // On a slow machine the first proofs take longer.
  while (performance.now() < end || (!isDone() && performance.now() < end + 60_000)) {
    const readings = await client.read(holdings);
    for (const [index, reading] of readings.entries()) {
      if (reading.state !== "proven") continue;
      const name = holdings[index].owner;
      if (reading.block.number < (newest[name] ?? 0n)) wentBack.push(name);
      newest[name] = reading.block.number;
    }
  }
  const faults = await client.storageFaults();
  await client.shutdown();
  return { newest, wentBack, faults };
}

test("two tabs that share a storage lose nothing and never go backwards", async () => {
  const served = await Served.open('slot = "1s"\n');
  const profile = await browser.profile();
  const tabs = await Promise.all([1, 2].map(() => browser.page(profile)));
  const given = (tab) => ({
    options: served.options,
    owner: served.owner,
    own: Array.from({ length: EACH }, (_, index) => address(tab, index)),
    milliseconds: MILLISECONDS,
  });

  // What is stored, seen from outside while both write: the version, and the newest block of the common address.
  const witness = await browser.page(profile);
  const watching = witness.evaluate(async ({ options, owner }) => {
    const storage = new saldo.IndexedDbStorage();
    const seen = [];
    while (!globalThis.areTabsDone) {
      const { version } = await storage.load();
      const client = await saldo.createClient({ ...options, storage, isStorageReadOnly: true });
      const last = await client.last({ owner });
      await client.shutdown();
      seen.push({ version, number: last?.block.number ?? 0n });
      await sleep(20);
    }
    return seen;
  }, given(0));
  // While something else holds the lock, both tabs wait with their writes.
  const held = witness.evaluate(() =>
    navigator.locks.request("saldo:saldo", async () => {
      const storage = new saldo.IndexedDbStorage();
      const before = (await storage.load()).version;
      const waiting = async () => (await navigator.locks.query()).pending.filter(({ name }) => name === "saldo:saldo").length;
      let most = 0;
      for (let left = 200; most < 2 && left > 0; left -= 1) {
        await sleep(50);
        most = Math.max(most, await waiting());
      }
      return { most, before, after: (await storage.load()).version };
    }),
  );
  const done = await Promise.all(tabs.map((tab, index) => tab.evaluate(work, given(index + 1))));
  await witness.evaluate(() => (globalThis.areTabsDone = true));
  const seen = await watching;
  const { most, before, after } = await held;

  assert.equal(most, 2, "the tabs do not wait for the Web Lock");
  assert.equal(after, before);
  for (const { wentBack, faults, newest } of done) {
    assert.deepEqual(wentBack, []);
    assert.deepEqual(faults, []);
    assert.equal(Object.keys(newest).length, EACH + 1);
  }
  const { version: newest } = await witness.evaluate(async () => ({ version: (await new saldo.IndexedDbStorage().load()).version }));
  assert.ok(newest >= 2n, `the tabs wrote ${newest} times`);
  for (const [index, { version, number }] of seen.entries()) {
    const before = seen[Math.max(index - 1, 0)];
    assert.ok(version >= before.version && number >= before.number, `${number} after ${before.number}`);
  }

  // A third tab finds what both have proven, and not an older block of it.
  await Promise.all(tabs.map((tab) => tab.close()));
  await served.close();
  const kept = await witness.evaluate(async ({ options, owners }) => {
    const client = await saldo.createClient({ ...options, storage: new saldo.IndexedDbStorage() });
    const last = await Promise.all(owners.map(async (owner) => [owner, await client.last({ owner })]));
    await client.shutdown();
    return last.map(([owner, one]) => ({ owner, amount: one?.amount, number: one?.block.number }));
  }, { options: served.options, owners: [...new Set(done.flatMap(({ newest }) => Object.keys(newest)))] });
  assert.equal(kept.length, 2 * EACH + 1);
  for (const { owner, amount, number } of kept) {
    assert.equal(amount, owner === served.owner ? OWNED : 0n, owner);
    const newest = done.map((one) => one.newest[owner] ?? 0n).reduce((a, b) => (a > b ? a : b));
    assert.ok(number >= newest, `${owner}: kept at ${number}, proven at ${newest}`);
  }
  for (const page of [witness]) assert.deepEqual(page.faults, []);
  await profile.close();
});

test("a tab that is closed while it writes leaves a storage that others read", async () => {
  const served = await Served.open('slot = "1s"\n');
  const profile = await browser.profile();
  for (let round = 0; round < 4; round += 1) {
    const tab = await browser.page(profile);
    const given = { options: served.options, owner: served.owner, own: [address(round, 1)], milliseconds: 30_000 };
    tab.evaluate(work, given).catch(() => {});
    // Each time at another moment of its work.
    await tab.waitForTimeout(1_500 + 150 * round);
    await tab.close();
  }
  const page = await browser.page(profile);
  const { last, faults } = await page.evaluate(async ({ options, owner }) => {
    const client = await saldo.createClient({ ...options, storage: new saldo.IndexedDbStorage() });
    const last = await client.last({ owner });
    await proven(client, owner);
    const faults = await client.storageFaults();
    await client.shutdown();
    return { last, faults };
  }, { options: served.options, owner: served.owner });
  assert.equal(last.amount, OWNED);
  assert.deepEqual(faults, []);
  await profile.close();
  await served.close();
});
