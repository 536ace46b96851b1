// How the balance of a token was derived.

import type { Address, Hex } from "./hex.js";

/** How the balance of a token follows from what was proven. */
export type Derivation =
  | {
      /** The token's code keeps the balance in a slot, by a layout that was established for exactly this code. */
      readonly kind: "slot";
      /** The name of the layout. */
      readonly layout: string;
      /** The hash of the code that reads the balance. */
      readonly codeHash: Hex;
      /** The contract that has this code; `undefined` if it is the token itself. */
      readonly implementation: Address | undefined;
    }
  | {
      /** The token's own code was run over proven state. */
      readonly kind: "executed";
      /** The hash of the token's code. */
      readonly codeHash: Hex;
      /** How many accounts it read. */
      readonly accounts: number;
      /** How many slots of their storage it read. */
      readonly slots: number;
    }
  | { /** A way that this version has no name for. */ readonly kind: "other" };
