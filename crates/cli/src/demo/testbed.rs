//! The chain, its providers and its beacon sources, on loopback.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy_primitives::U256;
use saldo::{Address, Network, ProviderId, UnixTime};
use saldo_drill::serve::Server;
use saldo_drill::{BeaconSource, Chain, ChainBuilder, ContractCode, Fork, Provider};
use tokio::task::JoinHandle;

use crate::failure::CommandFailure;
use crate::network_file::{self, Entry};

/// The length of a slot on the demo's chain.
const SLOT: Duration = Duration::from_secs(1);
/// How many slots the chain has at the start. Some of them are final.
const HISTORY: u64 = 40;
/// How long a reading may wait until its block is signed.
pub(super) const READ_TIMEOUT: Duration = Duration::from_secs(4);

/// An address that holds 1.5 ether at first.
pub(super) const ALICE: Address = Address::repeat_byte(0xa1);
/// An address that never held anything.
pub(super) const UNUSED: Address = Address::repeat_byte(0x0b);
/// An address whose proof a lying provider sends as Alice's.
const BOB: Address = Address::repeat_byte(0xb0);

/// A token with the code of USDT, of which Alice holds 250 dollars.
pub(super) const TOKEN: Address = Address::repeat_byte(0xd0);
/// What Alice holds of it: 250 dollars, with six decimals.
pub(super) const DOLLARS: U256 = U256::from_limbs([250_000_000, 0, 0, 0]);
/// An address without code.
pub(super) const NO_TOKEN: Address = Address::repeat_byte(0xd1);

/// An amount in thousandths of an ether.
pub(super) fn milliether(amount: u64) -> U256 {
    U256::from(amount).saturating_mul(U256::from(1_000_000_000_000_000_u64))
}

/// Everything that runs on loopback. Dropping it stops the servers.
pub(super) struct Testbed {
    pub(super) chain: Chain,
    pub(super) providers: Vec<Provider>,
    pub(super) sources: Vec<BeaconSource>,
    provider_servers: Vec<Server>,
    source_servers: Vec<Server>,
}

impl Testbed {
    const PROVIDER_NAMES: [&str; 3] = ["anna", "bert", "cleo"];
    const SOURCE_NAMES: [&str; 2] = ["north", "south"];

    pub(super) async fn set_up(fork: Fork) -> Result<Self, CommandFailure> {
        let genesis = now().as_secs().saturating_sub(HISTORY);
        let chain = with_token(Chain::builder(2025))
            .fork(fork)
            .slot_duration(SLOT)
            .genesis_time(UnixTime::from_secs(genesis))
            .history(HISTORY)
            .accounts([(ALICE, milliether(1_500)), (BOB, milliether(700))])
            .build();
        let providers = Self::PROVIDER_NAMES.map(|_| Provider::honest(&chain)).to_vec();
        let sources = Self::SOURCE_NAMES.map(|_| BeaconSource::honest(&chain)).to_vec();
        let (mut provider_servers, mut source_servers) = (Vec::new(), Vec::new());
        let no_port =
            |_| CommandFailure::internal("no port can be opened on loopback", "Check this machine's limits.");
        for provider in &providers {
            provider_servers.push(Server::start(provider.clone()).await.map_err(no_port)?);
        }
        for source in &sources {
            source_servers.push(Server::start(source.clone()).await.map_err(no_port)?);
        }
        Ok(Self { chain, providers, sources, provider_servers, source_servers })
    }

    /// Adds a block in every slot, by the wall clock.
    pub(super) fn keep_growing(&self) -> JoinHandle<()> {
        let chain = self.chain.clone();
        tokio::spawn(async move {
            loop {
                chain.advance_to(now());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
    }

    pub(super) fn network(&self) -> Network {
        self.chain.network().with_checkpoint(self.chain.checkpoint())
    }

    /// The text of a network file with all endpoints.
    pub(super) fn network_file(&self) -> String {
        let entries = |table, names: &'static [&'static str], servers: &[Server]| -> Vec<Entry<'static>> {
            let named = names.iter().zip(servers);
            named
                .map(|(name, server)| Entry { table, url: server.url(), name, operator: name, hosting: None })
                .collect()
        };
        let mut all = entries("rpc", &Self::PROVIDER_NAMES, &self.provider_servers);
        all.extend(entries("beacon", &Self::SOURCE_NAMES, &self.source_servers));
        network_file::text(self.network().to_toml(), all)
    }

    /// The providers as `NAME=URL`.
    pub(super) fn providers(&self) -> Vec<String> {
        named(&Self::PROVIDER_NAMES, &self.provider_servers)
    }

    /// The beacon sources as `NAME=URL`.
    pub(super) fn sources(&self) -> Vec<String> {
        named(&Self::SOURCE_NAMES, &self.source_servers)
    }

    /// The URLs of the providers.
    pub(super) fn provider_urls(&self) -> Vec<String> {
        self.provider_servers.iter().map(Server::url).collect()
    }

    /// The position of the provider with that name.
    pub(super) fn position(&self, provider: &ProviderId) -> Option<usize> {
        Self::PROVIDER_NAMES.iter().position(|name| *name == provider.as_str())
    }

    /// Waits until a newer block is signed, so that no reading can rest on an earlier one.
    pub(super) async fn next_slot(&self) {
        let signed = self.chain.signed().number;
        while self.chain.signed().number <= signed {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Makes the providers prove their newest block and this many blocks before it.
    pub(super) fn prove_back(&self, blocks: u64) {
        for provider in &self.providers {
            // A `Provider` is a handle: the clone is the same provider.
            provider.set_proof_window(blocks);
        }
    }

    /// Removes all faults.
    pub(super) fn restore(&self) {
        self.prove_back(u64::MAX);
        self.providers.iter().for_each(Provider::clear);
        self.sources.iter().for_each(BeaconSource::clear);
    }
}

/// Adds the token, which has other holders too.
fn with_token(builder: ChainBuilder) -> ChainBuilder {
    let Some(code) = ContractCode::named("TetherToken") else { return builder };
    let others = (1..=9).map(|number| (Address::repeat_byte(number), U256::from(5_000_000)));
    let words = others.chain([(ALICE, DOLLARS)]).filter_map(|(owner, units)| code.word(owner, units, false));
    words.fold(builder.deploy(TOKEN, &code), |builder, (key, word)| builder.storage(TOKEN, key, word))
}

fn named(names: &[&str], servers: &[Server]) -> Vec<String> {
    names.iter().zip(servers).map(|(name, server)| format!("{name}={}", server.url())).collect()
}

fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
