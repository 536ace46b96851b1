// What a token is, and what lists say of tokens. Nothing of it is an amount.

import type { Attempt, Block } from "./block.js";
import type { Address, Hex } from "./hex.js";
import type { Why } from "./why.js";

/** What is known about a token right now: `proven`, or `why` nothing was proven. It has no amount. */
export interface TokenReading {
  /** The contract that was asked about. */
  readonly token: Address;
  /** What was proven, under a header that the chain's sync committee signed. */
  readonly proven: ProvenToken | undefined;
  /** Why nothing was proven; `undefined` if `proven` is there. */
  readonly why: Why | undefined;
  /** The requests; empty if `proven` is there. */
  readonly attempts: readonly Attempt[];
}

/** What a token is, proven at a block. A proxy can get another implementation in any later block. */
export interface ProvenToken {
  /** `slot`: each balance can be proven from its slot. The others: it cannot. */
  readonly provable: "slot" | "not_a_token" | "layout_unknown" | "guard_failed" | (string & {});
  /** The hash of the code at the token's address; that of no bytes where there is no code. */
  readonly codeHash: Hex;
  /** The name of the proxy; `undefined` if the token is no proxy that is known. */
  readonly proxy: string | undefined;
  /** The contract whose code runs in the token's storage; `undefined` if it is the token's own. */
  readonly implementation: TokenImplementation | undefined;
  /** The layout that was established for exactly this code; `undefined` if there is none. */
  readonly layout: TokenLayout | undefined;
  /** The conditions of the layout. */
  readonly guards: readonly TokenGuard[];
  /** What the token's own code says of its decimals and its symbol; `undefined` if it was not run, or does not say. */
  readonly info: TokenInfo | undefined;
  /** The block that it is true at. */
  readonly block: Block;
  /** The provider that served the proofs. */
  readonly provider: string;
}

/** The contract whose code runs in the storage of a token. */
export interface TokenImplementation {
  readonly address: Address;
  readonly codeHash: Hex;
}

/** Where a code keeps the balances of a token. */
export interface TokenLayout {
  readonly name: string;
  /** Whether the word in the slot says that an owner is frozen. */
  readonly tellsFrozen: boolean;
  /** Where the source of the code is. */
  readonly source: string;
  /** Why `balanceOf` reads that slot on every path. */
  readonly argument: string;
}

/** A condition of a layout. */
export interface TokenGuard {
  /** The condition, for people. */
  readonly meaning: string;
  /** The contract whose storage has the slot. */
  readonly address: Address;
  readonly slot: Hex;
  /** Whether the condition holds. */
  readonly holds: boolean;
}

/** How to show the amounts of a token, and how that is known. */
export interface TokenInfo {
  readonly decimals: number;
  /** The symbol. Show its flaws, and the token's address beside it. */
  readonly symbol: TokenSymbol;
  /** `list`: its author declares them, and nothing proves it. `execution`: the token's own code returned them. */
  readonly source: "list" | "execution" | (string & {});
}

/** A symbol or a name, which anyone can choose, also to deceive. */
export interface TokenSymbol {
  /** What may be shown: at most 24 characters, without control characters and without characters that turn text around. */
  readonly text: string;
  /** What was wrong with it, as stable codes. */
  readonly flaws: readonly string[];
}

/** The tokens of a list on the client's network. Nothing follows for a token that is not listed. */
export interface TokenList {
  readonly name: TokenSymbol;
  /** The tokens, each once. */
  readonly tokens: readonly ListedToken[];
  /** How many entries are of other networks. */
  readonly otherNetworks: number;
  /** How many entries could not be read, or were there twice. */
  readonly skipped: number;
}

/** What a list declares of a token. */
export interface ListedToken {
  /** Its contract: the `token` of a holding. */
  readonly address: Address;
  readonly name: TokenSymbol;
  readonly info: TokenInfo;
}
