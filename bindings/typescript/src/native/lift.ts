// What the bindings return, as the types of this package.

import type * as wire from "../../generated/types/saldo_ffi.js";

import type { Attempt, Block, Checkpoint, Vouched } from "../block.js";
import type { Activity, Change } from "../change.js";
import type { Verdict } from "../claim.js";
import type { Derivation } from "../derivation.js";
import { SetupError } from "../errors.js";
import type { Address, Hex } from "../hex.js";
import { explained } from "../hidden.js";
import type { Holding } from "../holding.js";
import type {
  AccountReading,
  Freshness,
  HeldReading,
  Now,
  Proven,
  Provisional,
  Quorum,
  Reading,
  Sample,
  Unconfirmed,
  Unknown,
} from "../reading.js";
import type { PartialSum, Sum, Total } from "../total.js";
import type { Why } from "../why.js";

/** A variant of an enum of the bindings, with its tag as a text: their tags are an enum, which only they can name. */
type Tagged<T> = T extends { tag: infer Tag extends string }
  ? { tag: `${Tag}` } & (T extends { inner: infer Inner } ? { inner: Inner } : unknown)
  : never;

function tagged<T extends { tag: string }>(given: T): Tagged<T> {
  return given as unknown as Tagged<T>;
}

/** Every record is frozen: nothing that an app holds changes under it. */
const frozen = Object.freeze;

export function reading(given: wire.Reading): Reading {
  const one = tagged(given);
  switch (one.tag) {
    case "Proven":
      return proven(one.inner.proven);
    case "Provisional":
      return provisional(one.inner.provisional);
    case "Unknown":
      return unknown(one.inner.unknown);
  }
}

export function proven(given: wire.Proven): Proven {
  return frozen<Proven>({
    state: "proven",
    holding: holding(given.holding),
    amount: BigInt(given.amount),
    isFrozen: given.isFrozen,
    derivation: optional(derivation, given.derivation),
    nonce: optional(Number, given.nonce),
    block: block(given.block),
    provider: given.provider,
    isRestored: given.isRestored,
    attempts: given.attempts.map(attempt),
  });
}

function provisional(given: wire.Provisional): Provisional {
  return frozen<Provisional>({
    state: "provisional",
    unconfirmed: unconfirmed(given.unconfirmed),
    stateRoot: given.stateRoot as Hex,
    provider: given.provider,
    quorum: optional(({ operators, text }) => frozen<Quorum>({ operators, text }), given.quorum),
    why: why(given.why),
    last: optional(proven, given.last),
    attempts: given.attempts.map(attempt),
  });
}

function unconfirmed(given: wire.Unconfirmed): Unconfirmed {
  const one = tagged(given);
  switch (one.tag) {
    case "Claimed":
      return frozen<Unconfirmed>({ kind: "claimed", amount: BigInt(one.inner.amount) });
    case "NotShown":
      return frozen<Unconfirmed>({ kind: "not_shown" });
  }
}

function unknown(given: wire.Unknown): Unknown {
  return frozen<Unknown>({
    state: "unknown",
    why: why(given.why),
    last: optional(proven, given.last),
    attempts: given.attempts.map(attempt),
  });
}

/** A reading that this package makes itself, because its module cannot. */
export function unknownFor(reason: Why): Unknown {
  return frozen<Unknown>({ state: "unknown", why: reason, last: undefined, attempts: [] });
}

export function account(given: wire.AccountReading): AccountReading {
  return frozen<AccountReading>({ balance: reading(given.balance), nonce: optional(Number, given.nonce) });
}

export function held(given: wire.HeldReading): HeldReading {
  return frozen<HeldReading>({ holding: holding(given.holding), reading: reading(given.reading) });
}

export function sample(given: wire.Sample): Sample {
  return frozen<Sample>({
    name: given.name,
    reading: reading(given.reading),
    freshness: optional(freshness, given.freshness),
  });
}

export function freshness(given: wire.Freshness): Freshness {
  return frozen<Freshness>({ code: given.code, ageSeconds: optional(Number, given.ageSeconds) });
}

export function now(given: wire.Now): Now {
  return frozen<Now>({ timestamp: Number(given.timestamp), isClockOff: given.isClockOff });
}

export function holding(given: wire.Holding): Holding {
  return frozen<Holding>({
    chainId: Number(given.networkId),
    owner: given.owner as Address,
    token: given.token as Address | undefined,
  });
}

function derivation(given: wire.Derivation): Derivation {
  const one = tagged(given);
  switch (one.tag) {
    case "Slot": {
      const { layout, codeHash, implementation } = one.inner;
      return frozen<Derivation>({
        kind: "slot",
        layout,
        codeHash: codeHash as Hex,
        implementation: implementation as Address | undefined,
      });
    }
    case "Executed": {
      const { codeHash, accounts, slots } = one.inner;
      return frozen<Derivation>({ kind: "executed", codeHash: codeHash as Hex, accounts, slots });
    }
    case "Other":
      return frozen<Derivation>({ kind: "other" });
  }
}

export function block(given: wire.Block): Block {
  const { level, signers, committeeSize, isForced } = given.assurance;
  const vouchedFor = optional(vouched, given.assurance.vouched);
  return frozen<Block>({
    chainId: Number(given.chainId),
    number: given.number,
    hash: given.hash as Hex,
    stateRoot: given.stateRoot as Hex,
    timestamp: Number(given.timestamp),
    assurance: frozen({ level, signers, committeeSize, isForced, vouched: vouchedFor }),
    path: given.path,
    origin: frozen({ checkpoint: checkpoint(given.origin.checkpoint), agreedBy: frozen(given.origin.agreedBy) }),
  });
}

function vouched(given: wire.Vouched): Vouched {
  const { gameType, provers, isPauseChecked, l1Number } = given;
  const l1Timestamp = Number(given.l1Timestamp);
  return frozen<Vouched>({ game: given.game as Address, gameType, provers, isPauseChecked, l1Number, l1Timestamp });
}

function checkpoint(given: wire.Checkpoint): Checkpoint {
  return frozen<Checkpoint>({ root: given.root as Hex, slot: optional(Number, given.slot) });
}

export function attempt(given: wire.Attempt): Attempt {
  const { provider, role, outcome, overPolicy } = given;
  const detail = explained(outcome, given.detail);
  return frozen<Attempt>({ provider, role, outcome, detail, overPolicy, tookMs: Number(given.tookMs) });
}

export function why(given: wire.Why): Why {
  const { code, text, fault, nextStep, needsAction } = given;
  const retryAfterSeconds = optional(Number, given.retryAfterSeconds);
  return frozen<Why>({ code, text, fault, nextStep, needsAction, retryAfterSeconds });
}

export function verdict(given: wire.Verdict): Verdict {
  const one = tagged(given);
  switch (one.tag) {
    case "Confirmed":
      return frozen<Verdict>({ verdict: "confirmed", proven: proven(one.inner.proven) });
    case "Different":
      return frozen<Verdict>({
        verdict: "different",
        proven: proven(one.inner.proven),
        claimed: BigInt(one.inner.claimed),
      });
    case "Changed":
      return frozen<Verdict>({
        verdict: "changed",
        proven: proven(one.inner.proven),
        claimed: BigInt(one.inner.claimed),
        at: block(one.inner.at),
      });
    case "NotChecked":
      return frozen<Verdict>({ verdict: "not_checked", unknown: unknown(one.inner.unknown) });
  }
}

export function change(given: wire.Change): Change {
  const one = tagged(given);
  switch (one.tag) {
    case "Remembered":
      return frozen<Change>({ kind: "remembered", ...about(one.inner), last: optional(proven, one.inner.last) });
    case "Reading":
      return frozen<Change>({ kind: "reading", ...about(one.inner), reading: reading(one.inner.reading) });
    case "Withdrawn":
      return frozen<Change>({
        kind: "withdrawn",
        ...about(one.inner),
        withdrawn: proven(one.inner.withdrawn),
        last: optional(proven, one.inner.last),
      });
    case "Storage":
      return frozen<Change>({ kind: "storage", unwritten: one.inner.unwritten });
    case "Activity":
      return frozen<Change>({ kind: "activity", activity: activity(one.inner.activity) });
    case "Other":
      return frozen<Change>({ kind: "other", text: one.inner.text });
  }
}

function about(given: { holding: wire.Holding; freshness?: wire.Freshness | undefined }): {
  holding: Holding;
  freshness: Freshness | undefined;
} {
  return { holding: holding(given.holding), freshness: optional(freshness, given.freshness) };
}

function activity(given: wire.Activity): Activity {
  return frozen<Activity>({ code: given.code, sources: frozen(given.sources), untilMs: optional(Number, given.untilMs) });
}

export function total(given: wire.Total): Total {
  return frozen<Total>({
    chainId: Number(given.networkId),
    token: given.token as Address | undefined,
    sum: sum(given.sum),
    oldest: optional(Number, given.oldest),
  });
}

function sum(given: wire.Sum): Sum {
  const one = tagged(given);
  switch (one.tag) {
    case "Proven":
      return frozen<Sum>({ kind: "proven", amount: BigInt(one.inner.amount) });
    case "Remembered":
      return frozen<Sum>({
        kind: "remembered",
        together: BigInt(one.inner.together),
        proven: partialSum(one.inner.proven),
        remembered: BigInt(one.inner.remembered),
      });
    case "Partial":
      return frozen<Sum>({
        kind: "partial",
        proven: partialSum(one.inner.proven),
        remembered: partialSum(one.inner.remembered),
        missing: one.inner.missing.map(holding),
      });
    case "TooLarge":
      return frozen<Sum>({ kind: "too_large" });
    case "Other":
      return frozen<Sum>({ kind: "other", text: one.inner.text });
  }
}

function partialSum(given: wire.PartialSum): PartialSum {
  const one = tagged(given);
  switch (one.tag) {
    case "Of":
      return frozen<PartialSum>({ kind: "of", amount: BigInt(one.inner.amount) });
    case "NoHolding":
      return frozen<PartialSum>({ kind: "no_holding" });
  }
}

/** The error of a setting, if `error` is one. */
export function setupError(saldo: typeof wire, error: unknown): SetupError | undefined {
  if (typeof error !== "object" || error === null || !saldo.SetupError.instanceOf(error)) return undefined;
  return new SetupError(error.inner.code, error.inner.text);
}

export function optional<G, T>(convert: (given: G) => T, given: G | undefined): T | undefined {
  return given === undefined ? undefined : convert(given);
}
