//! What each step of the demo breaks, and what saldo must show then.

use alloy_primitives::U256;
use saldo::{Address, Client, Holding};
use saldo_drill::{Chain, Fault, Held};

use super::testbed::{ALICE, DOLLARS, NO_TOKEN, TOKEN, Testbed, UNUSED, milliether};

/// One line of the demo.
pub(super) struct Step {
    pub(super) title: &'static str,
    pub(super) owner: Address,
    /// The token that is read; `None` for ether.
    pub(super) token: Option<Address>,
    pub(super) expected: Expected,
    situation: Situation,
}

/// What saldo must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// This amount, in base units, proven.
    Amount(U256),
    /// The amount is unknown: the reason's code, and the last proven amount in base units, if there is one.
    Unknown { code: &'static str, last: Option<U256> },
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
        let step =
            |title, expected, situation| Self { title, owner: ALICE, token: None, expected, situation };
        let unchanged = |title, faults| step(title, Expected::Amount(before), Situation::Faults(faults));
        let unknown = |code| Expected::Unknown { code, last: Some(before) };
        // A provider that lies about the proof must claim 0 as well.
        let lie = |fault| vec![fault, Fault::ZeroBalance];
        let cut = || lie(Fault::TruncatedProof { nodes: 1 });
        let others_proof = || lie(Fault::OtherAccountsProof);
        let other_chain = Chain::builder(1).chain_id(1).build();
        let steps = vec![
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
        ];
        steps.into_iter().chain(Self::of_a_token()).collect()
    }

    /// The same with a token, whose balance is in its own storage.
    fn of_a_token() -> [Self; 4] {
        let step = |title, expected, situation| Self {
            title,
            owner: ALICE,
            token: Some(TOKEN),
            expected,
            situation,
        };
        let amount = Expected::Amount(DOLLARS);
        let outage = Expected::Unknown { code: "all_unreachable", last: Some(DOLLARS) };
        let wrong_slot = Situation::Faults(vec![vec![Fault::OtherSlotsProof]]);
        [
            step("a token: all is well", amount, Situation::AllWell),
            step("a token: a provider proves an empty slot", amount, wrong_slot),
            Self {
                token: Some(NO_TOKEN),
                ..step(
                    "an address that is no token",
                    Expected::Unknown { code: "not_a_token", last: None },
                    Situation::AllWell,
                )
            },
            step("a token: all are down", outage, Situation::Outage),
        ]
    }

    /// What both wallets read.
    pub(super) fn holding(&self, client: &Client) -> Holding {
        match self.token {
            Some(token) => Holding::erc20(client.network_id(), self.owner, token),
            None => client.native(self.owner),
        }
    }

    /// What is truly held after that block, in base units; `None` if there is no such token.
    pub(super) fn truth(&self, chain: &Chain, block: u64) -> Option<U256> {
        let Some(token) = self.token else { return chain.balance_at(block, self.owner) };
        match chain.held_at_hash(chain.block(block)?.hash, token, self.owner) {
            Some(Held::Units { units, .. }) => Some(units),
            _ => None,
        }
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
