//! Proofs at a tip that nobody has signed yet, waiting for the committee to sign that block.

use std::collections::BTreeMap;

use saldo_proof::{Account, StateRoot, Verified};
use saldo_reading::{Holding, ProviderId};

/// The newest such proof per provider and holding. Worth nothing until its root is in a signed header: anyone can make a
/// flawless proof under a root of his own, so one provider's never displaces another's, and the number is bounded.
#[derive(Default)]
pub(crate) struct Parked {
    proofs: BTreeMap<(Holding, ProviderId), Kept>,
    arrivals: u64,
}

struct Kept {
    waiting: Waiting,
    /// The order of arrival, for giving up the oldest.
    arrived: u64,
}

/// A proof that waits.
#[derive(Clone)]
pub(crate) struct Waiting {
    pub(crate) provider: ProviderId,
    pub(crate) account: Verified<Account>,
    /// The newest trusted block number when the proof came, if any was known: its own block is above it, or it would
    /// have joined.
    pub(crate) above: Option<u64>,
}

impl Parked {
    /// How many proofs wait at most; a verified account is some 200 bytes.
    const CAPACITY: usize = 1_024;

    /// Keeps a proof until its root is in a trusted header.
    pub(crate) fn keep(&mut self, holding: Holding, waiting: Waiting) {
        self.arrivals = self.arrivals.saturating_add(1);
        let key = (holding, waiting.provider.clone());
        self.proofs.insert(key, Kept { waiting, arrived: self.arrivals });
        while self.proofs.len() > Self::CAPACITY {
            let oldest = self.proofs.iter().min_by_key(|(_, kept)| kept.arrived).map(|(key, _)| key.clone());
            oldest.and_then(|key| self.proofs.remove(&key));
        }
    }

    /// All that wait for `holding`.
    pub(crate) fn of(&self, holding: Holding) -> Vec<Waiting> {
        let of_holding = self.proofs.iter().filter(|((held, _), _)| *held == holding);
        of_holding.map(|(_, kept)| kept.waiting.clone()).collect()
    }

    /// The one from `provider` that waits for `holding`.
    pub(crate) fn get(&self, holding: Holding, provider: &ProviderId) -> Option<&Waiting> {
        self.proofs.get(&(holding, provider.clone())).map(|kept| &kept.waiting)
    }

    /// Gives up the one from `provider` under `root`, but not one that has come since.
    pub(crate) fn remove(&mut self, holding: Holding, provider: &ProviderId, root: StateRoot) {
        self.proofs.retain(|(held, by), kept| {
            *held != holding || by != provider || kept.waiting.account.state_root() != root
        });
    }

    /// Gives up all that wait for `holding`: it is proven without them.
    pub(crate) fn remove_all(&mut self, holding: Holding) {
        self.proofs.retain(|(held, _), _| *held != holding);
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, B256, hex, keccak256};
    use saldo_proof::verify_account;

    use super::*;

    /// A proof that `owner` is absent, from a trie of one other account.
    fn absent(owner: Address) -> Verified<Account> {
        let leaf = hex!(
            "f872a120e2c07404b8c1df4c46226425cac68c28d27a766bbddce62309f36724839b22c0b84ef84c01880de0b6b3a7640000
             a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421
             a0c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
        );
        verify_account(StateRoot::new(keccak256(leaf)), owner, &[leaf]).unwrap()
    }

    #[test]
    fn one_per_provider_and_holding_and_never_too_many() {
        let mut parked = Parked::default();
        let owner = Address::repeat_byte(7);
        let holding = Holding::native(owner);
        for round in 0..3 {
            for name in 0..2_000_u32 {
                let provider = ProviderId::new(&name.to_string()).unwrap();
                parked.keep(holding, Waiting { provider, account: absent(owner), above: Some(round) });
            }
        }
        assert_eq!(parked.proofs.len(), Parked::CAPACITY);
        assert!(
            parked.of(holding).iter().all(|waiting| waiting.above == Some(2)),
            "the oldest were given up first"
        );
        let newest = ProviderId::new("1999").unwrap();
        assert!(parked.get(holding, &newest).is_some());
        parked.remove(holding, &newest, StateRoot::new(B256::ZERO));
        assert!(parked.get(holding, &newest).is_some(), "another one");
        parked.remove(holding, &newest, absent(owner).state_root());
        assert!(parked.get(holding, &newest).is_none());
    }
}
