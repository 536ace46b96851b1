//! One reading of each state, for previews of a screen.

use saldo::Why as Reason;

use crate::amount::Amount;
use crate::block::{Assurance, Block, Origin};
use crate::config::Checkpoint;
use crate::derivation::Derivation;
use crate::holding::Holding;
use crate::reading::{Freshness, Proven, Provisional, Reading, Unconfirmed, Unknown};
use crate::why::Why;

/// An invented reading for a preview. A record of its own, so that it cannot be mistaken for what a client returns; its network
/// id is 0, which no network has.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Sample {
    /// What it shows, for example `proven` or `unknown_with_last`.
    pub name: String,
    /// The invented reading.
    pub reading: Reading,
    /// The age of its newest amount.
    pub freshness: Option<Freshness>,
}

/// The network id of every sample. No network has it.
const NO_NETWORK: u64 = 0;
/// The provider of every sample.
const SAMPLE: &str = "sample";

/// Returns one invented reading of each state that a screen must show. Nothing in it is true of any address.
#[uniffi::export]
pub fn samples() -> Vec<Sample> {
    let some = "1234567890123456789";
    let unknown = |why: &Reason, last| Reading::Unknown {
        unknown: Unknown { why: why.into(), last, attempts: Vec::new() },
    };
    let claim = |unconfirmed, last| Reading::Provisional {
        provisional: Provisional {
            unconfirmed,
            state_root: zeros(),
            provider: SAMPLE.to_owned(),
            quorum: None,
            why: Why::from(&Reason::UnsignedTip),
            last,
            attempts: Vec::new(),
        },
    };
    let claimed = Unconfirmed::Claimed { amount: Amount::sample("2000000000000000000") };
    let remembered = || Some(proven(some, "signed", true));
    vec![
        sample("proven", Reading::Proven { proven: proven(some, "signed", false) }, Some(("fresh", 24))),
        sample("proven_zero", Reading::Proven { proven: proven("0", "signed", false) }, Some(("fresh", 24))),
        sample(
            "proven_finalized",
            Reading::Proven { proven: proven(some, "finalized", false) },
            Some(("fresh", 840)),
        ),
        sample("proven_frozen_token", Reading::Proven { proven: frozen_token() }, Some(("fresh", 24))),
        sample("provisional", claim(claimed.clone(), None), None),
        sample(
            "provisional_with_last",
            claim(claimed, Some(proven(some, "signed", false))),
            Some(("fresh", 60)),
        ),
        sample("provisional_not_shown", claim(Unconfirmed::NotShown, None), None),
        sample("unknown", unknown(&Reason::AllUnreachable, None), None),
        sample("unknown_with_last", unknown(&Reason::AllUnreachable, remembered()), Some(("old", 7_200))),
        sample("unknown_offline", unknown(&Reason::DeviceOffline, remembered()), Some(("old", 86_400))),
        sample("unknown_age", unknown(&Reason::ClockOff, remembered()), Some(("unknown", 0))),
        sample("unknown_token", unknown(&Reason::TokenLayoutUnproven, None), None),
        sample("unknown_needs_action", unknown(&Reason::ConsensusFault, None), None),
    ]
}

fn sample(name: &str, reading: Reading, age: Option<(&str, u64)>) -> Sample {
    let freshness = age.map(|(code, seconds)| Freshness {
        code: code.to_owned(),
        age_seconds: (code != "unknown").then_some(seconds),
    });
    Sample { name: name.to_owned(), reading, freshness }
}

fn proven(base_units: &str, level: &str, is_restored: bool) -> Proven {
    Proven {
        holding: Holding {
            network_id: NO_NETWORK,
            owner: "0x0000000000000000000000000000000000000000".to_owned(),
            token: None,
        },
        amount: Amount::sample(base_units),
        is_frozen: false,
        derivation: None,
        nonce: Some(0),
        block: Block {
            chain_id: NO_NETWORK,
            number: 1_000,
            hash: zeros(),
            state_root: zeros(),
            timestamp: 1_700_000_000,
            assurance: Assurance {
                level: level.to_owned(),
                signers: Some(500),
                committee_size: Some(512),
                is_forced: false,
                vouched: None,
            },
            path: "head".to_owned(),
            origin: Origin {
                checkpoint: Checkpoint { root: zeros(), slot: None },
                agreed_by: vec![SAMPLE.to_owned()],
            },
        },
        provider: SAMPLE.to_owned(),
        is_restored,
        attempts: Vec::new(),
    }
}

/// The balance of an invented token, frozen by its issuer.
fn frozen_token() -> Proven {
    let native = proven("2500000", "signed", false);
    let derivation =
        Derivation::Slot { layout: "invented".to_owned(), code_hash: zeros(), implementation: None };
    Proven {
        holding: Holding {
            token: Some("0x0000000000000000000000000000000000000001".to_owned()),
            ..native.holding
        },
        is_frozen: true,
        derivation: Some(derivation),
        nonce: None,
        ..native
    }
}

/// 32 zero bytes.
fn zeros() -> String {
    saldo::B256::ZERO.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_show_every_state_and_are_of_no_network() {
        let samples = samples();
        let is = |test: fn(&Reading) -> bool| samples.iter().any(|sample| test(&sample.reading));
        assert!(is(|reading| matches!(reading, Reading::Proven { .. })));
        assert!(is(|reading| matches!(reading, Reading::Provisional { .. })));
        assert!(is(|reading| matches!(reading, Reading::Unknown { .. })));
        for sample in &samples {
            let proven = match &sample.reading {
                Reading::Proven { proven } => Some(proven),
                Reading::Provisional { provisional } => provisional.last.as_ref(),
                Reading::Unknown { unknown } => unknown.last.as_ref(),
            };
            assert!(proven.is_none_or(|proven| proven.block.chain_id == 0 && proven.holding.network_id == 0));
            assert_eq!(proven.is_some(), sample.freshness.is_some(), "{}", sample.name);
        }
    }
}
