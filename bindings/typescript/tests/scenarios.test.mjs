// Every scenario of the common table shows what the table says: tests/ffi/scenarios.toml.

import { test } from "node:test";
import assert from "node:assert/strict";

import { createClient } from "saldo";

import { SwitchedStorage, SwitchedTransport, World, scenarioNames } from "./drill.mjs";
import { Difference, compare, compareReadings, of } from "./shown.mjs";

/** How many scenarios run at the same time: most of their time is spent waiting. */
const AT_ONCE = 6;
const PAUSE_MS = 100;

const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** A scenario in progress. */
class Scenario {
  static async open(name) {
    const scenario = new Scenario();
    scenario.world = await World.open(name);
    scenario.http = new SwitchedTransport();
    scenario.memory = new SwitchedStorage();
    await scenario.reopen();
    return scenario;
  }

  async reopen() {
    this.client = await createClient({ ...this.world.options, transport: this.http, storage: this.memory });
  }

  async step(step) {
    const end = performance.now() + (step.within_ms ?? 0);
    if (step.call === "watch_until") return this.watchUntil(step, end);
    for (;;) {
      const began = performance.now();
      try {
        return await this.once(step);
      } catch (difference) {
        if (!(difference instanceof Difference) || performance.now() >= end) throw difference;
      } finally {
        const took = performance.now() - began;
        assert.ok(took <= (step.at_most_ms ?? Infinity), `it took ${took} ms`);
      }
      await sleep(PAUSE_MS);
    }
  }

  async once(step) {
    const { client } = this;
    const { expect } = step;
    switch (step.call) {
      case "balance":
        return compareReadings([await this.on(step).getBalance({ address: step.owner })], [expect]);
      case "account": {
        const { balance, nonce } = await client.getAccount({ address: step.owner });
        return compare({ ...of.reading(balance, expect), nonce }, expect);
      }
      case "read":
        return compareReadings(await client.read(holdings(step)), expect);
      case "read_patiently":
        return compareReadings(await client.readPatiently(holdings(step), { patienceMs: step.patience_ms }), expect);
      case "finalized":
        return compareReadings(await client.finalized(holdings(step)), expect);
      case "last":
        return compare(of.last(await client.last(holding(step.holding))), expect);
      case "withdrawn":
        return compare(of.last(await client.withdrawn(holding(step.holding))), expect);
      case "totals":
        return each(await client.totals(holdings(step)), expect, of.total);
      case "token":
        return compare(of.token(await client.getToken({ token: step.token })), expect);
      case "token_list":
        return compare(of.tokenList(await client.readTokenList(step.json)), expect);
      case "check":
        return each(await client.check(claims(step)), expect, of.verdict);
      case "health":
        return compare(of.health(await this.on(step).health()), expect);
      case "freshness": {
        const { code } = await client.freshness(await client.last(holding(step.holding)));
        return compare({ code }, { code: expect });
      }
      case "evidence":
        return compare({ at_least: Math.min((await client.evidence()).length, expect.at_least) }, expect);
      case "consensus_fault":
        return compare({ is_there: (await client.consensusFault()) !== undefined }, expect);
      case "storage_faults": {
        const codes = (await client.storageFaults()).map((fault) => fault.code);
        if ((expect.length === 0 && codes.length > 0) || expect.some((code) => !codes.includes(code))) {
          throw new Difference(`the faults are ${codes}, expected ${expect}`);
        }
        return;
      }
      case "watch_ended":
        for await (const change of this.watch) throw new Difference(`the watch has not ended: ${change.kind}`);
        return;
      case "cancel":
        return this.cancel(step);
      default:
        return this.act(step);
    }
  }

  /** The client for calls about the network of the step. */
  on(step) {
    return step.network_id === undefined ? this.client : this.client.on(step.network_id);
  }

  async act(step) {
    switch (step.call) {
      case "watch_open":
        this.watch = this.client.watch(holdings(step));
        this.left = [];
        return;
      case "watch_cancel":
        for (let left = step.times; left > 0; left -= 1) await this.cancelNext(step.after_ms);
        return;
      case "transport":
        this.http.does = step.does;
        return;
      case "storage":
        this.memory.does = step.does;
        return;
      case "event":
        return this.world.happen(step.at);
      case "network_changed":
        return this.client.networkChanged(step.is_online);
      case "start_again":
        return this.client.startAgain(step.checkpoint);
      case "adopt":
        return this.client.adopt(step.network);
      case "forget":
        return this.client.forget(holding(step.holding));
      case "restart":
        await this.client.shutdown();
        return this.reopen();
      case "shutdown":
        return this.client.shutdown();
      default:
        throw new Error(`the runner does not know the step ${step.call}`);
    }
  }

  async cancel(step) {
    const ended = new AbortController();
    let isDone = false;
    const read = this.client.getBalance({ address: step.owner, signal: ended.signal }).finally(() => (isDone = true));
    read.catch(() => {});
    await sleep(step.after_ms);
    // A busy machine may not have begun a request by then.
    await until(() => this.http.inProgress > 0 || isDone, 5_000);
    assert.ok(!isDone && this.http.inProgress > 0, "the read is not in progress");
    ended.abort();
    await assert.rejects(read, { name: "AbortError" });
    await until(() => this.http.inProgress === 0, 1_000);
    compare({ requests_left: this.http.inProgress }, step.expect);
  }

  /** Cancels a wait for the next change. One that came in time is put back. */
  async cancelNext(afterMs) {
    const ended = new AbortController();
    const timer = setTimeout(() => ended.abort(), afterMs);
    try {
      this.left.push(...(await this.watch.next({ signal: ended.signal })));
    } catch (error) {
      assert.equal(error.name, "AbortError");
    } finally {
      clearTimeout(timer);
    }
  }

  async watchUntil(step, end) {
    const seen = [];
    for (;;) {
      if (this.left.length === 0) {
        const signal = AbortSignal.timeout(Math.max(1, Math.ceil(end - performance.now())));
        try {
          this.left.push(...(await this.watch.next({ signal })));
        } catch (error) {
          if (error.name !== "AbortError") throw error;
          throw new Difference(`no such change came, but ${seen}`);
        }
        assert.notEqual(this.left.length, 0, "the watch has ended");
      }
      try {
        return compare(of.change(this.left.shift(), step.expect), step.expect);
      } catch (difference) {
        if (!(difference instanceof Difference)) throw difference;
        seen.push(difference.message);
      }
    }
  }
}

function holding({ network_id: chainId, owner, token, ...others }) {
  assert.deepEqual(others, {});
  return { chainId, owner, token: token ?? undefined };
}

const holdings = (step) => step.holdings.map(holding);

const claims = (step) =>
  step.claims.map(({ holding: told, amount, block }) => ({
    holding: holding(told),
    amount: BigInt(amount),
    block: block === undefined || block === null ? undefined : BigInt(block),
  }));

function each(shown, expected, of_) {
  if (shown.length !== expected.length) throw new Difference(`${shown.length} items, expected ${expected.length}`);
  shown.forEach((one, index) => compare(of_(one), expected[index]));
}

async function until(holds, withinMs) {
  const end = performance.now() + withinMs;
  while (!holds() && performance.now() < end) await sleep(5);
}

async function play(name) {
  const scenario = await Scenario.open(name);
  try {
    for (const [index, step] of scenario.world.steps.entries()) {
      try {
        await scenario.step(step);
      } catch (error) {
        throw new Error(`step ${index + 1}, ${JSON.stringify(step)}: ${error.message}`, { cause: error });
      }
    }
  } finally {
    await scenario.client.shutdown();
    await scenario.world.close();
  }
}

test("every scenario shows what the table says", { concurrency: AT_ONCE, timeout: 280_000 }, async (t) => {
  await Promise.all(scenarioNames().map((name) => t.test(name, () => play(name))));
});
