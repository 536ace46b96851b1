// What the table of scenarios calls what is shown.

/** What is shown differs from what the table expects. */
export class Difference extends Error {}

export function compare(shown, expected) {
  for (const [name, value] of Object.entries(expected)) {
    if (shown[name] !== value) {
      const text = JSON.stringify(shown, (_, one) => (typeof one === "bigint" ? String(one) : one));
      throw new Difference(`${name} is ${shown[name]}, expected ${value}, in ${text}`);
    }
  }
}

export function compareReadings(readings, expected) {
  if (readings.length !== expected.length) {
    throw new Difference(`${readings.length} readings, expected ${expected.length}`);
  }
  readings.forEach((reading, index) => compare(of.reading(reading, expected[index]), expected[index]));
}

const amount = (proven) => (proven === undefined ? "none" : String(proven.amount));

const part = (sum) => (sum.kind === "of" ? String(sum.amount) : "none");

function rollup(health) {
  if (health === undefined) return "none";
  if (health.stoppedTimestamp !== undefined) return "stopped";
  return health.newest === undefined ? "not_vouched" : "vouched";
}

export const of = {
  reading(reading, expected) {
    if (reading.state === "proven") {
      const agreed = reading.block.origin.agreedBy.length;
      return {
        state: "proven",
        amount: String(reading.amount),
        frozen: reading.isFrozen,
        layout: reading.derivation?.layout ?? "none",
        restored: reading.isRestored,
        level: reading.block.assurance.level,
        nonce: reading.nonce,
        agreed_by_at_least: Math.min(agreed, expected.agreed_by_at_least ?? 0),
      };
    }
    const claim = reading.unconfirmed;
    return {
      state: reading.state,
      ...(claim === undefined ? {} : { unconfirmed: claim.kind === "claimed" ? String(claim.amount) : "none" }),
      quorum: reading.quorum?.operators ?? 0,
      why: reading.why.code,
      needs_action: reading.why.needsAction,
      has_retry_after: reading.why.retryAfterSeconds !== undefined,
      last: amount(reading.last),
    };
  },

  last: (proven) => ({ amount: amount(proven), restored: proven?.isRestored ?? false }),

  total({ sum }) {
    switch (sum.kind) {
      case "proven":
        return { sum: "proven", amount: String(sum.amount) };
      case "remembered":
        return { sum: "remembered", amount: String(sum.together) };
      case "partial":
        return { sum: "partial", proven: part(sum.proven), remembered: part(sum.remembered), missing: sum.missing.length };
      default:
        return { sum: sum.kind };
    }
  },

  change(change, expected) {
    switch (change.kind) {
      case "reading":
        return { change: "reading", ...of.reading(change.reading, expected) };
      case "remembered":
        return { change: "remembered", amount: amount(change.last) };
      case "withdrawn":
        return { change: "withdrawn", amount: amount(change.withdrawn) };
      case "storage":
        return { change: "storage", unwritten: change.unwritten };
      default:
        return { change: change.kind };
    }
  },

  token: ({ proven, why }) => ({
    provable: proven?.provable ?? "none",
    layout: proven?.layout?.name ?? "none",
    tells_frozen: proven?.layout?.tellsFrozen ?? false,
    why: why?.code,
  }),

  tokenList({ tokens, otherNetworks, skipped }) {
    const { decimals, source, symbol } = tokens[0].info;
    return {
      tokens: tokens.length,
      other_networks: otherNetworks,
      skipped,
      decimals,
      source,
      symbol: symbol.text,
      flaws: symbol.flaws.join(","),
    };
  },

  verdict(verdict) {
    switch (verdict.verdict) {
      case "confirmed":
        return { verdict: "confirmed", proven: String(verdict.proven.amount) };
      case "not_checked":
        return { verdict: "not_checked", why: verdict.unknown.why.code };
      default:
        return { verdict: verdict.verdict, proven: String(verdict.proven.amount), claimed: String(verdict.claimed) };
    }
  },

  health: (health) => ({
    is_closed: health.isClosed,
    is_faulted: health.isFaulted,
    is_offline: health.isOffline,
    is_clock_off: health.isClockOff,
    rollup: rollup(health.rollup),
  }),
};
