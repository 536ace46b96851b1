// Why an amount is not proven.

/** A stable name of a reason, as the glossary lists them. */
export type WhyCode =
  | "all_unreachable"
  | "block_withdrawn"
  | "checkpoint_not_served"
  | "checkpoint_slot_wrong"
  | "checkpoint_sources_disagree"
  | "checkpoint_too_old"
  | "clock_off"
  | "closed"
  | "consensus_fault"
  | "deadline"
  | "denied"
  | "device_offline"
  | "hand_over_missing"
  | "heads_refused"
  | "internal_fault"
  | "light_client_behind"
  | "log_in_page"
  | "malformed_address"
  | "moved"
  | "network_not_configured"
  | "no_light_client_routes"
  | "nobody_serves_proofs"
  | "not_a_token"
  | "not_secure"
  | "not_vouched_yet"
  | "only_old_blocks"
  | "policy_forbids_more_operators"
  | "proof_window_missed"
  | "proofs_refused"
  | "providers_behind"
  | "providers_failing"
  | "quota_exhausted"
  | "rate_limited"
  | "rollup_not_vouched"
  | "rollup_stopped"
  | "token_layout_unproven"
  | "token_not_run"
  | "too_few_checkpoint_sources"
  | "trust_restarted"
  | "unknown_fork"
  | "unknown_header_layout"
  | "unsigned_tip"
  | "wrong_chain";

/** Why an amount is not proven. */
export interface Why {
  /** A stable name; a later version may have others. */
  readonly code: WhyCode | (string & {});
  /** What happened, for people. */
  readonly text: string;
  /** Who can remedy it. */
  readonly fault: "device" | "providers" | "beacon" | "chain" | "setup" | "nobody" | "saldo" | (string & {});
  /** What to do about it, in one sentence. */
  readonly nextStep: string;
  /** Whether trying again will not help, until a person acts. */
  readonly needsAction: boolean;
  /** After how many seconds trying again makes sense, where that is known. */
  readonly retryAfterSeconds: number | undefined;
}

/** The reason of a reading whose module trapped: the words of `saldo` itself. A test compares them. */
export const INTERNAL_FAULT: Why = Object.freeze({
  code: "internal_fault",
  text: "a fault in saldo itself",
  fault: "saldo",
  nextStep: "Report it, with what you did before.",
  needsAction: true,
  retryAfterSeconds: undefined,
});

/** The reason of every reading after `shutdown`: the words of `saldo` itself. A test compares them. */
export const CLOSED: Why = Object.freeze({
  code: "closed",
  text: "the client is closed",
  fault: "setup",
  nextStep: "Open a new client.",
  needsAction: false,
  retryAfterSeconds: undefined,
});
