// Debian's Chromium, without a window.

import { chromium } from "playwright-core";

import { openSite } from "./site.mjs";

export const EXECUTABLE = process.env.SALDO_CHROMIUM ?? "/usr/bin/chromium";

/** What no test here needs: requests of the browser itself, and a sandbox, which needs rights that a container does not have. */
export const ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"];

/** A browser and a site, for all tests of a file. */
export class Browser {
  static async open() {
    const opened = new Browser();
    opened.site = await openSite();
    opened.chromium = await chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS });
    return opened;
  }

  /** A profile of its own: nothing is stored in it yet. */
  profile(options = {}) {
    return this.chromium.newContext(options);
  }

  /** A page with the package in it. What it violates of its policy, and what it throws, is in `page.faults`. */
  async page(profile, path = "/") {
    const page = await profile.newPage();
    page.faults = [];
    page.on("pageerror", (error) => page.faults.push(String(error)));
    page.on("console", (line) => /Content.Security.Policy/i.test(line.text()) && page.faults.push(line.text()));
    await page.goto(this.site.origin + path);
    if (path === "/") await page.waitForFunction(() => globalThis.saldo !== undefined);
    return page;
  }

  async close() {
    await this.chromium.close();
    await this.site.close();
  }
}
