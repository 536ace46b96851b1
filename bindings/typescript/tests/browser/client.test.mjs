// What a page shows at its start, in an outage, of a liar, after a restart, and offline.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";

import { World } from "../drill.mjs";
import { Browser } from "./chromium.mjs";
import { OWNED, Served } from "./served.mjs";

let browser;
before(async () => (browser = await Browser.open()));
after(() => browser.close());

const SECOND_SLOTS = 'slot = "1s"\n';

/** Runs `use` with a scenario, a page of a new profile, and what the page needs of the scenario. */
async function inPage(scenario, use) {
  const [served, profile] = [await Served.open(scenario), await browser.profile()];
  try {
    const page = await browser.page(profile);
    await use({ served, profile, page, given: { options: served.options, owner: served.owner } });
    assert.deepEqual(page.faults, []);
  } finally {
    await profile.close();
    await served.close();
  }
}

test("a page starts cold and proves a balance, under a policy without unsafe-eval", () =>
  inPage(SECOND_SLOTS, async ({ page, given }) => {
    const shown = await page.evaluate(async ({ options, owner }) => {
      const client = await saldo.createClient(options);
      const reading = await proven(client, owner);
      const { code } = await client.freshness(reading);
      await client.shutdown();
      return { isEvalRefused: globalThis.isEvalRefused, reading, code };
    }, given);
    assert.equal(shown.isEvalRefused, true);
    assert.equal(shown.reading.amount, OWNED);
    assert.equal(shown.reading.isRestored, false);
    assert.ok(shown.reading.block.assurance.signers > 0);
    assert.equal(shown.code, "fresh");
  }));

test("an outage of everything is unknown, with the last amount and its age, also after a restart, and never 0", () =>
  inPage(SECOND_SLOTS, async ({ served, profile, page, given }) => {
    await page.evaluate(async ({ options, owner }) => {
      const client = await saldo.createClient({ ...options, storage: new saldo.IndexedDbStorage() });
      await proven(client, owner);
      await client.storageFaults();
      globalThis.client = client;
    }, given);
    await served.close();
    // A block is some seconds old before its amount has an age to show.
    await page.waitForTimeout(2_000);
    const look = async ({ owner }) => {
      const reading = await client.getBalance({ address: owner });
      const age = reading.last && (await client.freshness(reading.last)).ageSeconds;
      return { reading, age, remembered: await client.last({ owner }) };
    };
    const before = await page.evaluate(look, given);
    assert.equal(before.reading.state, "unknown");
    assert.equal(before.reading.why.code, "all_unreachable");
    assert.equal(before.reading.last.amount, OWNED);
    assert.ok(before.age >= 1, `the age is ${before.age}`);
    assert.ok(!("amount" in before.reading));

    await page.close();
    const next = await browser.page(profile);
    const offered = await next.evaluate(async ({ options, owner }) => {
      globalThis.client = await saldo.createClient({ ...options, storage: new saldo.IndexedDbStorage() });
      // The first thing that a screen shows, before any request.
      return client.last({ owner });
    }, given);
    assert.equal(offered.amount, OWNED);
    assert.equal(offered.isRestored, true);
    const after = await next.evaluate(look, given);
    assert.equal(after.reading.state, "unknown");
    assert.equal(after.reading.last.amount, OWNED);
    assert.equal(after.reading.last.isRestored, true);
    assert.ok(after.age >= before.age);
    assert.deepEqual(next.faults, []);
  }));

test("a liar that says 0 is refused, and an honest provider is enough", () =>
  inPage(
    `${SECOND_SLOTS}
    [[event]]
    at = "0s"
    who = "anna, bert"
    faults = [{ truncated_proof = { nodes = 1 } }]`,
    async ({ page, given }) => {
      const shown = await page.evaluate(async ({ options, owner }) => {
        const amounts = [];
        const client = await saldo.createClient(options);
        for (let left = 10; left > 0; left -= 1) {
          const reading = await client.getBalance({ address: owner });
          if (reading.state === "proven") amounts.push(reading.amount);
          else if (reading.last !== undefined) amounts.push(reading.last.amount);
        }
        const evidence = await client.evidence();
        await client.shutdown();
        return { amounts, evidence };
      }, given);
      assert.ok(shown.amounts.length > 0);
      assert.deepEqual(new Set(shown.amounts), new Set([OWNED]));
      assert.ok(shown.evidence.length > 0);
      assert.ok(shown.evidence.every(({ provider }) => provider !== "cleo"));
    },
  ));

test("a page that goes offline says so, and proves again when it is back", () =>
  inPage(SECOND_SLOTS, async ({ profile, page, given }) => {
    await page.evaluate(async ({ options, owner }) => {
      globalThis.client = await saldo.createClient(options);
      for (const name of ["online", "offline"]) addEventListener(name, () => client.networkChanged(name === "online"));
      await proven(client, owner);
    }, given);
    await profile.setOffline(true);
    const away = await page.evaluate(async ({ owner }) => {
      const other = `0x${"c3".repeat(20)}`;
      return { known: await client.getBalance({ address: owner }), other: await client.getBalance({ address: other }) };
    }, given);
    assert.equal(away.other.state, "unknown");
    assert.equal(away.other.why.code, "device_offline");
    assert.equal(away.other.last, undefined);
    const known = away.known.state === "proven" ? away.known : away.known.last;
    assert.equal(known.amount, OWNED);
    await profile.setOffline(false);
    const back = await page.evaluate(async ({ owner }) => {
      const reading = await proven(client, owner);
      await client.shutdown();
      return reading;
    }, given);
    assert.equal(back.amount, OWNED);
  }));

test("what a browser hides is said as what it can be, and not as a provider that is down", async () => {
  // These servers answer, but send no CORS headers.
  const [world, profile] = [await World.open("proven"), await browser.profile()];
  const page = await browser.page(profile);
  const shown = await page.evaluate(
    async ({ options, owner }) => {
      const client = await saldo.createClient(options);
      const reading = await client.getBalance({ address: owner });
      const health = await client.health();
      await client.shutdown();
      return { reading, health };
    },
    { options: world.options, owner: world.owner },
  );
  await profile.close();
  await world.close();
  assert.equal(shown.reading.state, "unknown");
  assert.equal(shown.reading.last, undefined);
  const said = [...shown.reading.attempts.map(({ detail }) => detail), ...shown.health.endpoints.map(({ failureText }) => failureText)];
  assert.ok(said.length > 0);
  for (const text of said) {
    for (const cause of ["down", "CORS", "policy", "HTTPS", "extension"]) assert.ok(text.includes(cause), text);
  }
});

test("a worker reads and keeps what it proved, and the page remembers it", () =>
  inPage(SECOND_SLOTS, async ({ page, given }) => {
    const shown = await page.evaluate(async ({ options, owner }) => {
      const worker = new Worker("/worker.js", { type: "module" });
      const told = new Promise((done, fail) => {
        worker.onmessage = ({ data }) => done(data);
        worker.onerror = (event) => fail(new Error(event.message));
      });
      worker.postMessage({ options, owner });
      const { reading, faults } = await told;
      worker.terminate();
      const client = await saldo.createClient({ ...options, storage: new saldo.IndexedDbStorage() });
      const last = await client.last({ owner });
      await client.shutdown();
      return { reading, faults, last };
    }, given);
    assert.equal(shown.reading.amount, OWNED);
    assert.deepEqual(shown.faults, []);
    assert.equal(shown.last.amount, OWNED);
    assert.equal(shown.last.isRestored, true);
  }));

test("a thousand holdings are read together, and each is proven", () =>
  inPage(SECOND_SLOTS, async ({ page, given }) => {
    const shown = await page.evaluate(async ({ options, owner }) => {
      const client = await saldo.createClient({ ...options, storage: new saldo.IndexedDbStorage() });
      const owners = Array.from({ length: 999 }, (_, index) => `0x${(index + 1).toString(16).padStart(40, "0")}`);
      const holdings = [owner, ...owners].map((one) => ({ owner: one }));
      const readings = await client.readPatiently(holdings, { patienceMs: 40_000 });
      const faults = await client.storageFaults();
      await client.shutdown();
      const next = await saldo.createClient({ ...options, storage: new saldo.IndexedDbStorage() });
      const last = await Promise.all(holdings.map((holding) => next.last(holding)));
      await next.shutdown();
      return {
        states: readings.map(({ state }) => state),
        amounts: readings.map((reading) => reading.amount),
        remembered: last.map((one) => one?.amount),
        faults,
      };
    }, given);
    assert.deepEqual(new Set(shown.states), new Set(["proven"]));
    assert.equal(shown.amounts[0], OWNED);
    assert.ok(shown.amounts.slice(1).every((amount) => amount === 0n));
    assert.deepEqual(shown.remembered, shown.amounts);
    assert.deepEqual(shown.faults, []);
  }));
