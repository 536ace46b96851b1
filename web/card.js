// What one address shows. The words are decided here, from what is known; nothing else writes an amount.

import { formatEther } from "./saldo/saldo.js";

const template = document.getElementById("card");

/** The card of one address. */
export class Card {
  #known = { at: "start" };
  #freshness;
  #said = "";

  /** `remove` is called by its button, and `announce` is given what a screen reader is to say. */
  constructor(owner, { remove, announce }) {
    this.owner = owner;
    this.element = template.content.firstElementChild.cloneNode(true);
    this.announce = announce;
    this.#text("h2", owner);
    const button = this.#part(".remove");
    button.setAttribute("aria-label", `Remove ${owner}`);
    button.addEventListener("click", remove);
    this.#show();
  }

  /** Takes a change of the watch. */
  take(change) {
    switch (change.kind) {
      case "remembered":
        this.#known = { at: "remembered", last: change.last };
        break;
      case "reading":
        this.#known = { at: "reading", reading: change.reading };
        break;
      case "withdrawn":
        this.#known = { at: "withdrawn", last: change.last };
        break;
      default:
        return;
    }
    this.#freshness = change.freshness;
    this.#show();
  }

  /** The newest proven amount, of whatever age. */
  get proven() {
    const { reading, last } = this.#known;
    return reading === undefined ? last : reading.state === "proven" ? reading : reading.last;
  }

  /** The age of that amount is now this. */
  age(freshness) {
    this.#freshness = freshness;
    this.#show();
  }

  #show() {
    const { reading } = this.#known;
    const proven = this.proven;
    const isNow = reading?.state === "proven" && this.#freshness?.code !== "old";
    const shown = isNow ? "proven" : proven !== undefined ? "earlier" : this.#known.at === "reading" ? "unknown" : "waiting";
    this.element.dataset.shown = shown;
    const words = {
      proven: ["✓", `Proven ${this.#ago()}`],
      earlier: ["◷", `Last proven ${this.#ago()}`],
      unknown: ["?", "Not known"],
      waiting: ["…", "Reading"],
    }[shown];
    this.#text(".sign", words[0]);
    this.#text(".text", words[1]);
    this.#text(".amount", proven === undefined ? "—" : `${formatEther(proven.amount)} ETH`);
    this.#text(".reason", this.#reason());
    this.#text(".proof", proven === undefined ? "" : basis(proven.block));
    const spoken = proven === undefined ? words[1] : `${formatEther(proven.amount)} ether, ${shown === "proven" ? "proven" : "proven earlier"}`;
    if (spoken !== this.#said && shown !== "waiting") this.announce(`${this.owner.slice(0, 6)}…${this.owner.slice(-4)}: ${spoken}. ${this.#reason()}`);
    this.#said = spoken;
  }

  #reason() {
    const { at, reading } = this.#known;
    if (at === "withdrawn") return "The block of the last amount was removed by a reorganisation.";
    if (at === "remembered") return "Checking …";
    if (reading === undefined || reading.state === "proven") return "";
    const { text, nextStep } = reading.why;
    const why = `${text.charAt(0).toUpperCase()}${text.slice(1)}. ${nextStep}`;
    if (reading.state === "unknown") return why;
    const { unconfirmed, provider } = reading;
    return unconfirmed.kind === "claimed" ? `${provider} claims ${formatEther(unconfirmed.amount)} ETH, not proven. ${why}` : why;
  }

  #ago() {
    const seconds = this.#freshness?.ageSeconds;
    if (seconds === undefined) return "at an unknown time";
    if (seconds < 120) return `${seconds} s ago`;
    if (seconds < 7_200) return `${Math.floor(seconds / 60)} min ago`;
    return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h ago` : `${Math.floor(seconds / 86_400)} days ago`;
  }

  #part(selector) {
    return this.element.querySelector(selector);
  }

  #text(selector, text) {
    const part = this.#part(selector);
    // A text that stays the same is left alone: what is selected stays selected.
    if (part.textContent !== text) part.textContent = text;
  }
}

/** How it is known that the block belongs to the chain. */
function basisOfBlock({ level, signers, committeeSize }) {
  switch (level) {
    case "signed":
      return `signed by ${signers} of ${committeeSize}`;
    case "l1_proof_checked":
      return "Ethereum checked a proof of it, and it can still be challenged";
    case "l1_finalized":
      return "Ethereum counts it as true, and the time to challenge it is over";
    default:
      return level;
  }
}

/** What the proof stands on. */
function basis({ number, assurance, origin }) {
  const start = origin.agreedBy.length > 0 ? `trust starts from ${origin.agreedBy.join(", ")}` : "trust starts from a given block";
  return `Block ${number}, ${basisOfBlock(assurance)}; ${start}.`;
}
