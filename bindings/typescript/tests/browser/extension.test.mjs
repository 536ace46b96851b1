// The sample extension in Chromium: its service worker is ended, woken, and remembers.

import { after, test } from "node:test";
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { ARGUMENTS, EXECUTABLE } from "./chromium.mjs";
import { pagesOf } from "./processor-time.mjs";
import { OWNED, Served } from "./served.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "saldo-extension-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** How often the worker is ended and woken for the figure. */
const STARTS = 5;

/** The sample as a user loads it, with the drill's endpoints. */
function unpacked({ options, owner }) {
  const extension = join(folder, "extension");
  cpSync(here("../../samples/extension"), extension, { recursive: true });
  for (const name of ["saldo.js", "saldo.wasm"]) cpSync(here(`../../dist/${name}`), join(extension, "saldo", name));
  const text = `export const options = ${JSON.stringify(options)};\nexport const owner = ${JSON.stringify(owner)};\n`;
  writeFileSync(join(extension, "settings.js"), text);
  const manifest = JSON.parse(readFileSync(join(extension, "manifest.json"), "utf8"));
  manifest.host_permissions = ["http://127.0.0.1/*"];
  writeFileSync(join(extension, "manifest.json"), JSON.stringify(manifest));
  return extension;
}

test("the service worker of an extension is ended and woken, and shows what it remembers", async () => {
  const served = await Served.open('slot = "1s"\n');
  const extension = unpacked(served);
  const context = await chromium.launchPersistentContext(join(folder, "profile"), {
    executablePath: EXECUTABLE,
    // The old way to run without a window knows no extensions.
    channel: "chromium",
    headless: true,
    args: [...ARGUMENTS, `--load-extension=${extension}`, `--disable-extensions-except=${extension}`],
    ignoreDefaultArgs: ["--disable-extensions"],
  });
  try {
    const [worker] = context.serviceWorkers().length > 0 ? context.serviceWorkers() : [await context.waitForEvent("serviceworker")];
    const popup = await context.newPage();
    await popup.goto(new URL("popup.html", worker.url()).href);
    const ask = (question) => popup.evaluate((one) => chrome.runtime.sendMessage(one), question);

    let first = await ask("read");
    for (let left = 5; first.state !== "proven" && left > 0; left -= 1) first = await ask("read");
    assert.deepEqual({ state: first.state, amount: first.amount }, { state: "proven", amount: String(OWNED) });
    await popup.reload();
    await popup.waitForFunction(() => document.getElementById("state").textContent.startsWith("proven"));

    const devtools = await context.browser().newBrowserCDPSession();
    const workers = async () => (await devtools.send("Target.getTargets")).targetInfos.filter(({ type }) => type === "service_worker");
    const end = async () => {
      for (const { targetId } of await workers()) await devtools.send("Target.closeTarget", { targetId });
      for (let left = 100; (await workers()).length > 0; left -= 1) {
        assert.ok(left > 0, "the service worker does not end");
        await popup.waitForTimeout(50);
      }
    };
    // From now on nothing can be asked.
    await served.close();

    const used = await pagesOf(devtools);
    const times = [];
    for (let start = 0; start < STARTS; start += 1) {
      await end();
      await popup.waitForTimeout(500);
      const [before, began] = [used(), performance.now()];
      const remembered = await ask("remembered");
      times.push({ processor: used() - before, elapsed: performance.now() - began });
      assert.equal(remembered.amount, String(OWNED));
      assert.ok(remembered.age >= 0);
      assert.equal((await workers()).length, 1);
    }
    console.log("a start from storage to the remembered amount, in ms of processor time and of time:");
    console.log(times.map(({ processor, elapsed }) => `${processor.toFixed(0)} (${elapsed.toFixed(0)})`).join(", "));

    // In the outage there is no answer that shows 0.
    const away = await ask("read");
    assert.equal(away.state, "unknown");
    assert.equal(away.amount, undefined);
  } finally {
    await context.close();
    await served.close();
  }
});
