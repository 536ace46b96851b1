// The block that an amount is proven at, and the requests behind a reading.

import type { Address, Hex } from "./hex.js";

/** The block that an amount is proven at. */
export interface Block {
  /** The chain id (EIP-155). */
  readonly chainId: number;
  readonly number: bigint;
  readonly hash: Hex;
  /** The root of the state after the block. */
  readonly stateRoot: Hex;
  /** The block's own time, in seconds since 1970. */
  readonly timestamp: number;
  /** How sure it is that the block belongs to the chain. */
  readonly assurance: Assurance;
  /** How the header follows from the signed head. */
  readonly path: "head" | "ancestor" | "history" | "other" | (string & {});
  /** What trust started from. */
  readonly origin: Origin;
}

/** How sure it is that a block belongs to the chain. */
export interface Assurance {
  /** The last two are of a rollup's block. */
  readonly level: "signed" | "finalized" | "l1_proof_checked" | "l1_finalized" | (string & {});
  /** How many members of the sync committee signed; `undefined` for the block that trust started from, and for a rollup's block. */
  readonly signers: number | undefined;
  /** How many members the committee has. */
  readonly committeeSize: number | undefined;
  /** Whether a forced update took the block as final. */
  readonly isForced: boolean;
  /** How far Ethereum stands behind a rollup's block; `undefined` for a block of a chain with a committee. */
  readonly vouched: Vouched | undefined;
}

/** How far Ethereum stands behind a block of a rollup, and by which claim. */
export interface Vouched {
  /** The contract of the claim that the block rests on: a dispute game. */
  readonly game: Address;
  /** The type of that game. */
  readonly gameType: number;
  /** Whose proofs Ethereum checked: `tee` is a trusted execution environment, `zk` is zero knowledge. */
  readonly provers: "none" | "tee" | "zk" | "both" | (string & {});
  /** Whether it is proven that the rollup's system is not paused. If not, that was not checked. */
  readonly isPauseChecked: boolean;
  /** The number of the Ethereum block under which all of it was read. */
  readonly l1Number: bigint;
  /** That block's own time, in seconds since 1970. */
  readonly l1Timestamp: number;
}

/** What trust started from, and who vouches for it. */
export interface Origin {
  readonly checkpoint: Checkpoint;
  /** The operators that named it; empty if the app gave it. */
  readonly agreedBy: readonly string[];
}

/** A beacon block that trust starts from. */
export interface Checkpoint {
  /** The root of the block. */
  readonly root: Hex;
  /** The slot of the block, if it is known. */
  readonly slot?: number | undefined;
}

/** One request to a provider, and its outcome. */
export interface Attempt {
  /** The name of the provider, never its URL. */
  readonly provider: string;
  readonly role: "execution" | "beacon" | "checkpoint" | (string & {});
  /** A stable name of the outcome, in snake case. */
  readonly outcome: string;
  /** The outcome, for people. */
  readonly detail: string;
  readonly tookMs: number;
  /** Whether it was asked beyond `Policy.operatorsPerAddress`. */
  readonly overPolicy: boolean;
}
