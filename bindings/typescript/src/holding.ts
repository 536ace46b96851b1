// The subject of a reading.

import type { Address } from "./hex.js";

/** One asset of one owner on one network. It is an address and no proof. */
export interface Holding {
  /** The chain id (EIP-155) of the network. */
  readonly chainId: number;
  /** The address of the owner. */
  readonly owner: Address;
  /** The contract of an ERC-20 token; `undefined` for the network's own coin. */
  readonly token: Address | undefined;
}

/** A holding as a call takes it. Without `chainId`, it is of the client's network. */
export interface HoldingInput {
  readonly owner: Address;
  readonly token?: Address | undefined;
  readonly chainId?: number | undefined;
}
