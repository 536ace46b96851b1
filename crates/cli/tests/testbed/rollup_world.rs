//! An L1 with a rollup, and servers of both.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy_primitives::{Address, U256};
use saldo::UnixTime;
use saldo_drill::serve::Server;
use saldo_drill::{BeaconSource, Chain, Provider, Rollup, RollupKind};

use super::{ALICE, network_file, test_chain};

const KIND: RollupKind = RollupKind::Multiproof { interval: 20, step: 5 };
/// How many seconds both chains are behind the clock at first. What they do in that time is done at once.
pub const BEHIND: u64 = 60;

/// An L1 with a rollup, and servers of both. The rollup's chain id is that of Base Sepolia.
pub struct World {
    pub l1: Chain,
    pub rollup: Rollup,
    pub servers: [Server; 3],
    /// The files of both, as `--network` takes them.
    pub l1_file: String,
    pub rollup_file: String,
}

impl World {
    pub fn new() -> Self {
        let l1 = Chain::builder(79)
            .slot_duration(Duration::from_secs(1))
            .genesis_time(UnixTime::from_secs(now().saturating_sub(200)))
            .history(40)
            .build();
        let rollup = Rollup::new(&l1, KIND);
        rollup.chain().set_balance(ALICE, U256::from(250_000_000_000_000_000_u64));
        let servers = [
            test_chain().serve(Provider::honest(rollup.chain())),
            test_chain().serve(Provider::honest(&l1)),
            test_chain().serve(BeaconSource::honest(&l1)),
        ];
        let file = |toml: &str| network_file(toml).display().to_string();
        let l1_file = file(&l1.network().with_checkpoint(l1.checkpoint()).to_toml());
        let rollup_file = file(&rollup.profile_toml());
        let world = Self { l1, rollup, servers, l1_file, rollup_file };
        world.advance_to(now().saturating_sub(BEHIND));
        world
    }

    pub fn advance_to(&self, seconds: u64) {
        self.l1.advance_to(UnixTime::from_secs(seconds));
        self.rollup.chain().advance_to(UnixTime::from_secs(seconds));
    }

    /// The options that name the servers of the rollup and of its L1.
    pub fn endpoints(&self) -> [String; 6] {
        let [rollup, l1, source] = &self.servers;
        [
            ("--rpc-url", format!("rosa={}", rollup.url())),
            ("--l1-rpc-url", format!("lena={}", l1.url())),
            ("--beacon-url", format!("sven={}", source.url())),
        ]
        .map(|(option, url)| [option.to_owned(), url])
        .concat()
        .try_into()
        .unwrap()
    }

    /// Proposes the blocks up to the next end of an interval, and lets all time pass that the chains are behind. Returns the game.
    pub fn propose(&self) -> Address {
        let last = self.rollup.chain().tip().number.saturating_add(1).next_multiple_of(20);
        while self.rollup.chain().tip().number < last {
            self.advance_to(self.l1.now().as_secs().saturating_add(2));
        }
        let game = self.rollup.propose(last).game();
        self.advance_to(now());
        game
    }
}

/// The clock, in seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
