// Arguments and settings, as the bindings take them.

import type * as wire from "../../generated/types/saldo_ffi.js";

import type { Checkpoint } from "../block.js";
import type { Claim } from "../claim.js";
import type { Hex } from "../hex.js";
import type { HoldingInput } from "../holding.js";
import type { ClientOptions, EndpointInput, NetworkOptions, Pace } from "../options.js";

/** An address that is none gives the reading `malformed_address`: also one that is not even a text. */
function address(given: unknown): string {
  return typeof given === "string" ? given : "";
}

export function holding(given: HoldingInput, chainId: number): wire.Holding {
  return {
    networkId: whole(given.chainId ?? chainId, "chainId"),
    owner: address(given.owner),
    token: given.token === undefined ? undefined : address(given.token),
  };
}

export function claim(given: Claim, chainId: number): wire.Claim {
  if (typeof given.amount !== "bigint" || given.amount < 0n || given.amount >= 1n << 256n) {
    throw new TypeError("the amount of a claim is a bigint of 0 to 2^256 - 1");
  }
  return {
    holding: holding(given.holding, chainId),
    amount: given.amount.toString(),
    block: given.block === undefined ? undefined : whole(given.block, "block"),
  };
}

export function checkpoint(given: Checkpoint | Hex): wire.Checkpoint {
  if (typeof given === "string") return { root: given, slot: undefined };
  return { root: given.root, slot: given.slot === undefined ? undefined : whole(given.slot, "slot") };
}

export function pace(saldo: typeof wire, given: Pace): wire.Pace {
  switch (given) {
    case "foreground":
      return saldo.Pace.Foreground;
    case "background":
      return saldo.Pace.Background;
    case "paused":
      return saldo.Pace.Paused;
  }
}

export function config(given: ClientOptions): wire.ClientConfig {
  return {
    ...network(given),
    others: (given.others ?? []).map(network),
    storageKey: given.storageKey,
    isStorageReadOnly: given.isStorageReadOnly ?? false,
    logLevel: given.logLevel ?? "info",
  };
}

function network(given: NetworkOptions): wire.NetworkConfig {
  return {
    network: given.network,
    rpc: endpoints(given.rpc),
    beacon: endpoints(given.beacon),
    mirrors: endpoints(given.mirrors),
    checkpoint: given.checkpoint === undefined ? undefined : checkpoint(given.checkpoint),
    checkpointSources: endpoints(given.checkpointSources),
    agreement: given.agreement,
    useDirectory: given.useDirectory ?? false,
    directoryFile: given.directoryFile,
    policy: given.policy === undefined ? undefined : policy(given.policy),
    minimumOperators: given.minimumOperators ?? 1,
  };
}

function policy(given: NonNullable<NetworkOptions["policy"]>): wire.Policy {
  return {
    finalized: given.finalized ?? false,
    maxAgeSeconds: given.maxAgeSeconds === undefined ? undefined : whole(given.maxAgeSeconds, "maxAgeSeconds"),
    deadlineMs: given.deadlineMs === undefined ? undefined : whole(given.deadlineMs, "deadlineMs"),
    operatorsPerAddress: given.operatorsPerAddress ?? 2,
    strict: given.strict ?? false,
  };
}

function endpoints(given: EndpointInput | readonly EndpointInput[] | undefined): wire.Endpoint[] {
  if (given === undefined) return [];
  return (Array.isArray(given) ? (given as readonly EndpointInput[]) : [given as EndpointInput]).map(endpoint);
}

function endpoint(given: EndpointInput): wire.Endpoint {
  const { url, name, operator, hosting, edge } = typeof given === "string" ? { url: given } : given;
  return { url, name, operator, hosting, edge } as wire.Endpoint;
}

/** A whole number that fits into 64 bits. Throws a `RangeError` for any other. */
export function whole(given: number | bigint, name: string): bigint {
  const value = BigInt(given);
  if (value < 0n || value >= 1n << 64n) throw new RangeError(`${name} must be a whole number that is not negative`);
  return value;
}
