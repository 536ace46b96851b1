//! Which pending proofs of a rollup are stored, and how they come back.

use std::collections::VecDeque;
use std::time::Duration;

use alloy_primitives::U256;
use saldo_beacon::unit::UnixTime;
use saldo_chain::ExecutionHeader;
use saldo_proof::{Account, StateRoot};
use saldo_reading::{Holding, ProviderId};

use super::named::Named;
use super::{Keeping, PendingProof, PendingProofs};
use crate::proofs::target::Shown;
use crate::store::{PendingKey, PendingRecord};

impl PendingProofs {
    /// The least time between two stored proofs of one holding from one provider that show the same amount. A watch takes one a minute,
    /// and those that are kept are further apart within hours.
    const STORED_APART: Duration = Duration::from_secs(5 * 60);
    /// The most pairs of holding and provider that are restored.
    const RESTORED: usize = Self::CAPACITY / 2;

    /// The proofs that are to be stored; they count as stored from now on. `now` is on the monotonic clock, `wall` is the same moment.
    pub(in super::super) fn take_unwritten(&mut self, now: Duration, wall: UnixTime) -> Vec<PendingRecord> {
        let Self { proofs, headers, .. } = self;
        let due = proofs.iter().filter(|(_, tips)| is_due(tips)).map(|(key, _)| key.clone());
        let mut unwritten = Vec::new();
        for key in due.collect::<Vec<_>>() {
            let Some(newest) = proofs.get_mut(&key).and_then(VecDeque::back_mut) else { continue };
            let header = header_of(headers, &key.1, newest.checked.state_root()).cloned();
            let (Some(header), Some(nodes)) = (header, newest.checked.nodes.clone()) else { continue };
            newest.is_written = true;
            let came = UnixTime::from_secs(wall.as_secs().saturating_sub(newest.came.age(now).as_secs()));
            let (holding, provider) = key;
            unwritten.push(PendingRecord { holding, provider, header, came, nodes });
        }
        unwritten
    }

    /// Notes that a proof could not be stored.
    pub(in super::super) fn mark_unwritten(&mut self, key: &PendingKey) {
        let tips = self.proofs.get_mut(&(key.holding, key.provider.clone()));
        for tip in tips.into_iter().flatten().filter(|tip| tip.checked.state_root() == key.root) {
            tip.is_written = false;
        }
    }

    /// Whether the proof still waits, and its block can be found.
    pub(in super::super) fn is_kept(&self, key: &PendingKey) -> bool {
        let tips = self.proofs.get(&(key.holding, key.provider.clone()));
        let is_there = tips.into_iter().flatten().any(|tip| tip.checked.state_root() == key.root);
        is_there && header_of(&self.headers, &key.provider, key.root).is_some()
    }

    /// Takes a proof of an earlier run, and its header, if there is room. Those of this run are newer.
    pub(in super::super) fn restore(
        &mut self,
        holding: Holding,
        proof: PendingProof,
        header: ExecutionHeader,
    ) {
        let provider = proof.provider.clone();
        // What is stored never keeps a holding that is read now from its place.
        let is_full =
            self.proofs.len() >= Self::RESTORED && !self.proofs.contains_key(&(holding, provider.clone()));
        if is_full || self.nodes.saturating_add(proof.checked.size()) > Self::NODES {
            return;
        }
        if header_of(&self.headers, &provider, header.state_root()).is_none() {
            if self.headers.len() >= Self::HEADERS {
                return;
            }
            self.headers.push_front(Named { provider, header, tries: 0, is_restored: true });
        }
        self.keep(holding, proof, Keeping::Spread);
    }
}

impl PendingProofs {
    /// Drops the restored headers whose block `is_old`, by its own time, and the proofs under their roots.
    pub(in super::super) fn drop_old_restored(&mut self, is_old: impl Fn(UnixTime) -> bool) {
        let is_old = |named: &&Named| named.is_restored && is_old(named.header.timestamp());
        let old: Vec<ExecutionHeader> =
            self.headers.iter().filter(is_old).map(|named| named.header.clone()).collect();
        old.iter().for_each(|header| self.drop_header(header));
    }
}

/// The header that `provider` named for its proofs under `root`.
fn header_of<'a>(
    headers: &'a VecDeque<Named>,
    provider: &ProviderId,
    root: StateRoot,
) -> Option<&'a ExecutionHeader> {
    let is_it = |named: &&Named| named.provider == *provider && named.header.state_root() == root;
    headers.iter().find(is_it).map(|named| &named.header)
}

/// Whether the newest proof is to be stored.
fn is_due(tips: &VecDeque<PendingProof>) -> bool {
    let Some(newest) = tips.back().filter(|newest| !newest.is_written) else { return false };
    let Some(amount) = amount(&newest.checked.shown) else { return false };
    let written = tips.iter().rev().find(|tip| tip.is_written);
    written.is_none_or(|written| {
        let is_apart = written.came.until(newest.came) >= PendingProofs::STORED_APART;
        is_apart || self::amount(&written.checked.shown) != Some(amount)
    })
}

/// The amount; `None` if a proof of this kind is not stored.
fn amount(shown: &Shown) -> Option<U256> {
    match shown {
        Shown::Account(account) => Some(match account.leaf() {
            Account::Present(state) => state.balance,
            Account::Absent => U256::ZERO,
        }),
        Shown::Token(balance) => Some(balance.amount()),
        // The rules of a rollup's blocks are not known here, so no amount would ever follow.
        Shown::Later { .. } | Shown::NoBalance { .. } => None,
    }
}
