import { createClient } from "saldo";
import { expect, test } from "vitest";

import { drill } from "./drill.js";
import * as wallet from "./wallet.js";

const line = process.env.NAIVE ? wallet.naiveLine : wallet.line;
const owner = "0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1"; // has 1.5 ETH in every scenario

test.for([
  ["scenarios/well.toml", /^1\.5 ETH$/],
  ["scenarios/down.toml", /^not known: /],
  ["scenarios/liars.toml", /^not known: /],
])("%s", { timeout: 30_000 }, async ([scenario, shown]) => {
  const { settings, end } = await drill(scenario);
  const client = await createClient(settings);
  try {
    await expect.poll(() => line(client, owner), { timeout: 20_000 }).toMatch(shown);
  } finally {
    await client.shutdown();
    end();
  }
});
