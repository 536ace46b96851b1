//! What each step of the demo breaks, and what saldo must show then.

use alloy_primitives::U256;
use saldo::Address;
use saldo_drill::{Chain, Fault};

use super::testbed::{ALICE, Testbed, UNUSED, milliether};

/// One line of the demo.
pub(super) struct Step {
    pub(super) title: &'static str,
    pub(super) owner: Address,
    pub(super) expected: Expected,
    situation: Situation,
}

/// What saldo must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// This amount, in wei, proven.
    Amount(U256),
    /// The amount is unknown: the reason's code, and the last proven amount in wei.
    Unknown { code: &'static str, last: U256 },
}

enum Situation {
    AllWell,
    /// The providers have these faults; the first list goes to the provider that is asked first.
    Faults(Vec<Vec<Fault>>),
    /// Every provider and every beacon source is unreachable.
    Outage,
    /// Every provider proves only its newest block, which the committee has not signed yet.
    TipOnly,
    /// All work again, and the balance has become this amount, in wei.
    Paid(U256),
}

impl Step {
    pub(super) fn all() -> Vec<Self> {
        let (before, after) = (milliether(1_500), milliether(2_250));
        let step = |title, expected, situation| Self { title, owner: ALICE, expected, situation };
        let unchanged = |title, faults| step(title, Expected::Amount(before), Situation::Faults(faults));
        let unknown = |code| Expected::Unknown { code, last: before };
        // A provider that lies about the proof must claim 0 as well.
        let lie = |fault| vec![fault, Fault::ZeroBalance];
        let cut = || lie(Fault::TruncatedProof { nodes: 1 });
        let others_proof = || lie(Fault::OtherAccountsProof);
        let other_chain = Chain::builder(1).chain_id(1).build();
        vec![
            step("all is well", Expected::Amount(before), Situation::AllWell),
            Self {
                owner: UNUSED,
                ..step(
                    "an address that never held anything",
                    Expected::Amount(U256::ZERO),
                    Situation::AllWell,
                )
            },
            unchanged("a provider is down", vec![vec![Fault::Refuse]]),
            unchanged("a provider says 0", vec![vec![Fault::ZeroBalance]]),
            unchanged("a provider cuts the proof and says 0", vec![cut()]),
            unchanged("a provider sends another account's proof", vec![others_proof()]),
            unchanged(
                "a provider invents an empty state",
                vec![lie(Fault::InventedTrie { balance: U256::ZERO })],
            ),
            unchanged("a provider is of another chain", vec![vec![Fault::OtherChain(other_chain)]]),
            unchanged("a provider never answers", vec![vec![Fault::Hang]]),
            unchanged("two lie, one is honest", vec![cut(), others_proof()]),
            step("all lie", unknown("proofs_refused"), Situation::Faults(vec![cut(), cut(), others_proof()])),
            step("all are down", unknown("all_unreachable"), Situation::Outage),
            step("all are back, and 0.75 ether came in", Expected::Amount(after), Situation::Paid(after)),
            step("all prove only a tip that is not signed yet", Expected::Amount(after), Situation::TipOnly),
        ]
    }

    /// Sets the situation up, and waits for a new signed block, so that no reading can rest on an earlier one.
    /// `first` is the provider that is asked first.
    pub(super) async fn prepare(&self, testbed: &Testbed, first: usize) {
        match &self.situation {
            Situation::AllWell => {}
            Situation::Faults(faults) => {
                let from_first = testbed.providers.iter().cycle().skip(first);
                for (provider, faults) in from_first.zip(faults) {
                    faults.iter().for_each(|fault| provider.add(fault.clone()));
                }
            }
            Situation::Outage => {
                testbed.providers.iter().for_each(|provider| provider.add(Fault::Refuse));
                testbed.sources.iter().for_each(|source| source.add(Fault::Refuse));
            }
            Situation::TipOnly => testbed.prove_back(0),
            Situation::Paid(amount) => testbed.chain.set_balance(ALICE, *amount),
        }
        testbed.next_slot().await;
        if let Situation::Paid(amount) = &self.situation {
            while testbed.chain.balance_at(testbed.chain.signed().number, self.owner) != Some(*amount) {
                testbed.next_slot().await;
            }
        }
    }
}
