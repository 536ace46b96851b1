// The sums of several holdings.

import type { Address } from "./hex.js";
import type { Holding } from "./holding.js";

/** The sum of the holdings of one asset on one network. */
export interface Total {
  readonly chainId: number;
  /** The contract of the token; `undefined` for the network's own coin. */
  readonly token: Address | undefined;
  readonly sum: Sum;
  /** The time of the oldest block that any amount comes from, in seconds since 1970; `undefined` if no amount is known. */
  readonly oldest: number | undefined;
}

/** The amounts of a total. Later versions may have more kinds. */
export type Sum =
  | { /** Every holding is proven. */ readonly kind: "proven"; readonly amount: bigint }
  | {
      /** Every holding was proven at some time, but not all by their newest reading. */
      readonly kind: "remembered";
      /** The sum of all holdings, each as it was proven last: show it with the time of `Total.oldest`. */
      readonly together: bigint;
      /** The sum of the holdings that are proven now. */
      readonly proven: PartialSum;
      /** The sum of the others. */
      readonly remembered: bigint;
    }
  | {
      /** Some holdings are missing. Neither number is the whole, and both together are not the whole. */
      readonly kind: "partial";
      readonly proven: PartialSum;
      readonly remembered: PartialSum;
      /** The holdings without any proven amount. At least one. */
      readonly missing: readonly Holding[];
    }
  | { /** More than 2²⁵⁶ − 1 base units: the token's contract is not reliable. */ readonly kind: "too_large" }
  | { /** Something that this version does not know. */ readonly kind: "other"; readonly text: string };

/** The sum of a part of the holdings. `no_holding`: no holding belongs to this part, which is not a sum of zero. */
export type PartialSum = { readonly kind: "of"; readonly amount: bigint } | { readonly kind: "no_holding" };
