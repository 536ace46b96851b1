//! Which chain a storage belongs to.

use alloy_primitives::{B256, FixedBytes};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use saldo_beacon::unit::UnixTime;
use saldo_beacon::{Network, ScheduledFork};

use crate::storage::StorageRefusal;

/// All that tells one chain from another, as far as a table of the chain says it.
///
/// A name, a checkpoint and the blob schedule are not in it: they may differ between two tables of one chain.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub(super) struct Identity {
    chain_id: u64,
    genesis_validators_root: B256,
    /// Milliseconds since 1970. A development chain that is started anew differs in this alone.
    genesis_time: u64,
    genesis_fork_version: FixedBytes<4>,
    slot_duration_ms: u64,
    slots_per_epoch: u64,
    epochs_per_sync_committee_period: u64,
    sync_committee_size: u64,
    forks: Vec<ForkIdentity>,
}

/// A fork that has a time. A fork without one may still get another version.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
struct ForkIdentity {
    name: String,
    version: FixedBytes<4>,
}

impl ForkIdentity {
    fn of(fork: &ScheduledFork) -> Option<Self> {
        fork.epoch()?;
        Some(Self { name: fork.name().to_owned(), version: fork.version().into() })
    }

    /// Whether both can be forks of one chain. The version decides: a later table may say another epoch for a fork that
    /// was still to come.
    fn agrees(&self, other: &Self) -> bool {
        self.name != other.name || self.version == other.version
    }
}

impl Identity {
    pub(super) fn of(network: &Network) -> Self {
        Self {
            chain_id: network.chain_id(),
            genesis_validators_root: network.genesis_validators_root(),
            genesis_time: network.genesis_time().as_millis(),
            genesis_fork_version: network.genesis_fork_version().into(),
            slot_duration_ms: u64::try_from(network.slot_duration().as_millis()).unwrap_or(u64::MAX),
            slots_per_epoch: network.slots_per_epoch(),
            epochs_per_sync_committee_period: network.epochs_per_sync_committee_period(),
            sync_committee_size: u64::try_from(network.sync_committee_size()).unwrap_or(u64::MAX),
            forks: network.forks().iter().filter_map(ForkIdentity::of).collect(),
        }
    }

    /// Whether `self`, which a storage says, is the chain of a client that is set up for `expected`.
    ///
    /// Forks count where both tables know them: a newer version of saldo knows more.
    ///
    /// # Errors
    /// [`StorageRefusal::OtherNetwork`] or [`StorageRefusal::OtherChain`] if it is another chain.
    pub(super) fn check(&self, expected: &Self) -> Result<(), StorageRefusal> {
        if self.chain_id != expected.chain_id {
            return Err(StorageRefusal::OtherNetwork { got: self.chain_id, expected: expected.chain_id });
        }
        match self.difference(expected) {
            None => Ok(()),
            Some(field) => Err(StorageRefusal::OtherChain {
                chain_id: self.chain_id,
                field,
                genesis: UnixTime::from_millis(self.genesis_time),
            }),
        }
    }

    fn difference(&self, other: &Self) -> Option<&'static str> {
        let is_same_fork = |fork: &ForkIdentity| other.forks.iter().all(|known| fork.agrees(known));
        let fields = [
            ("genesis_time", self.genesis_time == other.genesis_time),
            ("genesis_validators_root", self.genesis_validators_root == other.genesis_validators_root),
            ("genesis_fork_version", self.genesis_fork_version == other.genesis_fork_version),
            ("slot_duration_ms", self.slot_duration_ms == other.slot_duration_ms),
            ("slots_per_epoch", self.slots_per_epoch == other.slots_per_epoch),
            (
                "epochs_per_sync_committee_period",
                self.epochs_per_sync_committee_period == other.epochs_per_sync_committee_period,
            ),
            ("sync_committee_size", self.sync_committee_size == other.sync_committee_size),
            ("forks", self.forks.iter().all(is_same_fork)),
        ];
        fields.into_iter().find(|(_, is_same)| !is_same).map(|(field, _)| field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(line: &str, value: &str) -> Identity {
        let text = Network::mainnet().to_toml();
        let before = text.lines().find(|text| text.starts_with(line)).expect("a line of the table");
        let text = text.replacen(before, &format!("{line} = {value}"), 1);
        Identity::of(&Network::from_toml(&text).expect("a network with another line is one"))
    }

    #[test]
    fn each_field_tells_chains_apart() {
        let mainnet = Identity::of(&Network::mainnet());
        assert_eq!(mainnet.check(&mainnet), Ok(()));
        let root = format!("\"{}\"", B256::repeat_byte(1));
        let fields = [
            ("genesis_time", "1606824024"),
            ("genesis_validators_root", &root),
            ("genesis_fork_version", "\"0x90000000\""),
            ("slot_duration_ms", "6000"),
            ("slots_per_epoch", "8"),
            ("epochs_per_sync_committee_period", "8"),
            ("sync_committee_size", "32"),
        ];
        for (field, value) in fields {
            let other = changed(field, value);
            let genesis = UnixTime::from_millis(other.genesis_time);
            let expected = StorageRefusal::OtherChain { chain_id: 1, field, genesis };
            assert_eq!(other.check(&mainnet), Err(expected), "{field}");
        }
        let expected = StorageRefusal::OtherNetwork { got: 5, expected: 1 };
        assert_eq!(changed("chain_id", "5").check(&mainnet), Err(expected));
    }

    #[test]
    fn forks_count_where_both_tables_know_them() {
        let mainnet = Identity::of(&Network::mainnet());
        let mut shorter = mainnet.clone();
        shorter.forks.pop();
        assert_eq!((mainnet.check(&shorter), shorter.check(&mainnet)), (Ok(()), Ok(())));
        let mut other = mainnet.clone();
        other.forks.last_mut().expect("mainnet has forks").version = FixedBytes([9; 4]);
        let refused = other.check(&mainnet).expect_err("a fork has another version");
        assert!(matches!(refused, StorageRefusal::OtherChain { field: "forks", .. }));
    }
}
