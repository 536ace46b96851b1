// The errors of the EIP-1193 provider: the codes and the data of `saldo serve`.

import type { Freshness, Proven, Reading } from "./reading.js";

/** It is not known. `data` says why. It is never 0. */
export const NOT_PROVEN = -32050;
/** The block, or the form of the call, is never proven here. */
export const NEVER_PROVEN = -32004;
/** The parameters are none of the method. */
export const INVALID_PARAMS = -32602;

/** An error by EIP-1193. */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
  readonly code: number;
  readonly data: ProviderErrorData | undefined;

  constructor(code: number, message: string, data?: ProviderErrorData) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** Why an answer is not proven, as `saldo serve` says it. */
export interface ProviderErrorData {
  /** A stable code, as in a reading. */
  readonly reason: string;
  readonly fault: string;
  readonly next_step: string;
  readonly needs_action: boolean;
  readonly retry_after_seconds: number | null;
  readonly attempts: readonly {
    readonly provider: string;
    readonly role: string;
    readonly outcome: string;
    readonly detail: string;
    readonly ms: number;
    readonly over_policy: boolean;
  }[];
  /** The last proven value of this address. Show it with its age, never as the present value. */
  readonly last: {
    readonly value: string;
    readonly age_seconds: number | null;
    readonly block: { readonly number: string; readonly hash: string; readonly timestamp: string };
  } | null;
}

/** The error for a reading that is not proven. */
export function notProven(reading: Reading | undefined, text: string, freshness?: Freshness): ProviderError {
  const message = `not known (it is not 0): ${text}`;
  if (reading === undefined || reading.state === "proven") return new ProviderError(NOT_PROVEN, message);
  const { why, last, attempts } = reading;
  return new ProviderError(NOT_PROVEN, message, {
    reason: why.code,
    fault: why.fault,
    next_step: why.nextStep,
    needs_action: why.needsAction,
    retry_after_seconds: why.retryAfterSeconds ?? null,
    attempts: attempts.map(({ provider, role, outcome, detail, tookMs, overPolicy }) => ({
      provider,
      role,
      outcome,
      detail,
      ms: tookMs,
      over_policy: overPolicy,
    })),
    last: last === undefined ? null : lastProven(last, freshness),
  });
}

function lastProven(last: Proven, freshness: Freshness | undefined): NonNullable<ProviderErrorData["last"]> {
  const { number, hash, timestamp } = last.block;
  return {
    value: `0x${last.amount.toString(16)}`,
    age_seconds: freshness?.ageSeconds ?? null,
    block: { number: `0x${number.toString(16)}`, hash, timestamp: `0x${timestamp.toString(16)}` },
  };
}
