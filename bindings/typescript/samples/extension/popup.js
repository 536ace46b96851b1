// Shows the remembered amount at once, and then what is proven now.

import { owner } from "./settings.js";
import { formatEther } from "./saldo/saldo.js";

const show = (id, text) => (document.getElementById(id).textContent = text);
const ether = (amount) => `${formatEther(BigInt(amount))} ETH`;

show("owner", owner);
const last = await chrome.runtime.sendMessage("remembered");
if (last !== null) {
  show("amount", ether(last.amount));
  show("state", `proven ${last.age === undefined ? "before" : `${last.age} s ago`}; checking …`);
} else {
  show("state", "checking …");
}
const now = await chrome.runtime.sendMessage("read");
if (now?.state === "proven") {
  show("amount", ether(now.amount));
  show("state", `proven at block ${now.block}`);
} else {
  show("state", `not known now: ${now?.why ?? "the extension was ended"}${last === null ? "" : "; above is what was proven last"}`);
}
