// What is known about an amount right now.

import type { Attempt, Block } from "./block.js";
import type { Derivation } from "./derivation.js";
import type { Holding } from "./holding.js";
import type { Hex } from "./hex.js";
import type { Why } from "./why.js";

/**
 * What is known about an amount right now. Not knowing is a value, not an error.
 *
 * Closed: a new state is a major version. End a `switch` over `state` with `default: return never(reading)`, where `never` takes a
 * parameter of the type `never`. Code that forgets a state then does not compile.
 */
export type Reading = Proven | Provisional | Unknown;

/** A Merkle proof shows the amount, under a header that the chain's sync committee signed. */
export interface Proven {
  readonly state: "proven";
  /** The holding that was asked about. */
  readonly holding: Holding;
  /** The amount, in base units: wei for the network's own coin. */
  readonly amount: bigint;
  /** Whether the token's issuer has frozen the amount, so that it cannot be moved. Show it. */
  readonly isFrozen: boolean;
  /** How the balance of a token was derived; `undefined` for the network's own coin. */
  readonly derivation: Derivation | undefined;
  /** The account's nonce, which the same proof shows; `undefined` for a token. */
  readonly nonce: number | undefined;
  /** The block that it is true at. */
  readonly block: Block;
  /** The provider that served the proof. The amount does not depend on the provider. */
  readonly provider: string;
  /** Whether it was proven before this client was made. Show it with its age. */
  readonly isRestored: boolean;
  /** The requests that led to it; empty for a remembered amount. */
  readonly attempts: readonly Attempt[];
}

/** A provider claims an amount that cannot be proven yet. Anyone can invent a claim, so it never replaces an amount. */
export interface Provisional {
  readonly state: "provisional";
  /** The claimed amount. */
  readonly unconfirmed: Unconfirmed;
  /** The state root of the claim, which is not signed yet. */
  readonly stateRoot: Hex;
  /** The provider that claims it. */
  readonly provider: string;
  /** How many operators name the block of the claim; `undefined` for fewer than two, and where they were not asked. */
  readonly quorum: Quorum | undefined;
  /** Why it is not proven. */
  readonly why: Why;
  /** The newest proven amount before it. Continue to show it, with its age. `undefined` means that no amount is known, which is not zero. */
  readonly last: Proven | undefined;
  /** The requests for this reading. */
  readonly attempts: readonly Attempt[];
}

/** Several independent operators name the block of a claim. A label: it makes nothing proven. */
export interface Quorum {
  /** How many operators name it. */
  readonly operators: number;
  /** What one trusts in that, for people. */
  readonly text: string;
}

/** Nothing was proven. Show the reason, and the last proven amount with its age. */
export interface Unknown {
  readonly state: "unknown";
  /** Why nothing was proven. */
  readonly why: Why;
  /** The newest proven amount before it. Continue to show it, with its age. `undefined` means that no amount is known, which is not zero. */
  readonly last: Proven | undefined;
  /** The requests for this reading. */
  readonly attempts: readonly Attempt[];
}

/** The amount of a claim: `claimed` is never zero, because a claim is not enough to show zero. */
export type Unconfirmed = { readonly kind: "claimed"; readonly amount: bigint } | { readonly kind: "not_shown" };

/** The balance of an account, and the nonce that the same proof shows. */
export interface AccountReading {
  /** The reading of the native balance. */
  readonly balance: Reading;
  /** The number of transactions sent from the account; `undefined` if the balance is not proven, and the reading says why. */
  readonly nonce: number | undefined;
}

/** A holding and its reading. */
export interface HeldReading {
  readonly holding: Holding;
  readonly reading: Reading;
}

/** How old an amount is, by the client's policy. True at the moment when it was made. */
export interface Freshness {
  /** `fresh`: within the policy. `old`: show it with its age. `unknown`: the device's clock is off. */
  readonly code: "fresh" | "old" | "unknown" | (string & {});
  /** The age in seconds; `undefined` if the device's clock is off. */
  readonly ageSeconds: number | undefined;
}

/** The time that the protocol uses. */
export interface Now {
  /** The later of the device's clock and the chain's certain time, in seconds since 1970. */
  readonly timestamp: number;
  /** Whether the device's clock is behind a time that has certainly come, so that no age is known. */
  readonly isClockOff: boolean;
}

/** An invented reading for the preview of a screen. Its chain id is 0, which no network has. */
export interface Sample {
  /** What it shows, for example `proven` or `unknown_with_last`. */
  readonly name: string;
  readonly reading: Reading;
  readonly freshness: Freshness | undefined;
}

/** Takes what cannot be: the end of a `switch` over a closed union. Throws a `TypeError` if it is reached all the same. */
export function never(value: never): never {
  throw new TypeError(`a value of a kind that this program does not know: ${String(value)}`);
}
