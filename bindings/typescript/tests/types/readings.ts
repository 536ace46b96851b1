// What the compiler allows and what it refuses. Each line that it must refuse names the error.

import { formatEther, never } from "saldo";
import type { Proven, Reading, Verdict } from "saldo";

export function show(reading: Reading): string {
  switch (reading.state) {
    case "proven":
      return formatEther(reading.amount);
    case "provisional":
      return reading.unconfirmed.kind === "claimed" ? `unconfirmed: ${reading.unconfirmed.amount}` : reading.why.text;
    case "unknown":
      return `${reading.why.text}, before: ${reading.last?.amount}`;
    default:
      return never(reading);
  }
}

export function forgetsUnknown(reading: Reading): string {
  switch (reading.state) {
    case "proven":
      return formatEther(reading.amount);
    case "provisional":
      return reading.why.text;
    default:
      return never(reading); // refused: TS2345
  }
}

// refused: TS2366 at the next line
export function forgetsProvisional(reading: Reading): string {
  switch (reading.state) {
    case "proven":
      return formatEther(reading.amount);
    case "unknown":
      return reading.why.text;
  }
}

export const takesAnAmountWithoutAState = (reading: Reading): bigint => reading.amount; // refused: TS2339

export const takesTheLastAmount = (reading: Reading): bigint =>
  reading.state === "unknown" ? reading.last.amount : 0n; // refused: TS18048

export const takesAClaimAsAnAmount = (reading: Reading): bigint =>
  reading.state === "provisional" ? reading.unconfirmed.amount : 0n; // refused: TS2339

export const roundsToANumber = (proven: Proven): number => proven.amount; // refused: TS2322

export function changesAnAmount(proven: Proven): void {
  proven.amount = 0n; // refused: TS2540
}

export function forgetsNotChecked(verdict: Verdict): string {
  switch (verdict.verdict) {
    case "confirmed":
    case "different":
    case "changed":
      return formatEther(verdict.proven.amount);
    default:
      return never(verdict); // refused: TS2345
  }
}
