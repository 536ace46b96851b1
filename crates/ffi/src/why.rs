//! Why an amount is not proven.

use crate::ended::Ended;

/// Why an amount is not proven. A record, not an enum: later versions know more reasons.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Why {
    /// A stable name, in snake case, as the glossary lists them.
    pub code: String,
    /// What happened, for people.
    pub text: String,
    /// Who can remedy it: `device`, `providers`, `beacon`, `chain`, `setup`, `nobody` or `saldo`.
    pub fault: String,
    /// What to do about it, in one sentence.
    pub next_step: String,
    /// Whether trying again will not help, until a person acts.
    pub needs_action: bool,
    /// After how many seconds trying again makes sense, where that is known.
    pub retry_after_seconds: Option<u64>,
}

impl From<&saldo::Why> for Why {
    fn from(why: &saldo::Why) -> Self {
        Self {
            code: why.code().to_owned(),
            text: why.to_string(),
            fault: why.fault().code().to_owned(),
            next_step: why.next_step().to_owned(),
            needs_action: why.needs_action(),
            retry_after_seconds: why.retry_after().map(|after| after.as_secs()),
        }
    }
}

impl From<Ended> for Why {
    fn from(ended: Ended) -> Self {
        Self::from(match ended {
            Ended::Closed => &saldo::Why::Closed,
            Ended::Panicked => &saldo::Why::InternalFault,
        })
    }
}

impl Why {
    /// An address of the holding is malformed. Only this crate has this reason: in Rust an address has a type.
    pub(crate) fn malformed_address() -> Self {
        Self {
            code: MALFORMED_ADDRESS.to_owned(),
            text: "the holding's address is malformed, or its checksum is wrong".to_owned(),
            fault: "setup".to_owned(),
            next_step: "Copy the address again; do not retype it.".to_owned(),
            needs_action: true,
            retry_after_seconds: None,
        }
    }
}

pub(crate) const MALFORMED_ADDRESS: &str = "malformed_address";

/// Every code, sorted. A test compares them with those of `saldo`.
const CODES: [&str; 43] = [
    "all_unreachable",
    "block_withdrawn",
    "checkpoint_not_served",
    "checkpoint_slot_wrong",
    "checkpoint_sources_disagree",
    "checkpoint_too_old",
    "clock_off",
    "closed",
    "consensus_fault",
    "deadline",
    "denied",
    "device_offline",
    "hand_over_missing",
    "heads_refused",
    "internal_fault",
    "light_client_behind",
    "log_in_page",
    "malformed_address",
    "moved",
    "network_not_configured",
    "no_light_client_routes",
    "nobody_serves_proofs",
    "not_a_token",
    "not_secure",
    "not_vouched_yet",
    "only_old_blocks",
    "policy_forbids_more_operators",
    "proof_window_missed",
    "proofs_refused",
    "providers_behind",
    "providers_failing",
    "quota_exhausted",
    "rate_limited",
    "rollup_not_vouched",
    "rollup_stopped",
    "token_layout_unproven",
    "token_not_run",
    "too_few_checkpoint_sources",
    "trust_restarted",
    "unknown_fork",
    "unknown_header_layout",
    "unsigned_tip",
    "wrong_chain",
];

/// Lists every code that [`Why::code`] can have, sorted.
#[uniffi::export]
pub fn why_codes() -> Vec<String> {
    CODES.iter().map(|code| (*code).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_and_a_panic_have_a_reason() {
        assert_eq!(Why::from(Ended::Closed).code, "closed");
        assert_eq!(Why::from(Ended::Panicked).code, "internal_fault");
    }

    /// The list of the crate `saldo-reading`, from its source.
    #[test]
    fn every_code_of_saldo_is_listed() {
        let source = include_str!("../../reading/src/why/reason.rs");
        let code = |line: &str| Some(line.trim().strip_prefix("code: \"")?.split_once('"')?.0.to_owned());
        let mut codes: Vec<String> = source.lines().filter_map(code).collect();
        codes.push(MALFORMED_ADDRESS.to_owned());
        codes.sort();
        assert_eq!(why_codes(), codes);
    }
}
