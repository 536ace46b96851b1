// Records of the bindings that have no amount: whole numbers become `number`, and what they hold becomes what this package names so.

import type * as wire from "../../generated/types/saldo_ffi.js";

import type { ConsensusFault, Diversity, Evidence, Health, RollupHealth, StorageFault } from "../health.js";
import { explained } from "../hidden.js";
import type { Policy } from "../options.js";
import type { TokenList, TokenReading } from "../token.js";
import { block, optional, why } from "./lift.js";

/** A record with `number` in place of `bigint`. Its texts get the type that the package states. */
type Plain<T> = T extends bigint
  ? number
  : T extends string
    ? never
    : T extends readonly (infer E)[]
      ? readonly Plain<E>[]
      : T extends object
        ? { readonly [K in keyof T]-?: Plain<T[K]> }
        : T;

/** Turns every `bigint` of `given` into a `number`: what is counted here stays far below 2⁵³. */
function plain<T>(given: T): Plain<T> {
  if (typeof given === "bigint") return Number(given) as Plain<T>;
  if (Array.isArray(given)) return Object.freeze(given.map(plain)) as Plain<T>;
  if (typeof given === "object" && given !== null) {
    const entries = Object.entries(given).map(([name, value]) => [name, plain(value)]);
    return Object.freeze(Object.fromEntries(entries)) as Plain<T>;
  }
  return given as Plain<T>;
}

export function health(given: wire.Health): Health {
  const { rollup, ...others } = given;
  const shown = { ...plain(others), rollup: optional(rollupHealth, rollup) };
  const endpoints = shown.endpoints.map((one) => {
    const failureText = one.failureText === undefined ? undefined : explained(one.failure, one.failureText);
    return Object.freeze({ ...one, failureText });
  });
  return Object.freeze({ ...shown, endpoints: Object.freeze(endpoints) });
}

function rollupHealth(given: wire.RollupHealth): RollupHealth {
  const { newest, problem, ...others } = given;
  return Object.freeze({ ...plain(others), newest: optional(block, newest), problem: optional(why, problem) });
}

export const evidence = (given: wire.Evidence): Evidence => plain(given);
export const diversity = (given: wire.Diversity): Diversity => plain(given);
export const storageFault = (given: wire.StorageFault): StorageFault => plain(given);
export const consensusFault = (given: wire.ConsensusFault): ConsensusFault => plain(given);
export const policy = (given: wire.Policy): Policy => plain(given);
export const tokenList = (given: wire.TokenList): TokenList => plain(given);

export function tokenReading(given: wire.TokenReading): TokenReading {
  const { proven, ...others } = given;
  if (proven === undefined) return Object.freeze({ ...plain(others), proven });
  const { block: at, ...token } = proven;
  return Object.freeze({ ...plain(others), proven: Object.freeze({ ...plain(token), block: block(at) }) });
}
