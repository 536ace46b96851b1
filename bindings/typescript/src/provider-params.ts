// The parameters of the methods that the EIP-1193 provider proves.

import type { Address } from "./hex.js";
import type { HoldingInput } from "./holding.js";
import { INVALID_PARAMS, NEVER_PROVEN, ProviderError } from "./provider-error.js";

/** The blocks at which an answer is proven. */
export type ProvenTag = "latest" | "finalized";

/** The first four bytes of the hash of `balanceOf(address)`, and the twelve zero bytes before an address. */
const BALANCE_OF = /^0x70a08231(?:0{24})([0-9a-f]{40})$/i;
const SELECTOR = /^0x70a08231/i;

/** Reads the parameter for a block. Throws -32004 for a block that is never proven here: it is never another block. */
export function blockTag(given: unknown): ProvenTag {
  if (given === undefined || given === null || given === "latest") return "latest";
  // Of the blocks that a light client knows, the finalized ones are safe from being replaced.
  if (given === "finalized" || given === "safe") return "finalized";
  throw new ProviderError(NEVER_PROVEN, "saldo proves at `latest` and at `finalized`, and not at another block");
}

/** Reads an address. Throws -32602 if it is none; its checksum is checked by the read. */
export function onlyAddress(given: unknown): Address {
  if (typeof given === "string" && /^0x[0-9a-f]{40}$/i.test(given)) return given as Address;
  throw new ProviderError(INVALID_PARAMS, "the first parameter must be an address: 0x and 40 hexadecimal digits");
}

/** Returns the holding that an `eth_call` asks for, if it is `balanceOf`. Throws -32004 for a `balanceOf` that is more than that. */
export function balanceOf(params: readonly unknown[]): HoldingInput | undefined {
  const call = params[0];
  if (typeof call !== "object" || call === null) return undefined;
  const { to, data, input, value } = call as Record<string, unknown>;
  const bytes = input ?? data;
  if (typeof bytes !== "string" || typeof to !== "string" || !SELECTOR.test(bytes)) return undefined;
  const owner = BALANCE_OF.exec(bytes)?.[1];
  const isPlain = isNothing(value) && params.slice(2).every((extra) => extra === undefined || extra === null);
  const isOne = data === undefined || input === undefined || data === input;
  if (owner === undefined || !isPlain || !isOne) {
    throw new ProviderError(NEVER_PROVEN, "saldo proves a plain balanceOf: one address, no value and no overrides");
  }
  return { owner: `0x${owner.toLowerCase()}`, token: onlyAddress(to) };
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === "string" && /^0x0*$/.test(value));
}

/** The signal of a request's options, if they have one: viem gives it. */
export function abortable(options: unknown): AbortSignal | undefined {
  const signal = (options as { signal?: unknown } | undefined)?.signal;
  return signal instanceof AbortSignal ? signal : undefined;
}
