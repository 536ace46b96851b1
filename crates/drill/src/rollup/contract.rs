//! A rollup's contracts on L1: where they are, which code they have, and the profile that names both.

use alloy_primitives::{Address, B256, Bytes, U256, b256, keccak256};

use super::kind::RollupKind;
use super::word::{mapped, of_address, slot};
use crate::{Chain, Seed};

/// The slot of a proxy that names its implementation ([EIP-1967](https://eips.ethereum.org/EIPS/eip-1967)).
const IMPLEMENTATION: B256 = b256!("360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc");
/// keccak256 of `systemconfig.unsafeblocksigner`.
pub(crate) const SIGNER: B256 = b256!("65a7ed542fb37fe237fdfbdd70b31598523fe5b32879e307bae27a0bd9581c08");
/// The code of every proxy. No chain of the drill runs code, so that any bytes will do.
const PROXY: &[u8] = b"saldo-drill: proxy";

/// The slots of the registry (`AnchorStateRegistry` 3.5 to 3.9).
pub(crate) mod registry {
    pub(super) const SYSTEM_CONFIG: u64 = 0;
    pub(super) const FACTORY: u64 = 1;
    pub(crate) const ANCHOR_GAME: u64 = 2;
    pub(super) const STARTING_ROOT: u64 = 3;
    pub(super) const STARTING_NUMBER: u64 = 4;
    pub(crate) const BLACKLIST: u64 = 5;
    /// The type that counts (offset 0), and up to when games are retired (offset 4).
    pub(crate) const RESPECTED: u64 = 6;
}

/// The slot of the factory's contracts whose code the next games of a type run.
const IMPLEMENTATIONS: u64 = 101;

/// The slot of the moments of pauses in the contract that pauses.
pub(crate) const PAUSES: u64 = 1;

/// A contract behind a proxy.
#[derive(Clone, Debug)]
pub(crate) struct Contract {
    pub(crate) address: Address,
    implementation: Address,
    code: Bytes,
}

/// All contracts of a rollup.
#[derive(Clone, Debug)]
pub(crate) struct Contracts {
    kind: RollupKind,
    chain_id: u64,
    pub(crate) registry: Contract,
    pub(crate) factory: Contract,
    pub(crate) superchain_config: Contract,
    pub(crate) system_config: Address,
    /// The address whose pause is the rollup's.
    pub(crate) pause_identifier: Address,
    /// The contract whose code the games run.
    pub(crate) game_implementation: Address,
    game_code: Bytes,
    sequencer: Address,
    /// Who proposes.
    pub(crate) proposer: Address,
}

impl Contracts {
    /// The contracts of the rollup with that chain id. All follow from the seed of L1.
    pub(crate) fn new(seed: Seed, chain_id: u64, kind: RollupKind) -> Self {
        let address = |name: &str| Address::from_word(seed.bytes(&format!("{name} of a rollup"), chain_id));
        let code = |text: String| Bytes::from(format!("saldo-drill: {text}").into_bytes());
        let contract = |name: &str, text: String| Contract {
            address: address(name),
            implementation: address(&format!("{name} implementation")),
            code: code(text),
        };
        let game_code = match kind {
            // Registry and rollup are part of this code.
            RollupKind::Multiproof { interval, step } => {
                format!("AggregateVerifier of {chain_id}, {interval} blocks, {step} between roots")
            }
            RollupKind::Fault => "FaultDisputeGame".to_owned(),
        };
        let delay = kind.finality_delay();
        Self {
            kind,
            chain_id,
            registry: contract("registry", format!("AnchorStateRegistry, delay of {delay} s")),
            factory: contract("factory", "DisputeGameFactory".to_owned()),
            superchain_config: contract("pause", "SuperchainConfig".to_owned()),
            system_config: address("system config"),
            pause_identifier: address("portal"),
            game_implementation: address("game implementation"),
            game_code: code(game_code),
            sequencer: crate::sequencer::address(chain_id),
            proposer: address("proposer"),
        }
    }

    /// Puts them onto L1. `start` is the output root that the rollup begins with.
    pub(crate) fn deploy(&self, l1: &Chain, start: B256) {
        let proxies = [&self.registry, &self.factory, &self.superchain_config];
        proxies.iter().for_each(|contract| contract.deploy(l1));
        l1.set_code(self.game_implementation, self.game_code.clone());
        let of_type = mapped(slot(self.kind.game_type().into()), IMPLEMENTATIONS);
        l1.set_storage(self.factory.address, of_type, of_address(self.game_implementation));
        l1.set_code(self.system_config, PROXY.into());
        l1.set_storage(self.system_config, SIGNER, of_address(self.sequencer));
        let set = |place: u64, word: U256| l1.set_storage(self.registry.address, slot(place), word);
        // The address is behind the two bytes of the version, and that it is initialized.
        let system_config = [self.system_config.as_slice(), &[0, 1]].concat();
        set(registry::SYSTEM_CONFIG, U256::from_be_slice(&system_config));
        set(registry::FACTORY, of_address(self.factory.address));
        set(registry::STARTING_ROOT, start.into());
        set(registry::STARTING_NUMBER, U256::ZERO);
        set(registry::RESPECTED, U256::from(self.kind.game_type()));
    }

    /// The rollup as data, with the codes of these contracts. `genesis_time` in seconds since 1970, `block_time` in seconds.
    pub(crate) fn profile(&self, l1_chain_id: u64, genesis_time: u64, block_time: u64) -> String {
        let (kind, chain_id) = (self.kind, self.chain_id);
        let game_kind = match kind {
            RollupKind::Multiproof { interval, step } => {
                format!("kind = \"multiproof\"\ninterval = {interval}\nstep = {step}")
            }
            RollupKind::Fault => "kind = \"fault\"".to_owned(),
        };
        format!(
            "name = \"drill-rollup-{chain_id}\"\nchain_id = {chain_id}\nl1_chain_id = {l1_chain_id}\nread_on = 2026-11-30\n\
             registry = \"{registry}\"\nsystem_config = \"{system_config}\"\nsuperchain_config = \"{superchain_config}\"\n\
             pause_identifier = \"{pause_identifier}\"\n\
             genesis_number = 0\ngenesis_time = {genesis_time}\nblock_time = {block_time}\n\n\
             [[proxy_code]]\ncode_hash = \"{proxy_code}\"\n\n\
             [[registry_code]]\ncode_hash = \"{registry_code}\"\nfinality_delay = {delay}\n\n\
             [[factory_code]]\ncode_hash = \"{factory_code}\"\n\n\
             [[game_code]]\ncode_hash = \"{game_code}\"\ngame_type = {game_type}\n{game_kind}\n\n\
             [[pause_code]]\ncode_hash = \"{pause_code}\"\nslot = {PAUSES}\n",
            registry = self.registry.address,
            system_config = self.system_config,
            superchain_config = self.superchain_config.address,
            pause_identifier = self.pause_identifier,
            proxy_code = keccak256(PROXY),
            registry_code = keccak256(&self.registry.code),
            delay = kind.finality_delay(),
            factory_code = keccak256(&self.factory.code),
            game_code = keccak256(&self.game_code),
            game_type = kind.game_type(),
            pause_code = keccak256(&self.superchain_config.code),
        )
    }
}

impl Contract {
    fn deploy(&self, l1: &Chain) {
        l1.set_code(self.address, PROXY.into());
        self.run(l1, self.implementation, self.code.clone());
    }

    /// Has the proxy run other code, at an address that follows from that code.
    pub(crate) fn upgrade(&self, l1: &Chain, code: Bytes) {
        self.run(l1, Address::from_word(keccak256(&code)), code);
    }

    fn run(&self, l1: &Chain, implementation: Address, code: Bytes) {
        l1.set_code(implementation, code);
        l1.set_storage(self.address, IMPLEMENTATION, of_address(implementation));
    }
}
