//! A plain reader built from the pure crates. Without a defect it is safe.

mod ask;
mod held;
mod sync;
mod token;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::{Address, B256, U256};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all, select};
use saldo::Holding;
use saldo_beacon::container::SyncCommittee;
use saldo_beacon::unit::Period;
use saldo_beacon::{Checkpoint, LightClient, Network};

use super::Omission;
use crate::client::table;
use crate::wallet::{Shown, ShownAmount, Wallet};
use crate::world::World;
use held::{Head, Heads, Held};
use saldo_drill::Chain;
use saldo_drill::simulate::Simulation;
use wire::{Miss, Wire};

/// The reader.
pub(super) struct LooseReader {
    wire: Wire,
    network: Arc<Network>,
    checkpoint: Checkpoint,
    providers: usize,
    sources: usize,
    deadline: Duration,
    max_age: Duration,
    wants_final: bool,
    omission: Option<Omission>,
    state: Mutex<State>,
}

/// What a proof shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// So many base units, frozen or not.
    Units(U256, bool),
    /// The token has no balance that can be proven; the code of the reason.
    NoBalance(&'static str),
}

/// Its state.
#[derive(Default)]
struct State {
    light_client: Option<LightClient>,
    /// A committee whose update too few signed, and the period that it signs in.
    forced: Option<(Period, SyncCommittee)>,
    heads: Heads,
    held: BTreeMap<Holding, Held>,
    /// What pending proofs show, under roots that are not signed yet.
    pending: BTreeMap<Holding, Vec<(B256, Found)>>,
    /// The tokens that have no balance that can be proven, since the last read.
    without: BTreeMap<Holding, &'static str>,
    /// The implementation that the proxy had first, for a wallet that never looks again.
    implementation: Option<Address>,
    /// The strikes of each provider, and the providers that are not asked any more.
    strikes: BTreeMap<usize, u64>,
    shut_out: BTreeSet<usize>,
}

impl LooseReader {
    pub(super) fn new(
        world: &World,
        chain: &Chain,
        simulation: &Simulation,
        omission: Option<Omission>,
    ) -> Self {
        Self {
            wire: Wire::new(simulation),
            network: Arc::new(table(world, chain)),
            checkpoint: chain.checkpoint(),
            providers: world.providers.len(),
            sources: world.sources.len(),
            deadline: Duration::from_millis(world.wants.deadline),
            max_age: Duration::from_secs(world.wants.max_age().saturating_add(60)),
            wants_final: world.wants.finalized,
            omission,
            state: Mutex::default(),
        }
    }

    fn has(&self, omission: Omission) -> bool {
        self.omission == Some(omission)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest head of the wanted level, if it is young enough.
    fn head(&self) -> Option<Head> {
        let head = self.state().heads.newest(self.wants_final)?;
        self.is_young(&head).then_some(head)
    }

    fn is_young(&self, head: &Head) -> bool {
        let age = self.wire.wall().saturating_sub(head.block.time);
        self.has(Omission::NoAge) || age <= self.max_age
    }

    async fn read_all(&self, holdings: &[Holding]) {
        self.sync().await;
        self.review();
        join_all(holdings.iter().map(|holding| self.read_one(*holding))).await;
    }

    /// Reads one holding, and records what is proven.
    async fn read_one(&self, holding: Holding) {
        if self.join_pending(holding) {
            return;
        }
        let Some(head) = self.head() else { return };
        if let Some((found, head)) = self.prove(holding, &head).await {
            self.offer(holding, found, &head);
        } else if self.has(Omission::ErrorIsZero) {
            self.offer(holding, Found::Units(U256::ZERO, false), &head);
        }
    }

    /// Records what was proven, if it is not older than the record.
    fn offer(&self, holding: Holding, found: Found, head: &Head) -> bool {
        let replaces_all = self.has(Omission::OldBlock);
        let mut state = self.state();
        let (units, is_frozen) = match found {
            Found::Units(units, is_frozen) => (units, is_frozen),
            Found::NoBalance(code) => {
                state.without.insert(holding, code);
                return true;
            }
        };
        let amount = ShownAmount { units, is_frozen, block: head.block };
        state.held.entry(holding).or_default().offer(amount, replaces_all)
    }

    /// Withdraws what the newest head excludes.
    fn review(&self) {
        if self.has(Omission::NotWithdrawn) {
            return;
        }
        let mut state = self.state();
        let State { heads, held, .. } = &mut *state;
        held.values_mut().for_each(|held| held.review(heads));
    }

    fn show(&self, holding: Holding) -> Shown {
        let mut state = self.state();
        let without = state.without.remove(&holding);
        let unknown = Shown { why: Some(without.unwrap_or("deadline")), ..Shown::default() };
        let Some(held) = state.held.get_mut(&holding) else { return unknown };
        let newest = held.newest();
        let fresh = held.take_fresh();
        let shown = Shown { withdrawn: held.withdrawn(), ..unknown };
        match fresh {
            Some(amount) => Shown { amount: Some(amount), why: None, ..shown },
            None if self.has(Omission::DropsLast) => {
                state.held.remove(&holding);
                shown
            }
            None => Shown { last: newest, ..shown },
        }
    }
}

impl Wallet for LooseReader {
    fn read<'a>(&'a self, holdings: &'a [Holding]) -> BoxFuture<'a, Vec<Shown>> {
        async move {
            let all = self.read_all(holdings).boxed();
            if self.has(Omission::NoDeadline) {
                all.await;
            } else {
                // What is not proven by then is unknown.
                select(all, self.wire.sleep(self.deadline)).await;
            }
            holdings.iter().map(|holding| self.show(*holding)).collect()
        }
        .boxed()
    }

    fn quarantined(&self) -> Vec<usize> {
        self.state().shut_out.iter().copied().collect()
    }
}
