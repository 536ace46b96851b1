// Watches the balances of the addresses that are entered. It asks only the endpoints of the network; what it proved stays in this browser.

import { IndexedDbStorage, createClient } from "./saldo/saldo.js";
import { Card } from "./card.js";

const ADDRESSES = "saldo.addresses";
const NETWORK = "saldo.network";
/** How often the ages and the endpoints are shown anew. */
const REFRESH_MS = 1_000;

const byId = (id) => document.getElementById(id);
const cards = new Map();
let client;
let watching;
let networkFile;

/** Says `text` in the live region. What is said at once is said together. */
let unsaid = [];
function announce(text) {
  unsaid.push(text);
  if (unsaid.length > 1) return;
  setTimeout(() => {
    byId("said").textContent = unsaid.join(" ");
    unsaid = [];
  }, 300);
}

/** The settings for what is chosen: a built-in network with its public endpoints, or a network file with its own. */
function settings() {
  if (networkFile !== undefined) return { network: networkFile.text, directoryFile: networkFile.text, storage: new IndexedDbStorage(networkFile.name) };
  const network = byId("network").value;
  return { network, useDirectory: true, storage: new IndexedDbStorage(`saldo.${network}`) };
}

/** Makes a client of what is chosen, in place of the one before. */
async function start() {
  const before = client;
  client = undefined;
  watching?.abort();
  await before?.shutdown();
  try {
    client = await createClient(settings());
  } catch (error) {
    byId("refused").textContent = `This network cannot be used: ${error.message}`;
    return;
  }
  byId("refused").textContent = "";
  await watch();
}

/** Watches the addresses that have a card. */
async function watch() {
  watching?.abort();
  if (client === undefined || cards.size === 0) return;
  const { signal } = (watching = new AbortController());
  const holdings = [...cards.keys()].map((owner) => ({ owner }));
  try {
    for await (const changes of client.watch(holdings, { signal }).batches()) {
      for (const change of changes) take(change);
    }
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
}

function take(change) {
  if (change.holding !== undefined) cards.get(change.holding.owner.toLowerCase())?.take(change);
  if (change.kind === "storage" && change.unwritten !== undefined) announce(`This browser keeps nothing: ${change.unwritten}.`);
  if (change.kind !== "activity") return;
  const words = {
    offline: "This device is offline.",
    no_new_heads: "No source has a new signed block.",
    backing_off: "The endpoints failed; they are asked again soon.",
  }[change.activity.code];
  byId("activity").hidden = words === undefined;
  byId("activity").textContent = words ?? "";
}

function add(owner) {
  const name = owner.toLowerCase();
  if (cards.has(name)) return;
  const card = new Card(owner, { remove: () => remove(name), announce });
  cards.set(name, card);
  byId("cards").append(card.element);
  keep();
}

function remove(name) {
  const card = cards.get(name);
  cards.delete(name);
  card.element.remove();
  keep();
  announce(`${card.owner} is removed.`);
  byId("address").focus();
  client?.forget({ owner: card.owner });
  watch();
}

function keep() {
  byId("empty").hidden = cards.size > 0;
  localStorage.setItem(ADDRESSES, JSON.stringify([...cards.values()].map(({ owner }) => owner)));
}

/** Shows the ages and the endpoints as they are now. */
async function refresh() {
  const asked = client;
  if (asked === undefined) return;
  for (const card of cards.values()) {
    if (card.proven !== undefined) card.age(await asked.freshness(card.proven));
  }
  const { endpoints } = (await asked.health()) ?? { endpoints: [] };
  const rows = endpoints.map(({ provider, role, state, failureText }) => {
    const row = document.createElement("tr");
    for (const text of [provider, role, failureText === undefined ? state : `${state}: ${failureText}`]) {
      row.insertCell().textContent = text;
    }
    return row;
  });
  const shown = byId("endpoints");
  if (rows.map((row) => row.textContent).join() !== [...shown.rows].map((row) => row.textContent).join()) shown.replaceChildren(...rows);
}

byId("add").addEventListener("submit", (event) => {
  event.preventDefault();
  const typed = byId("address").value.trim();
  const owner = client?.getAddress(typed);
  byId("refused").textContent = owner === undefined ? "This is not an address, or its checksum is wrong." : "";
  byId("address").setAttribute("aria-invalid", String(owner === undefined));
  if (owner === undefined) return;
  byId("address").value = "";
  add(owner);
  watch();
});

byId("network").addEventListener("change", () => {
  networkFile = undefined;
  localStorage.setItem(NETWORK, byId("network").value);
  renew();
});

byId("file").addEventListener("change", async () => {
  const [file] = byId("file").files;
  if (file === undefined) return;
  const text = await file.text();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  // A storage for each file: a drill begins a new chain each time.
  networkFile = { text, name: `saldo.file.${[...digest.subarray(0, 8)].join("-")}` };
  byId("network").value = "file";
  renew();
});

/** Begins again with another network: no amount of the old one stays on the screen. */
function renew() {
  const owners = [...cards.values()].map(({ owner }) => owner);
  byId("cards").replaceChildren();
  byId("endpoints").replaceChildren();
  cards.clear();
  owners.forEach(add);
  start();
}

for (const name of ["online", "offline"]) addEventListener(name, () => client?.networkChanged(name === "online"));
document.addEventListener("visibilitychange", () => client?.setPace(document.hidden ? "background" : "foreground"));

byId("network").value = localStorage.getItem(NETWORK) ?? "mainnet";
JSON.parse(localStorage.getItem(ADDRESSES) ?? "[]").forEach(add);
setInterval(() => refresh().catch(() => {}), REFRESH_MS);
await start();
