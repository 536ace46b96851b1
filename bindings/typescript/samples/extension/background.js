// The service worker. The browser ends it after 30 seconds of idleness, or at any time; whatever wakes it makes the client again, from storage.

import { ExtensionStorage, createClient } from "./saldo/saldo.js";
import { options, owner } from "./settings.js";

const holding = { owner };
const client = createClient({ ...options, storage: new ExtensionStorage() });

/** The questions of the popup. An answer is JSON, which has no `bigint`. */
const answers = {
  /** The last proven amount with its age; `null` if none is known. It makes no request. */
  async remembered() {
    const saldo = await client;
    const last = await saldo.last(holding);
    return last === undefined ? null : { amount: String(last.amount), age: (await saldo.freshness(last)).ageSeconds };
  },
  /** What is known now. */
  async read() {
    const saldo = await client;
    const [reading] = await saldo.readPatiently([holding], { patienceMs: 15_000 });
    // What was proven is written before the browser may end this worker.
    await saldo.storageFaults();
    if (reading.state === "proven") return { state: reading.state, amount: String(reading.amount), block: String(reading.block.number) };
    return { state: reading.state, why: reading.why.text };
  },
};

// Listeners are added at once: an event that wakes the worker comes right after its first run.
chrome.runtime.onMessage.addListener((question, _, answer) => {
  const ask = Object.hasOwn(answers, question) ? answers[question] : undefined;
  if (ask === undefined) return false;
  ask().then(answer, () => answer(null));
  return true;
});

chrome.runtime.onInstalled.addListener(() => void chrome.alarms.create("refresh", { periodInMinutes: 30 }));
chrome.alarms.onAlarm.addListener(async () => {
  const saldo = await client;
  await saldo.refresh({ withinMs: 20_000 });
});
