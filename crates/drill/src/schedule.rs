//! What the network of a chain is: its clock, its committee, and when its forks start.

use std::time::Duration;

use alloy_primitives::hex;
use saldo_beacon::unit::{Epoch, UnixTime};
use saldo_beacon::{Fork, Network};

use crate::Seed;

/// The sizes of a beacon chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// 32 committee members, 8 slots an epoch, 8 epochs a period.
    Minimal,
    /// 512 committee members, 32 slots an epoch, 256 epochs a period.
    Mainnet,
    /// 32 committee members, 8 slots an epoch, 4,096 epochs a period: for one committee to last a working day.
    Development,
}

impl Preset {
    /// The name, as in a node's `PRESET_BASE`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minimal | Self::Development => "minimal",
            Self::Mainnet => "mainnet",
        }
    }

    pub(crate) const fn slots_per_epoch(self) -> u64 {
        match self {
            Self::Minimal | Self::Development => 8,
            Self::Mainnet => 32,
        }
    }

    /// How long trust may start from a block, where it is not the usual time.
    const fn max_checkpoint_age(self) -> Option<&'static str> {
        match self {
            Self::Minimal | Self::Mainnet => None,
            Self::Development => Some("max_checkpoint_age_epochs = 1000000\n"),
        }
    }

    const fn epochs_per_period(self) -> u64 {
        match self {
            Self::Minimal => 8,
            Self::Mainnet => 256,
            Self::Development => 4_096,
        }
    }

    const fn committee_size(self) -> usize {
        match self {
            Self::Minimal | Self::Development => 32,
            Self::Mainnet => 512,
        }
    }
}

/// What a network table is written from.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub(crate) seed: u64,
    pub(crate) chain_id: u64,
    pub(crate) genesis_time: UnixTime,
    pub(crate) slot_duration: Duration,
    pub(crate) preset: Preset,
    /// The fork of genesis.
    pub(crate) start: Fork,
    /// The forks after it, and when they start.
    pub(crate) later: Vec<(Fork, Epoch)>,
}

/// How much a table tells of the forks from some fork on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Known {
    /// All there is.
    Everything,
    /// That they will come, not when.
    NamesFrom(Fork),
    /// Nothing.
    NothingFrom(Fork),
}

impl Schedule {
    /// The network, as far as it is known.
    ///
    /// # Panics
    /// If the numbers make no network, for example slots of no duration.
    pub(crate) fn network(&self, known: Known) -> Network {
        Network::from_toml(&self.toml(known)).expect("the builder was given numbers a network can have")
    }

    /// When `fork` starts; `None` if it never does. A fork that was passed over starts with the one after it.
    fn epoch(&self, fork: Fork) -> Option<Epoch> {
        if fork <= self.start {
            return Some(Epoch::new(0));
        }
        self.later.iter().filter(|(later, _)| *later >= fork).map(|(_, epoch)| *epoch).min()
    }

    fn toml(&self, known: Known) -> String {
        let forks: String = (1_u8..)
            .zip(Fork::ALL)
            .filter_map(|(number, fork)| {
                let epoch = match known {
                    Known::NothingFrom(unknown) if fork >= unknown => return None,
                    Known::NamesFrom(unscheduled) if fork >= unscheduled => None,
                    _ => Some(self.epoch(fork)?),
                };
                let version = hex::encode_prefixed([number, 0, 0, 1]);
                let epoch = epoch.map(|epoch| format!("epoch = {epoch}\n")).unwrap_or_default();
                Some(format!("[[forks]]\nname = \"{fork}\"\nversion = \"{version}\"\n{epoch}"))
            })
            .collect();
        format!(
            "name = \"drill-{seed}\"\nchain_id = {chain_id}\ngenesis_time = {genesis_time}\n\
             genesis_validators_root = \"{root}\"\nslot_duration_ms = {slot}\n\
             slots_per_epoch = {slots}\nepochs_per_sync_committee_period = {epochs}\n\
             sync_committee_size = {size}\n\
             genesis_fork_version = \"0x00000001\"\n{limit}{forks}[[blob_schedule]]\nepoch = 0\nmax_blobs = 9\n",
            seed = self.seed,
            chain_id = self.chain_id,
            genesis_time = self.genesis_time.as_secs(),
            root = Seed::new(self.seed).bytes("genesis validators root", 0),
            slot = self.slot_duration.as_millis(),
            slots = self.preset.slots_per_epoch(),
            epochs = self.preset.epochs_per_period(),
            size = self.preset.committee_size(),
            limit = self.preset.max_checkpoint_age().unwrap_or_default(),
        )
    }
}
