//! `saldo.verdict/1`.

use alloy_primitives::B256;
use saldo_chain::Anchor;
use saldo_reading::{Attempt, Proven, Why};
use serde::{Serialize, Serializer};

use crate::check::Verdict;

const SCHEMA: &str = "saldo.verdict/1";

/// `proven` has an object only where the claim was checked, so that a claimed zero that was not checked looks like no other.
#[derive(Serialize)]
struct VerdictForm<'a> {
    schema: &'static str,
    verdict: &'static str,
    proven: Option<&'a Proven>,
    /// In decimal. `None` for a claim that was not checked.
    claimed: Option<String>,
    at: Option<AtForm>,
    why: Option<&'a Why>,
    attempts: &'a [Attempt],
    last: Option<&'a Proven>,
}

/// The block at which the claim was right.
#[derive(Serialize)]
struct AtForm {
    number: u64,
    hash: B256,
    /// Seconds since 1970.
    timestamp: u64,
}

impl AtForm {
    fn of(anchor: &Anchor) -> Self {
        Self { number: anchor.number(), hash: anchor.hash(), timestamp: anchor.timestamp().as_secs() }
    }
}

/// As `saldo.verdict/1`.
impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let none = VerdictForm {
            schema: SCHEMA,
            verdict: self.code(),
            proven: self.proven(),
            claimed: None,
            at: None,
            why: None,
            attempts: self.proven().map(Proven::attempts).unwrap_or_default(),
            last: None,
        };
        let form = match self {
            Self::Confirmed(proven) => {
                VerdictForm { claimed: Some(proven.amount().base_units().to_string()), ..none }
            }
            Self::Different { claimed, .. } => VerdictForm { claimed: Some(claimed.to_string()), ..none },
            Self::Changed { claimed, at, .. } => {
                VerdictForm { claimed: Some(claimed.to_string()), at: Some(AtForm::of(at)), ..none }
            }
            Self::NotChecked(unknown) => VerdictForm {
                why: Some(unknown.why()),
                attempts: unknown.attempts(),
                last: unknown.last(),
                ..none
            },
        };
        form.serialize(serializer)
    }
}
