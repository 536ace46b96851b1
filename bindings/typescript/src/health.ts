// The state of a client, for a status screen and for support. No amount depends on it.

import type { Block } from "./block.js";
import type { Hex } from "./hex.js";
import type { Why } from "./why.js";

/** The state of the endpoints and the progress of the light client. */
export interface Health {
  /** Whether the client was shut down. Everything else here is then empty. */
  readonly isClosed: boolean;
  /** Whether the app reported that the device is offline, and no answer has shown the contrary since. */
  readonly isOffline: boolean;
  /** Whether the device's clock is behind a time that has certainly come, so that no age is known. */
  readonly isClockOff: boolean;
  /** Whether the chain contradicted itself, so that nothing more is proven. */
  readonly isFaulted: boolean;
  /** The number of stored items that had to be dropped, and of failed writes. */
  readonly storageFaults: number;
  /** The progress of the light client; `undefined` until trust has started. */
  readonly heads: HeadsHealth | undefined;
  /** What L1 says of the rollup; `undefined` of a network with a light client. */
  readonly rollup: RollupHealth | undefined;
  /** The providers, the beacon sources and the checkpoint sources. */
  readonly endpoints: readonly EndpointHealth[];
  /** The endpoints that were unreachable within the same minute. */
  readonly failedTogether: readonly CoFailure[];
}

/** The progress of the light client. */
export interface HeadsHealth {
  /** The slot of the newest head that the sync committee signed; `undefined` right after the trust start. */
  readonly signedSlot: number | undefined;
  /** The start of that slot, in seconds since 1970. */
  readonly signedTimestamp: number | undefined;
  /** The lag of that head beyond the usual, in slots. 0 if all is well. */
  readonly slotsBehind: number | undefined;
  readonly finalizedSlot: number;
  readonly finalizedTimestamp: number;
  /** Whether heads that are signed now can be checked. */
  readonly isCommitteeKnown: boolean;
  /** Whether heads of the next period can be checked. */
  readonly isNextCommitteeKnown: boolean;
}

/** The state of one endpoint in one role. */
export interface EndpointHealth {
  /** The name of the endpoint, never its URL. */
  readonly provider: string;
  readonly role: string;
  /** The operator, as declared, else the host. */
  readonly operator: string;
  readonly state: "unasked" | "accepted" | "failing" | "backed_off" | "quarantined" | (string & {});
  /** The code of its latest failure; `undefined` if its last answer was accepted. */
  readonly failure: string | undefined;
  /** The same, for people. */
  readonly failureText: string | undefined;
  readonly acceptedSecondsAgo: number | undefined;
  readonly usualLatencyMs: number | undefined;
  readonly backedOffSeconds: number | undefined;
  /** How many of its proofs were false. */
  readonly strikes: number;
}

/** Two endpoints that became unreachable within the same minute. */
export interface CoFailure {
  readonly role: string;
  readonly endpoints: readonly string[];
  readonly times: number;
}

/** Which companies the endpoints of one role depend on, as declared. */
export interface Diversity {
  readonly role: string;
  readonly endpoints: number;
  readonly operators: readonly string[];
  readonly hosting: readonly string[];
  readonly hostingUnknown: number;
  /** Companies whose failure would stop all endpoints. */
  readonly stoppedBy: readonly string[];
  /** Companies whose failure might stop all endpoints. */
  readonly mayBeStoppedBy: readonly string[];
}

/** A proof that was false under the exact block of its request. */
export interface Evidence {
  /** The provider that was asked. The evidence does not prove that this provider sent the reply. */
  readonly provider: string;
  readonly reason: string;
  /** One JSON object with the request, the reply, the block and the reason. It contains the address. */
  readonly json: string;
}

/** A contradiction that the chain's validators signed. Nothing more is proven until trust starts again. */
export interface ConsensusFault {
  readonly slot: number;
  readonly roots: readonly Hex[];
  /** The signed updates of both sides, so that others can check it. */
  readonly json: string;
}

/** Something that was stored and had to be dropped, or that could not be written. */
export interface StorageFault {
  readonly code: string;
  /** What happened, for people. It names no address. */
  readonly text: string;
}

/** One line of the log. It names no address and no URL. */
export interface LogLine {
  readonly level: "error" | "warn" | "info" | "debug" | "trace" | (string & {});
  readonly target: string;
  readonly text: string;
}

/** What Ethereum says of a rollup, and whether the rollup goes on. */
export interface RollupHealth {
  /** The newest block for which L1 vouches. */
  readonly newest: Block | undefined;
  /** Why L1 vouches for none of the newest claims, if it does not. */
  readonly problem: Why | undefined;
  /** What the contracts on L1 say against it, if that is the problem, for people. */
  readonly refusalText: string | undefined;
  /** When the newest claim about its blocks was made on L1, in seconds since 1970; `undefined` until the contracts were read. */
  readonly newestClaimTimestamp: number | undefined;
  /** Whether no new claim was made for more than twice the usual time. */
  readonly areClaimsLate: boolean;
  /** The time of its newest block, in seconds since 1970, if it stands still: the heads of several operators are the same, and old. */
  readonly stoppedTimestamp: number | undefined;
}
