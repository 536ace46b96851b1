// The package, for what a test runs in this page.
import * as saldo from "/saldo/saldo.js";

const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Reads until the balance of `owner` is proven. */
async function proven(client, owner) {
  for (let left = 100; left > 0; left -= 1) {
    const reading = await client.getBalance({ address: owner });
    if (reading.state === "proven") return reading;
    await sleep(100);
  }
  throw new Error("the balance was not proven");
}

/** Whether this page's policy forbids code made of text. */
function isEvalRefused() {
  try {
    return new Function("return false")();
  } catch {
    return true;
  }
}

Object.assign(globalThis, { saldo, sleep, proven, isEvalRefused: isEvalRefused() });
