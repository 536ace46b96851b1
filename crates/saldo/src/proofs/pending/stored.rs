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
    const RESTORED: usize = 2_048;

    /// The proofs that are to be stored; they count as stored from now on. `now` is on the monotonic clock, `wall` is the same moment.
    pub(in super::super) fn take_unwritten(&mut self, now: Duration, wall: UnixTime) -> Vec<PendingRecord> {
        let Self { proofs, headers, .. } = self;
        let mut unwritten = Vec::new();
        for (holding, provider) in proofs.keys().cloned().collect::<Vec<_>>() {
            let Some(tips) = proofs.get_mut(&(holding, provider.clone())) else { continue };
            let newest = is_due(tips).then(|| tips.len().saturating_sub(1));
            let is_due = |(place, tip): &(usize, &mut PendingProof)| {
                newest == Some(*place) || !tip.claims.is_empty() && !tip.is_written
            };
            for (_, tip) in tips.iter_mut().enumerate().filter(is_due) {
                let header = header_of(headers, &provider, tip.checked.state_root()).cloned();
                let (Some(header), Some(nodes)) = (header, tip.checked.nodes.clone()) else { continue };
                tip.is_written = true;
                let came = UnixTime::from_secs(wall.as_secs().saturating_sub(tip.came.age(now).as_secs()));
                let (provider, claims) = (provider.clone(), tip.claims.clone());
                unwritten.push(PendingRecord { holding, provider, header, came, nodes, claims });
            }
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

    /// Drops the restored headers whose block `is_old`, by its own time, and the proofs under their roots.
    pub(in super::super) fn drop_old_restored(&mut self, is_old: impl Fn(UnixTime) -> bool) {
        let is_old = |named: &&Named| named.is_restored && is_old(named.header.timestamp());
        let old: Vec<ExecutionHeader> =
            self.headers.iter().filter(is_old).map(|named| named.header.clone()).collect();
        old.iter().for_each(|header| self.drop_header(header));
    }
}

/// The header that `provider` named for its proofs under `root`.
pub(super) fn header_of<'a>(
    headers: &'a VecDeque<Named>,
    provider: &ProviderId,
    root: StateRoot,
) -> Option<&'a ExecutionHeader> {
    let is_it = |named: &&Named| named.header.state_root() == root && named.provider == *provider;
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use alloy_primitives::{Address, Bytes};
    use saldo_reading::NetworkId;

    use super::super::Came;
    use super::super::tests::{absent, name};
    use super::*;
    use crate::proofs::target::Checked;

    const WALL: UnixTime = UnixTime::from_secs(1_000_000);

    fn holding() -> Holding {
        Holding::native(NetworkId::new(1), Address::repeat_byte(7))
    }

    fn proof(wei: u8, came: Came, is_written: bool) -> (PendingProof, ExecutionHeader) {
        let account = absent(Address::repeat_byte(7), wei);
        let block = crate::made::block(
            wei.into(),
            wei.into(),
            account.state_root().get(),
            saldo_chain::Level::Signed,
        );
        let nodes: Arc<[Bytes]> = Arc::from([Bytes::from_static(&[1; 100])]);
        let checked = Checked { shown: Shown::Account(account), nodes: Some(nodes) };
        (
            PendingProof { provider: name(0), checked, above: None, came, is_written, claims: Vec::new() },
            block.header().unwrap(),
        )
    }

    fn take(pending: &mut PendingProofs, wei: u8, minute: u64) {
        let (proof, header) = proof(wei, Came::at(Duration::from_secs(minute.saturating_mul(60))), false);
        pending.keep_header(&proof.provider, header);
        pending.keep(holding(), proof, Keeping::Spread);
    }

    #[test]
    fn one_in_five_minutes_is_stored_and_one_that_failed_is_tried_again() {
        let mut pending = PendingProofs::default();
        let mut stored = Vec::new();
        for minute in 0..=12_u8 {
            take(&mut pending, minute, minute.into());
            let unwritten = pending.take_unwritten(Duration::from_secs(u64::from(minute) * 60 + 1), WALL);
            assert!(unwritten.iter().all(|record| record.came == UnixTime::from_secs(WALL.as_secs() - 1)));
            stored.extend(unwritten.into_iter().map(|record| (minute, record)));
        }
        let minutes: Vec<u8> = stored.iter().map(|(minute, _)| *minute).collect();
        assert_eq!(minutes, [0, 5, 10]);
        let key = |record: &PendingRecord| {
            let (holding, provider) = (record.holding, record.provider.clone());
            PendingKey { holding, provider, root: record.header.state_root() }
        };
        take(&mut pending, 15, 15);
        let record = pending.take_unwritten(Duration::from_secs(900), WALL).pop().unwrap();
        assert!(pending.take_unwritten(Duration::from_secs(900), WALL).is_empty());
        pending.mark_unwritten(&key(&record));
        assert_eq!(pending.take_unwritten(Duration::from_secs(900), WALL).len(), 1);
        // One without a header cannot be found again when L1 vouches for a block.
        assert!(pending.is_kept(&key(&record)));
        pending.headers.clear();
        assert!(!pending.is_kept(&key(&record)));
        take(&mut pending, 30, 30);
        pending.headers.clear();
        assert!(pending.take_unwritten(Duration::from_secs(1_800), WALL).is_empty());
    }

    #[test]
    fn restored_proofs_come_before_those_of_this_run_and_are_no_heads() {
        let mut pending = PendingProofs::default();
        take(&mut pending, 90, 1);
        for (wei, age) in [(80, 600), (70, 1_200), (60, 1_800)] {
            let (proof, header) =
                proof(wei, Came::restored(Duration::from_secs(30), Duration::from_secs(age)), true);
            pending.restore(holding(), proof, header);
        }
        let numbers: Vec<u64> = pending.headers().iter().map(ExecutionHeader::number).collect();
        assert_eq!(numbers, [90, 80, 70, 60]);
        let ages = pending
            .of(holding())
            .iter()
            .map(|tip| tip.came.age(Duration::from_secs(60)).as_secs())
            .collect::<Vec<_>>();
        assert_eq!(ages, [1_830, 1_230, 630, 0]);
        assert_eq!(pending.newest_number(), Some(90));
        assert!(
            pending.take_unwritten(Duration::from_secs(60), WALL).len() == 1,
            "those that are stored are not stored again"
        );
        pending.expire(Duration::from_secs(60), Duration::from_secs(1_500));
        assert_eq!(pending.of(holding()).len(), 3);
        pending.drop_old_restored(|block| block.as_secs() < 75 || block.as_secs() == 90);
        let numbers: Vec<u64> = pending.headers().iter().map(ExecutionHeader::number).collect();
        assert_eq!(numbers, [90, 80]);
    }

    /// Software that fills the storage keeps no holding that is read now from its place.
    #[test]
    fn what_is_restored_is_bounded() {
        let mut pending = PendingProofs::default();
        let came = Came::restored(Duration::ZERO, Duration::from_secs(1));
        for number in 0..5_000 {
            let (proof, header) = proof(0, came, true);
            let holding = Holding::erc20(
                NetworkId::new(1),
                Address::repeat_byte(7),
                Address::left_padding_from(&usize::to_be_bytes(number)),
            );
            pending.restore(holding, proof, header);
        }
        assert_eq!((pending.proofs.len(), pending.headers.len()), (PendingProofs::RESTORED, 1));
        for wei in 0..=200 {
            let (proof, header) = proof(wei, came, true);
            pending.restore(holding(), PendingProof { provider: name(0), ..proof }, header);
        }
        assert!(pending.headers.len() <= PendingProofs::HEADERS);
        let mut pending = PendingProofs::default();
        for wei in 0..=200 {
            let (mut proof, header) = proof(wei, came, true);
            proof.checked.nodes = Some(Arc::from([Bytes::from(vec![1; 100_000])]));
            proof.provider = name(wei.into());
            pending.restore(holding(), proof, header);
        }
        assert!(
            pending.nodes <= PendingProofs::NODES
                && pending.of(holding()).len() == PendingProofs::NODES / 100_000
        );
    }
}
