//! What is taken away, one thing at a time, and what must come of it.

use alloy_primitives::U256;
use saldo::Address;
use saldo_drill::{Chain, Fault};

use super::stage::{ALICE, NOBODY, Stage, milliether};

/// One line of the demo.
pub(super) struct Act {
    pub(super) title: &'static str,
    pub(super) owner: Address,
    pub(super) expected: Expected,
    scene: Scene,
}

/// What saldo must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// This amount, in wei, proven.
    Amount(U256),
    /// That it does not know, why, and the amount that was proven last, in wei.
    Unknown { code: &'static str, last: U256 },
}

enum Scene {
    AllWell,
    /// The providers have these faults, beginning with the one that is asked first.
    Faults(Vec<Vec<Fault>>),
    /// Nobody can be reached: neither providers nor beacon sources.
    Outage,
    /// Every provider proves nothing but its own tip, which nobody has signed yet.
    TipOnly,
    /// All are back, and somebody has paid meanwhile: now it is this much, in wei.
    Paid(U256),
}

impl Act {
    pub(super) fn all() -> Vec<Self> {
        let (before, after) = (milliether(1_500), milliether(2_250));
        let act = |title, expected, scene| Self { title, owner: ALICE, expected, scene };
        let still = |title, faults| act(title, Expected::Amount(before), Scene::Faults(faults));
        let unknown = |code| Expected::Unknown { code, last: before };
        // Whoever lies about the proof says 0 wherever he is asked.
        let lie = |fault| vec![fault, Fault::ZeroBalance];
        let cut = || lie(Fault::TruncatedProof { nodes: 1 });
        let anothers = || lie(Fault::OtherAccountsProof);
        let elsewhere = Chain::builder(1).chain_id(1).build();
        vec![
            act("all is well", Expected::Amount(before), Scene::AllWell),
            Self {
                owner: NOBODY,
                ..act("an address that never held anything", Expected::Amount(U256::ZERO), Scene::AllWell)
            },
            still("a provider is down", vec![vec![Fault::Refuse]]),
            still("a provider says 0", vec![vec![Fault::ZeroBalance]]),
            still("a provider cuts the proof and says 0", vec![cut()]),
            still("a provider sends another account's proof", vec![anothers()]),
            still(
                "a provider makes up a state without it",
                vec![lie(Fault::InventedTrie { balance: U256::ZERO })],
            ),
            still("a provider is of another chain", vec![vec![Fault::OtherChain(elsewhere)]]),
            still("a provider never answers", vec![vec![Fault::Hang]]),
            still("two lie, one is honest", vec![cut(), anothers()]),
            act("all lie", unknown("proofs_refused"), Scene::Faults(vec![cut(), cut(), anothers()])),
            act("all are down", unknown("all_unreachable"), Scene::Outage),
            act("all are back, and 0.75 ether came in", Expected::Amount(after), Scene::Paid(after)),
            act("all prove only a tip that nobody signed yet", Expected::Amount(after), Scene::TipOnly),
        ]
    }

    /// Sets the scene, and waits until no reading can rest on an earlier one.
    /// `first` is the provider that is asked first.
    pub(super) async fn prepare(&self, stage: &Stage, first: usize) {
        match &self.scene {
            Scene::AllWell => {}
            Scene::Faults(faults) => {
                let from_first = stage.providers.iter().cycle().skip(first);
                for (provider, faults) in from_first.zip(faults) {
                    faults.iter().for_each(|fault| provider.add(fault.clone()));
                }
            }
            Scene::Outage => {
                stage.providers.iter().for_each(|provider| provider.add(Fault::Refuse));
                stage.sources.iter().for_each(|source| source.add(Fault::Refuse));
            }
            Scene::TipOnly => stage.prove_back(0),
            Scene::Paid(amount) => stage.chain.set_balance(ALICE, *amount),
        }
        stage.next_slot().await;
        if let Scene::Paid(amount) = &self.scene {
            while stage.chain.balance_at(stage.chain.signed().number, self.owner) != Some(*amount) {
                stage.next_slot().await;
            }
        }
    }
}
