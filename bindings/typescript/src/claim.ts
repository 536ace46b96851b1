// Amounts that another source named, and what is known about them.

import type { Block } from "./block.js";
import type { HoldingInput } from "./holding.js";
import type { Proven, Unknown } from "./reading.js";

/** An amount that another source named: an indexer, or a provider that proves nothing. */
export interface Claim {
  /** What it is about. */
  readonly holding: HoldingInput;
  /** The amount, in base units. */
  readonly amount: bigint;
  /**
   * The number of the block that the source read it at, if it said so. Without it, an amount that changed a moment ago cannot be told from
   * a wrong one, unless `checkPatiently` waits for a newer block.
   */
  readonly block?: bigint | undefined;
}

/**
 * What is known about a claim. `not_checked` is no confirmation, whatever the claimed amount is.
 *
 * Closed, as `Reading` is: a `switch` that ends with `never` does not compile if it forgets `not_checked`.
 */
export type Verdict =
  | { /** The amount is proven. */ readonly verdict: "confirmed"; readonly proven: Proven }
  | {
      /** Another amount is proven, and if the claim names a block, it was another one there too. */
      readonly verdict: "different";
      readonly proven: Proven;
      readonly claimed: bigint;
    }
  | {
      /** The claim was right at its block, which is proven too. The amount changed since. */
      readonly verdict: "changed";
      readonly proven: Proven;
      readonly claimed: bigint;
      /** The block of the claim. */
      readonly at: Block;
    }
  | { /** Nothing was proven that tells whether the claim is right. */ readonly verdict: "not_checked"; readonly unknown: Unknown };
