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
    /// The providers have these faults, from the first on: the first is the one the naive wallet asks.
    Faults(Vec<Fault>),
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
        let still = |title, faults: Vec<Fault>| act(title, Expected::Amount(before), Scene::Faults(faults));
        let unknown = |code| Expected::Unknown { code, last: before };
        let cut = || Fault::TruncatedProof { nodes: 1 };
        let elsewhere = Chain::builder(1).chain_id(1).build();
        vec![
            act("all is well", Expected::Amount(before), Scene::AllWell),
            Self { owner: NOBODY, ..act("an address that never held anything", Expected::Amount(U256::ZERO), Scene::AllWell) },
            still("a provider is down", vec![Fault::Refuse]),
            still("a provider says 0", vec![Fault::ZeroBalance]),
            still("a provider cuts the proof and says 0", vec![cut()]),
            still("a provider sends another account's proof", vec![Fault::OtherAccountsProof]),
            still("a provider makes up a state without it", vec![Fault::InventedTrie { balance: U256::ZERO }]),
            still("a provider is of another chain", vec![Fault::OtherChain(elsewhere)]),
            still("a provider never answers", vec![Fault::Hang]),
            still("two lie, one is honest", vec![cut(), Fault::OtherAccountsProof]),
            act("all prove only a tip that nobody signed yet", Expected::Amount(before), Scene::TipOnly),
            act("all lie", unknown("proofs_refused"), Scene::Faults(vec![cut(), cut(), Fault::OtherAccountsProof])),
            act("all are down", unknown("all_unreachable"), Scene::Outage),
            act("all are back, and 0.75 ether came in", Expected::Amount(after), Scene::Paid(after)),
        ]
    }

    /// Sets the scene.
    pub(super) fn prepare(&self, stage: &Stage) {
        match &self.scene {
            Scene::AllWell => {}
            Scene::Faults(faults) => {
                stage.providers.iter().zip(faults).for_each(|(provider, fault)| provider.add(fault.clone()));
            }
            Scene::Outage => {
                stage.providers.iter().for_each(|provider| provider.add(Fault::Refuse));
                stage.sources.iter().for_each(|source| source.add(Fault::Refuse));
            }
            Scene::TipOnly => stage.prove_back(0),
            Scene::Paid(amount) => stage.chain.set_balance(ALICE, *amount),
        }
    }
}
