//! Pending proofs: proofs at a tip that has no signature yet. They join when the committee signs their block.

mod came;
#[cfg(feature = "rollup")]
mod claims;
#[cfg(feature = "rollup")]
mod headers;
#[cfg(feature = "rollup")]
mod named;
#[cfg(feature = "rollup")]
mod stored;

use std::collections::VecDeque;
use std::time::Duration;

use alloy_primitives::Address;
use saldo_proof::StateRoot;
use saldo_reading::{Holding, ProviderId};
use saldo_source::{SortedMap, SortedSet};

use super::target::{Checked, Shown};
pub(super) use came::Came;

/// Holds the newest few pending proofs of each provider and holding. The next tip's proof must not displace one
/// whose block is about to be signed.
///
/// A pending proof is worth nothing until its root is in a signed header: anyone can make a flawless proof
/// under a made-up root. So a proof of one provider never displaces another provider's, and the number is
/// bounded.
///
/// Those of a rollup outlast a restart where there is a storage, except [`Shown::Later`] and [`Shown::NoBalance`]: on a rollup no amount
/// follows from these. Those of L1 do not: they join within seconds, or never.
#[derive(Default)]
pub(super) struct PendingProofs {
    /// The memory that the nodes take, in bytes.
    nodes: usize,
    proofs: SortedMap<(Holding, ProviderId), VecDeque<PendingProof>>,
    /// The blocks of a rollup at which proofs were taken, oldest first.
    #[cfg(feature = "rollup")]
    headers: VecDeque<named::Named>,
}

/// Which pending proofs of one holding from one provider are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeping {
    /// The newest: the next block that is signed is one of theirs.
    Newest,
    /// Some of the last hours, because it is not known yet which blocks of a rollup are claimed on L1; and those that a claim reaches.
    Spread,
}

/// A complete proof whose block has no signature yet.
#[derive(Clone)]
pub(crate) struct PendingProof {
    pub(crate) provider: ProviderId,
    pub(crate) checked: Checked,
    /// The newest trusted block number when the proof came, if there was one. The proof's own block has a
    /// higher number, or the proof would have joined.
    pub(crate) above: Option<u64>,
    /// When the proof came.
    pub(super) came: Came,
    /// Whether it is stored. Another client that uses the storage may have removed it since: then it is not stored again.
    #[cfg_attr(not(feature = "rollup"), expect(dead_code, reason = "only proofs of a rollup are stored"))]
    pub(super) is_written: bool,
    /// The games whose claims reach its block and do not count yet; none on L1.
    pub(super) claims: Vec<Address>,
}

impl PendingProofs {
    /// The most pending proofs of one holding from one provider. So many tips can be ahead of the newest block
    /// that a signed head names; from Gloas on that block is the signed block's parent.
    const TIPS: usize = 6;
    /// The same where they are spread over hours.
    const SPREAD: usize = 24;
    /// The most beside these that a claim reaches.
    const REACHED: usize = 16;
    /// How long ago a proof came that a claim may still be made for: first L1 must have the claim, and then make it final.
    const CLAIMED_WITHIN: Duration = Duration::from_secs(3 * 60 * 60);
    /// The most pairs of holding and provider; a verified account takes about 200 bytes.
    const CAPACITY: usize = 4_096;
    /// The most bytes that the nodes of all proofs may take. Beyond it, nodes are dropped, and the readings of
    /// those proofs are not stored.
    const NODES: usize = 4 << 20;

    /// Keeps a proof until its root is in a trusted header.
    pub(super) fn keep(&mut self, holding: Holding, mut proof: PendingProof, keeping: Keeping) {
        let key = (holding, proof.provider.clone());
        if self.proofs.len() >= Self::CAPACITY && !self.proofs.contains_key(&key) {
            return; // Full: a later read asks again.
        }
        let tips = self.proofs.entry(key).or_default();
        let root = proof.checked.state_root();
        if tips.iter().all(|tip| tip.checked.state_root() != root) {
            if self.nodes.saturating_add(proof.checked.size()) > Self::NODES {
                proof.checked.nodes = None;
            }
            let is_full = self.nodes.saturating_add(proof.checked.size()) > Self::NODES;
            if is_full && matches!(proof.checked.shown, Shown::Later { .. }) {
                return; // Its state takes memory too.
            }
            self.nodes = self.nodes.saturating_add(proof.checked.size());
            // A restored one comes before those of this run.
            let place = tips.partition_point(|tip| proof.came.until(tip.came).is_zero());
            tips.insert(place, proof);
        }
        let dispensable = |tips: &VecDeque<PendingProof>| match keeping {
            Keeping::Newest => (tips.len() > Self::TIPS).then_some(0),
            Keeping::Spread => dispensable(tips),
        };
        while let Some(place) = dispensable(tips) {
            let dropped = tips.remove(place).map_or(0, |tip| tip.checked.size());
            self.nodes = self.nodes.saturating_sub(dropped);
        }
    }

    /// Counts the memory of the nodes again, after some proofs were dropped.
    fn recount(&mut self) {
        self.nodes = self.proofs.values().flatten().map(|tip| tip.checked.size()).sum();
    }

    /// Drops the proofs that are older than `longest` at the time `now` of the monotonic clock, and returns their providers.
    pub(super) fn expire(&mut self, now: Duration, longest: Duration) -> SortedSet<ProviderId> {
        let mut expired = SortedSet::new();
        self.proofs.retain(|(_, provider), tips| {
            let before = tips.len();
            tips.retain(|tip| tip.came.age(now) <= longest);
            if tips.len() < before {
                expired.insert(provider.clone());
            }
            !tips.is_empty()
        });
        if !expired.is_empty() {
            self.recount();
        }
        expired
    }

    /// All pending proofs of `holding`, oldest first of each provider.
    pub(super) fn of(&self, holding: Holding) -> Vec<PendingProof> {
        let of_holding = self.proofs.iter().filter(|((held, _), _)| *held == holding);
        of_holding.flat_map(|(_, tips)| tips.iter().cloned()).collect()
    }

    /// The newest pending proof of `holding` from `provider`.
    pub(super) fn newest(&self, holding: Holding, provider: &ProviderId) -> Option<&PendingProof> {
        self.proofs.get(&(holding, provider.clone()))?.back()
    }

    /// Drops the proof from `provider` under `root`.
    pub(super) fn remove(&mut self, holding: Holding, provider: &ProviderId, root: StateRoot) {
        let key = (holding, provider.clone());
        if let Some(tips) = self.proofs.get_mut(&key) {
            tips.retain(|tip| tip.checked.state_root() != root);
            if tips.is_empty() {
                self.proofs.remove(&key);
            }
            self.recount();
        }
    }

    /// Drops all pending proofs of `holding`: it is proven without them.
    pub(super) fn remove_all(&mut self, holding: Holding) {
        let before = self.proofs.len();
        self.proofs.retain(|(held, _), _| *held != holding);
        if self.proofs.len() < before {
            self.recount();
        }
    }
}

/// The place of the proof that is needed least, if there are too many.
fn dispensable(tips: &VecDeque<PendingProof>) -> Option<usize> {
    let is_reached = |place: &usize| tips.get(*place).is_some_and(|tip| !tip.claims.is_empty());
    let (reached, open): (Vec<usize>, Vec<usize>) = (0..tips.len()).partition(is_reached);
    if reached.len() > PendingProofs::REACHED {
        return Some(nearest(tips, &reached));
    }
    if open.len() <= PendingProofs::SPREAD {
        return None;
    }
    let came = |place: Option<&usize>| place.and_then(|place| tips.get(*place)).map(|tip| tip.came);
    let span = came(open.first()).zip(came(open.last())).map(|(oldest, newest)| oldest.until(newest));
    match open.first() {
        Some(oldest) if span > Some(PendingProofs::CLAIMED_WITHIN) => Some(*oldest),
        _ => Some(nearest(tips, &open)),
    }
}

/// The one of these places whose proof came soonest after another, so that the others stay spread out.
fn nearest(tips: &VecDeque<PendingProof>, places: &[usize]) -> usize {
    let came = places.iter().filter_map(|place| tips.get(*place)).map(|tip| tip.came);
    let gaps = came.clone().skip(1).zip(came).map(|(after, before)| before.until(after));
    // The newest one stays: it is shown.
    let inner = places.len().saturating_sub(2);
    let place = gaps.take(inner).enumerate().min_by_key(|(_, gap)| *gap).map_or(0, |(place, _)| place);
    places.get(place.saturating_add(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, B256, hex, keccak256};
    use saldo_proof::{Account, Verified, verify_account};

    use super::*;

    /// A proof that `owner` is absent, from a trie of one other account, which holds `wei`.
    pub(super) fn absent(owner: Address, wei: u8) -> Verified<Account> {
        let mut leaf = hex!(
            "f872a120e2c07404b8c1df4c46226425cac68c28d27a766bbddce62309f36724839b22c0b84ef84c01880de0b6b3a7640000
             a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421
             a0c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
        );
        leaf[48] ^= wei;
        verify_account(StateRoot::new(keccak256(leaf)), owner, &[leaf]).unwrap()
    }

    pub(super) fn name(number: usize) -> ProviderId {
        ProviderId::new(&number.to_string()).unwrap()
    }

    #[test]
    fn the_newest_tips_of_each_provider_and_never_too_many() {
        let mut pending = PendingProofs::default();
        let owner = Address::repeat_byte(7);
        let holding = Holding::native(saldo_reading::NetworkId::new(1), owner);
        for round in 0..9_u8 {
            for number in 0..5_000 {
                let proof = PendingProof {
                    provider: name(number),
                    checked: Checked { shown: Shown::Account(absent(owner, round)), nodes: None },
                    above: Some(round.into()),
                    came: Came::at(Duration::from_secs(round.into())),
                    is_written: false,
                    claims: Vec::new(),
                };
                pending.keep(holding, proof.clone(), Keeping::Newest);
                pending.keep(holding, proof, Keeping::Newest);
            }
        }
        assert_eq!(pending.proofs.len(), PendingProofs::CAPACITY);
        let above: Vec<_> =
            pending.proofs.get(&(holding, name(0))).unwrap().iter().filter_map(|tip| tip.above).collect();
        assert_eq!(above, [3, 4, 5, 6, 7, 8]);
        assert_eq!(pending.newest(holding, &name(0)).unwrap().above, Some(8));

        pending.remove(holding, &name(0), StateRoot::new(B256::ZERO));
        pending.remove(holding, &name(0), absent(owner, 8).state_root());
        assert_eq!(pending.newest(holding, &name(0)).unwrap().above, Some(7));
        let now = Duration::from_secs(9);
        let expire =
            |pending: &mut PendingProofs, since| pending.expire(now, now - Duration::from_secs(since));
        assert_eq!(expire(&mut pending, 7).len(), PendingProofs::CAPACITY);
        assert!(pending.of(holding).iter().all(|proof| proof.above >= Some(7)));
        assert!(expire(&mut pending, 7).is_empty());
        expire(&mut pending, 9);
        assert!(pending.of(holding).is_empty() && pending.proofs.is_empty());
    }

    #[test]
    fn spread_proofs_are_of_all_times() {
        let owner = Address::repeat_byte(7);
        let holding = Holding::native(saldo_reading::NetworkId::new(1), owner);
        let mut pending = PendingProofs::default();
        let minute = |came| Came::at(Duration::ZERO).until(came).as_secs() / 60;
        for minute in 0..=180_u8 {
            let shown = Shown::Account(absent(owner, minute));
            let came = Came::at(Duration::from_secs(u64::from(minute) * 60));
            let checked = Checked { shown, nodes: None };
            let proof = PendingProof {
                provider: name(0),
                checked,
                above: None,
                came,
                is_written: false,
                claims: Vec::new(),
            };
            pending.keep(holding, proof, Keeping::Spread);
        }
        let came: Vec<u64> = pending.of(holding).iter().map(|tip| minute(tip.came)).collect();
        assert_eq!((came.len(), came.first(), came.last()), (PendingProofs::SPREAD, Some(&0), Some(&180)));
        let widest = came.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert!(widest <= Some(30), "{came:?}");
    }
}
