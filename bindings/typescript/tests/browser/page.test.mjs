// The page of `web/`: its states, its keyboard, what a screen reader gets, a narrow screen, and both colour schemes.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { Browser } from "./chromium.mjs";
import { Served } from "./served.mjs";

const UNUSED = "0x00000000000000000000000000000000000000c3";
/** Where pictures of the page are put, for people to look at. */
const PICTURES = process.env.SALDO_PICTURES;

let browser;
before(async () => (browser = await Browser.open()));
after(() => browser.close());

async function picture(page, name) {
  if (PICTURES === undefined) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
}

/** The page with the network of `served`, and what it asked of any host. */
async function open(served, options = {}) {
  const profile = await browser.profile({ viewport: { width: 760, height: 900 }, ...options });
  const asked = [];
  // The public endpoints are not asked by a test.
  await profile.route(/^https:/, (route) => (asked.push(route.request().url()), route.abort()));
  profile.on("request", (request) => asked.push(request.url()));
  const page = await browser.page(profile, "/web/index.html");
  await page.getByText("Network and endpoints").click();
  await page.getByLabel("Network file").setInputFiles({ name: "network.toml", mimeType: "text/plain", buffer: Buffer.from(served.networkFile) });
  await page.waitForFunction(() => document.getElementById("network").value === "file");
  await page.getByText("Network and endpoints").click();
  return { profile, page, asked };
}

/** Enters an address by keyboard alone. */
async function enter(page, text) {
  await page.getByLabel("Address", { exact: true }).focus();
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
}

test("the page shows what is proven, then an outage with the last amount and its age, and never 0 for it", async () => {
  const served = await Served.open('slot = "1s"\n');
  const { profile, page, asked } = await open(served);
  await enter(page, "0x12");
  await page.getByRole("alert").filter({ hasText: "not an address" }).waitFor();
  await page.getByLabel("Address", { exact: true }).fill("");
  await enter(page, served.owner);
  await enter(page, UNUSED);
  const cards = page.getByRole("list", { name: "Watched addresses" }).getByRole("listitem");
  const [owner, unused] = [cards.nth(0), cards.nth(1)];
  await owner.filter({ hasText: /1\.5 ETH.*Proven \d+ s ago/s }).waitFor();
  await unused.filter({ hasText: /^(?!.*—).*0 ETH.*Proven \d+ s ago/s }).waitFor();
  assert.match(await owner.innerText(), /Block \d+, signed by \d+ of 32; trust starts from a given block\./);
  await page.waitForFunction(() => /1\.5 ether, proven/.test(document.getElementById("said").textContent));
  await picture(page, "proven-light");
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, "proven-dark");

  // The providers are gone, and the beacon sources are there.
  await profile.route((url) => served.providers.includes(url.origin), (route) => route.abort());
  // An address that was never proven has no amount. The others are read again with it: at the newest block, so that what is proven at
  // it stays proven until there is a newer one.
  const gone = owner.filter({ hasText: /1\.5 ETH.*Last proven \d+ (s|min) ago.*could be reached/s });
  for (let byte = 0xd4; byte < 0xdc; byte += 1) {
    const unknown = `0x${byte.toString(16).repeat(20)}`;
    await enter(page, unknown);
    await cards.nth(2).filter({ hasText: /—.*Not known/s }).waitFor();
    if (await gone.waitFor({ timeout: 5_000 }).then(() => true, () => false)) break;
    await page.getByRole("button", { name: new RegExp(`Remove ${unknown}`, "i") }).click();
  }
  assert.equal(await gone.count(), 1);
  assert.doesNotMatch(await owner.innerText(), /\b0 ETH/);
  await page.getByText("Network and endpoints").click();
  await page.getByRole("cell", { name: /CORS/ }).first().waitFor();
  await picture(page, "outage-dark");
  await page.emulateMedia({ colorScheme: "light" });

  await picture(page, "outage-light");

  await page.getByRole("button", { name: new RegExp(`Remove ${UNUSED}`, "i") }).focus();
  await page.keyboard.press("Enter");
  assert.equal(await cards.count(), 2);
  assert.equal(await page.evaluate(() => document.activeElement.id), "address");
  assert.deepEqual(page.faults, []);
  const elsewhere = asked.filter((url) => !url.startsWith(browser.site.origin) && !url.startsWith("http://127.0.0.1:"));
  assert.deepEqual(elsewhere, []);
  await profile.close();
  await served.close();
});

test("the page fits 320 px, and everything in it can be reached and is named", async () => {
  const served = await Served.open('slot = "1s"\n');
  const { profile, page } = await open(served, { viewport: { width: 320, height: 640 } });
  await enter(page, served.owner);
  await page.getByText(/Proven \d+ s ago/).waitFor();
  for (const summary of await page.locator("summary").all()) await summary.click();
  await page.getByRole("cell", { name: "anna" }).waitFor();
  await picture(page, "narrow");
  const found = await page.evaluate(() => ({
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    small: [...document.querySelectorAll("button, input, select, summary")]
      .filter((one) => one.getBoundingClientRect().height < 24)
      .map((one) => one.outerHTML),
    lang: document.documentElement.lang,
  }));
  assert.deepEqual(found, { overflow: 0, small: [], lang: "en" });
  // By keyboard, from the first part to the last.
  await page.evaluate(() => document.activeElement.blur());
  const reached = [];
  for (let step = 0; step < 12; step += 1) {
    await page.keyboard.press("Tab");
    reached.push(
      await page.evaluate(() => {
        const { activeElement: one } = document;
        if (one === document.body) return "";
        return one.labels?.[0]?.textContent ?? one.getAttribute("aria-label") ?? one.textContent.trim().split("\n")[0];
      }),
    );
  }
  assert.ok(reached.some((name) => name.toLowerCase() === `remove ${served.owner}`), reached.join(" | "));
  for (const name of ["Address", "Watch", "Network and endpoints", "Network", "What you trust"]) {
    assert.ok(reached.includes(name), `${name} is not among ${reached.join(" | ")}`);
  }
  assert.deepEqual(page.faults, []);
  await profile.close();
  await served.close();
});
