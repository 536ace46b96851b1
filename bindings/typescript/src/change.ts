// The changes that a watch yields.

import type { Holding } from "./holding.js";
import type { Freshness, Proven, Reading } from "./reading.js";

/** Reports that something on the screen has to change. Later versions may have more kinds: end a `switch` with `default`. */
export type Change =
  | {
      /** The last proven amount of a holding, which is not proven as of now. It is the first item of each holding. */
      readonly kind: "remembered";
      readonly holding: Holding;
      /** The last proven amount. `undefined` means that no amount is known, which is not zero. */
      readonly last: Proven | undefined;
      /** The age of `last`. */
      readonly freshness: Freshness | undefined;
    }
  | {
      /** A holding was read, and the reading differs from the one before it. */
      readonly kind: "reading";
      readonly holding: Holding;
      readonly reading: Reading;
      /** The age of the newest proven amount of the reading; `undefined` if nothing is proven. */
      readonly freshness: Freshness | undefined;
    }
  | {
      /** A reorganisation removed the block of the last proven amount: stop showing that amount. */
      readonly kind: "withdrawn";
      readonly holding: Holding;
      /** The amount that no longer holds. */
      readonly withdrawn: Proven;
      /** The amount to show until the holding is read again. */
      readonly last: Proven | undefined;
      /** The age of `last`. */
      readonly freshness: Freshness | undefined;
    }
  | {
      /** The storage refuses to keep what is proven, or keeps it again. The readings are not affected. */
      readonly kind: "storage";
      /** Why it refuses, as a stable code (`full`: ask the user to free some space); `undefined` if everything is kept again. */
      readonly unwritten: string | undefined;
    }
  | {
      /** The activity of the watch changed. */
      readonly kind: "activity";
      readonly activity: Activity;
    }
  | {
      /** Something that this version does not know, or a fault in saldo after which the watch began again. */
      readonly kind: "other";
      /** What happened, for people. */
      readonly text: string;
    };

/** What a watch is doing. */
export interface Activity {
  readonly code: "idle" | "fetching" | "offline" | "no_new_heads" | "backing_off" | (string & {});
  /** The sources of light-client data that failed, for `no_new_heads`. */
  readonly sources: readonly string[];
  /** When the watch tries again, in milliseconds since 1970, for `no_new_heads` and `backing_off`. */
  readonly untilMs: number | undefined;
}
