//! The blocks of a rollup at which pending proofs were taken. With their numbers they are found again when L1 vouches for later blocks.

use std::collections::VecDeque;

use alloy_primitives::B256;
use saldo_beacon::unit::UnixTime;
use saldo_chain::ExecutionHeader;
use saldo_proof::StateRoot;
use saldo_reading::ProviderId;
use saldo_source::SortedSet;

use super::named::Named;
use super::{PendingProof, PendingProofs};

impl PendingProofs {
    /// The most headers. Those of pending proofs stay longest.
    pub(super) const HEADERS: usize = 256;
    /// How often it is tried to link a header.
    const TRIES: u32 = 4;

    /// Keeps the header of a block of a rollup that `provider` names, before its proofs at it come. Other providers may name another
    /// header with the same root: only one of them can be in the chain.
    pub(in super::super) fn keep_header(&mut self, provider: &ProviderId, header: ExecutionHeader) {
        let root = header.state_root();
        self.headers.retain(|held| held.provider != *provider || held.header.state_root() != root);
        self.headers.push_back(Named { provider: provider.clone(), header, tries: 0, is_restored: false });
        if self.headers.len() > Self::HEADERS {
            let roots = self.roots();
            let idle = |named: &Named| !roots.contains(&named.header.state_root().get());
            let place = self.headers.iter().position(idle).unwrap_or_default();
            let _ = self.headers.remove(place);
        }
    }

    fn roots(&self) -> SortedSet<B256> {
        self.proofs.values().flatten().map(|tip| tip.checked.state_root().get()).collect()
    }

    /// The heads that this run of the app was shown.
    fn heads(&self) -> impl Iterator<Item = &Named> {
        self.headers.iter().filter(|named| !named.is_restored)
    }

    /// The number of the newest block at which proofs were taken.
    pub(in super::super) fn newest_number(&self) -> Option<u64> {
        self.heads().map(|named| named.header.number()).max()
    }

    /// The block with that root that `provider` showed in this run of the app.
    pub(in super::super) fn head_with(
        &self,
        provider: &ProviderId,
        root: StateRoot,
    ) -> Option<ExecutionHeader> {
        let is_it = |named: &&Named| named.provider == *provider && named.header.state_root() == root;
        self.heads().filter(is_it).last().map(|named| named.header.clone())
    }

    /// The time of the newest block at which proofs were taken.
    pub(in super::super) fn newest_header_time(&self) -> Option<UnixTime> {
        self.heads().map(|named| named.header.timestamp()).max()
    }

    /// The headers of the blocks at which pending proofs were taken, newest first.
    pub(in super::super) fn headers(&self) -> Vec<ExecutionHeader> {
        let roots = self.roots();
        let pending = self.headers.iter().filter(|named| roots.contains(&named.header.state_root().get()));
        pending.rev().map(|named| named.header.clone()).collect()
    }

    /// The state roots of the newest proof of each holding and provider among those with `roots`. Their blocks are linked first: a
    /// holding that was read often has many proofs, and one that was read once has no other.
    pub(in super::super) fn newest_of_each(&self, roots: &SortedSet<B256>) -> SortedSet<B256> {
        let of = |tips: &VecDeque<PendingProof>| {
            let roots_of_tips = tips.iter().rev().map(|tip| tip.checked.state_root().get());
            roots_of_tips.into_iter().find(|root| roots.contains(root))
        };
        self.proofs.values().filter_map(of).collect()
    }

    /// Notes that no provider linked this header. It is dropped after some tries.
    pub(in super::super) fn note_unlinked(&mut self, hash: B256) {
        for named in self.headers.iter_mut().filter(|named| named.header.hash() == hash) {
            named.tries = named.tries.saturating_add(1);
        }
        self.headers.retain(|named| named.tries < Self::TRIES);
    }

    /// Drops a header that is not in the chain, and the proofs under its root unless another header has the same root.
    pub(in super::super) fn drop_header(&mut self, header: &ExecutionHeader) {
        let root = header.state_root();
        self.headers.retain(|named| named.header.hash() != header.hash());
        if self.headers.iter().any(|named| named.header.state_root() == root) {
            return;
        }
        self.proofs.retain(|_, tips| {
            tips.retain(|tip| tip.checked.state_root() != root);
            !tips.is_empty()
        });
        self.recount();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use alloy_primitives::Address;
    use saldo_proof::{Account, Verified};
    use saldo_reading::Holding;

    use super::super::tests::{absent, name};
    use super::super::{Came, Keeping};
    use super::*;
    use crate::proofs::target::{Checked, Shown};

    /// A header with this root; each time has its own.
    fn header(of: &Verified<Account>, time: u64) -> ExecutionHeader {
        let block = crate::made::block(7, time, of.state_root().get(), saldo_chain::Level::Signed);
        block.header().unwrap()
    }

    /// A made-up header with a true root harms no proof of another provider.
    #[test]
    fn a_header_that_is_not_in_the_chain_takes_only_the_proofs_of_its_own() {
        let owner = Address::repeat_byte(7);
        let holding = Holding::native(saldo_reading::NetworkId::new(1), owner);
        let account = absent(owner, 0);
        let (honest, liar) = (name(0), name(1));
        let mut pending = PendingProofs::default();
        pending.keep_header(&liar, header(&account, 1));
        pending.keep_header(&honest, header(&account, 0));
        let checked = Checked { shown: Shown::Account(account.clone()), nodes: None };
        let came = Came::at(Duration::ZERO);
        let proof = PendingProof {
            provider: honest,
            checked,
            above: None,
            came,
            is_written: false,
            claims: Vec::new(),
        };
        pending.keep(holding, proof, Keeping::Spread);
        assert_eq!(pending.headers(), [header(&account, 0), header(&account, 1)]);
        pending.drop_header(&header(&account, 1));
        assert_eq!((pending.headers().len(), pending.of(holding).len()), (1, 1));
        for _ in 1..PendingProofs::TRIES {
            pending.note_unlinked(header(&account, 0).hash());
        }
        assert_eq!(pending.headers().len(), 1);
        pending.drop_header(&header(&account, 0));
        assert!(pending.headers().is_empty() && pending.of(holding).is_empty());
    }

    /// A holding that was read at each of many blocks, and one that was read once, before.
    #[test]
    fn the_newest_proof_of_each_holding_comes_first() {
        let owners = [Address::repeat_byte(7), Address::repeat_byte(8)];
        let holding = |owner| Holding::native(saldo_reading::NetworkId::new(1), owner);
        let mut pending = PendingProofs::default();
        let mut keep = |owner: Address, time: u8| {
            let account = absent(owner, time);
            let root = account.state_root().get();
            pending.keep_header(&name(0), header(&account, time.into()));
            let checked = Checked { shown: Shown::Account(account), nodes: None };
            let came = Came::at(Duration::from_secs(time.into()));
            let proof = PendingProof {
                provider: name(0),
                checked,
                above: None,
                came,
                is_written: false,
                claims: Vec::new(),
            };
            pending.keep(holding(owner), proof, Keeping::Spread);
            root
        };
        let once = keep(owners[1], 1);
        let often: Vec<B256> = (2..12).map(|time| keep(owners[0], time)).collect();
        let all: SortedSet<B256> = often.iter().copied().chain([once]).collect();
        let newest: Vec<B256> = pending.newest_of_each(&all).into_iter().collect();
        assert!(newest.len() == 2 && newest.contains(&once) && newest.contains(&often[9]));
        // The newest one may not be one of those that can be linked.
        let some: SortedSet<B256> = often[..4].iter().copied().collect();
        assert_eq!(pending.newest_of_each(&some).into_iter().collect::<Vec<_>>(), [often[3]]);
    }
}
