//! A rollup of the OP Stack: a chain of its own, and its contracts on an L1 [`Chain`].

mod accepted;
mod contract;
mod game;
mod kind;
#[cfg(test)]
mod tests;
mod word;

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use saldo_beacon::unit::UnixTime;
use saldo_chain::rollup::{Factory, GameClaim, Profile, Provers};

pub use game::Proposal;
pub use kind::RollupKind;

use crate::{Chain, Preset};
use contract::{Contracts, PAUSES, SIGNER, registry};
use word::{last_u64, mapped, of_address, replaced, slot};

/// Seconds between two blocks of a rollup whose chain was not built otherwise.
const BLOCK_TIME: u64 = 2;
/// How many blocks such a rollup has at least when it starts.
const HISTORY: u64 = 60;
/// The slot of the factory's list of games.
const LIST: u64 = 104;

/// The slots of a game, and the offsets in its slot 0.
mod place {
    pub(super) const STATUS: u64 = 0;
    pub(super) const COUNTERED: u64 = 5;
    pub(super) const PROVERS: u64 = 6;
    pub(super) const PROOFS: u64 = 7;
    /// Where a fault game keeps that its type counted when it was created. A game that checks proofs has it in slot 0.
    pub(super) const RESPECTED: u64 = 10;
    pub(super) const RESOLVED_AT: usize = 8;
    pub(super) const STATUS_AT: usize = 16;
    pub(super) const INITIALIZED_AT: usize = 17;
    pub(super) const RESPECTED_AT: usize = 18;
}

/// A rollup of the OP Stack whose contracts are on an L1 [`Chain`]. A handle: clones are the same rollup.
///
/// Its contracts have the slots of the real ones, and made-up code that never runs: the methods write what the real contracts would.
/// All of it happens in the next block of L1. The state of L1 is all there is of a game: a reorganisation of L1 undoes it. The
/// rollup's own blocks are those of [`Rollup::chain`].
///
/// A wallet finds the newest claim by proofs alone, at one block of L1: `eth_getProof` of the registry's slot 1 (the factory), of the
/// factory's slot 104 (how many games there are) and of `keccak256(104) + number` (the game), and `eth_getCode` of the game. The
/// code holds the claim.
///
/// ```
/// use saldo_drill::{Chain, Rollup, RollupKind};
///
/// let l1 = Chain::new(7);
/// let rollup = Rollup::new(&l1, RollupKind::Multiproof { interval: 20, step: 5 });
/// let proposal = rollup.propose(40);
/// // The next block of L1 has the game. 32 slots later that block is final.
/// rollup.advance(32);
/// assert_eq!(rollup.profile().chain_id(), 84_532);
///
/// // The guardian takes the game back.
/// rollup.blacklist(proposal.game());
/// rollup.advance(32);
/// ```
#[derive(Clone, Debug)]
pub struct Rollup {
    l1: Chain,
    chain: Chain,
    kind: RollupKind,
    contracts: Arc<Contracts>,
}

impl Rollup {
    /// A rollup with a chain of its own: a block every 2 s and no signatures. It has blocks for two games, and stands where L1 stands.
    pub fn new(l1: &Chain, kind: RollupKind) -> Self {
        let blocks = kind.intervals().0.saturating_mul(2).max(HISTORY);
        let age = blocks.saturating_mul(BLOCK_TIME);
        let genesis = l1.now().as_secs().saturating_sub(age);
        let chain = Chain::builder(l1.seed().number("rollup", kind.chain_id()))
            .chain_id(kind.chain_id())
            .preset(Preset::Development)
            .slot_duration(Duration::from_secs(BLOCK_TIME))
            .genesis_time(UnixTime::from_secs(genesis))
            .history(0)
            .build();
        chain.set_signers(Some(0));
        chain.advance_to(l1.now());
        Self::with_chain(l1, &chain, kind)
    }

    /// A rollup whose blocks are those of `chain`, from Capella on. L1 can have several rollups with different chain ids.
    ///
    /// # Panics
    /// If blocks of `chain` have no root of withdrawals.
    pub fn with_chain(l1: &Chain, chain: &Chain, kind: RollupKind) -> Self {
        let contracts = Contracts::new(l1.seed(), chain.network().chain_id(), kind);
        let start = game::output_root(chain, 0).expect("a rollup's first block has a root of withdrawals");
        contracts.deploy(l1, start);
        Self { l1: l1.clone(), chain: chain.clone(), kind, contracts: Arc::new(contracts) }
    }

    /// The rollup's own chain: its accounts, tokens and blocks. Providers of the rollup are made from it.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// How its games are decided.
    pub fn kind(&self) -> RollupKind {
        self.kind
    }

    /// L1 goes on for `slots` slots, and the rollup to the same moment.
    pub fn advance(&self, slots: u64) {
        self.l1.advance(slots);
        self.chain.advance_to(self.l1.now());
    }

    /// The rollup as data, with the codes of its contracts.
    pub fn profile(&self) -> Profile {
        Profile::from_toml(&self.profile_toml()).expect("a test reads the profile of each kind")
    }

    /// The text of [`Rollup::profile`].
    pub fn profile_toml(&self) -> String {
        let network = self.chain.network();
        let (start, block_time) = (network.genesis_time().as_secs(), network.slot_duration().as_secs());
        self.contracts.profile(self.l1.network().chain_id(), start, block_time)
    }

    /// Proposes the blocks up to `number`. Where L1 checks a proof, it is that of a trusted execution environment.
    ///
    /// # Panics
    /// If the rollup has no such block, or no game can be about it: `number` is a multiple of the interval.
    pub fn propose(&self, number: u64) -> Proposal {
        self.propose_of(&self.chain, number)
    }

    /// Proposes the blocks up to `number` of another chain, such as a [split](Chain::split) of the rollup's: a false claim.
    ///
    /// # Panics
    /// As [`Rollup::propose`].
    pub fn propose_of(&self, chain: &Chain, number: u64) -> Proposal {
        let root = |number| game::output_root(chain, number).expect("only blocks that exist are proposed");
        let roots: Vec<B256> = game::numbers(self.kind, number).into_iter().map(root).collect();
        self.propose_roots(number, &roots)
    }

    /// Proposes roots of no block at all: a false claim.
    ///
    /// # Panics
    /// If no game can be about block `number`.
    pub fn propose_false(&self, number: u64) -> Proposal {
        let root = |number: u64| keccak256(format!("no root of block {number}"));
        let roots: Vec<B256> = game::numbers(self.kind, number).into_iter().map(root).collect();
        self.propose_roots(number, &roots)
    }

    /// From the next block on these provers vouch for a game's claim; with [`Provers::None`] none does any more.
    ///
    /// # Panics
    /// If the rollup's games check no proofs.
    pub fn prove(&self, game: Address, provers: Provers) {
        self.assert_checks_proofs();
        let is_tee = matches!(provers, Provers::Tee | Provers::Both);
        let is_zk = matches!(provers, Provers::Zk | Provers::Both);
        // The keys of the mapping: 0 is the trusted execution environment, 1 the zero-knowledge system.
        for (key, counts) in [(0, is_tee), (1, is_zk)] {
            let prover = if counts { of_address(self.contracts.proposer) } else { U256::ZERO };
            self.l1.set_storage(game, mapped(slot(key), place::PROVERS), prover);
        }
        let count = u8::from(is_tee).saturating_add(u8::from(is_zk));
        // A day with two proofs, else five.
        let days: u64 = if count > 1 { 1 } else { 5 };
        let created_at = last_u64(self.l1.upcoming_storage(game, slot(place::STATUS)));
        let expected = created_at.saturating_add(days.saturating_mul(24 * 60 * 60));
        let word = replaced(replaced(U256::ZERO, 0, expected.to_be_bytes()), 8, [count]);
        self.l1.set_storage(game, slot(place::PROOFS), word);
    }

    /// Ends a game: for its claim if `is_won`, else for the challenger.
    pub fn resolve(&self, game: Address, is_won: bool) {
        let status: u8 = if is_won { 2 } else { 1 };
        self.write(game, place::STATUS, place::RESOLVED_AT, self.moment().to_be_bytes());
        self.write(game, place::STATUS, place::STATUS_AT, [status]);
    }

    /// A proof shows that a root of a game is false: the one with this place, from 0 on.
    ///
    /// # Panics
    /// If the rollup's games check no proofs.
    pub fn counter(&self, game: Address, index: u64) {
        self.assert_checks_proofs();
        self.l1.set_storage(game, slot(place::COUNTERED), U256::from(index.saturating_add(1)));
    }

    /// The registry is anchored to a game: what anybody may do once L1 counts its claim. Whether L1 does is not checked.
    pub fn anchor(&self, game: Address) {
        let of_registry = self.contracts.registry.address;
        self.l1.set_storage(of_registry, slot(registry::ANCHOR_GAME), of_address(game));
    }

    /// The guardian takes a game back.
    pub fn blacklist(&self, game: Address) {
        let key = mapped(game.into_word(), registry::BLACKLIST);
        self.l1.set_storage(self.contracts.registry.address, key, U256::from(1));
    }

    /// The guardian retires all games that were created up to this moment.
    pub fn retire(&self, until: UnixTime) {
        self.write(self.contracts.registry.address, registry::RESPECTED, 4, until.as_secs().to_be_bytes());
    }

    /// From the next block on games of this type count. Those that were created before keep what they were.
    pub fn respect(&self, game_type: u32) {
        self.write(self.contracts.registry.address, registry::RESPECTED, 0, game_type.to_be_bytes());
    }

    /// The key of the sequencer is that of `signer` from now on.
    pub fn set_sequencer(&self, signer: Address) {
        self.l1.set_storage(self.contracts.system_config, SIGNER, of_address(signer));
    }

    /// Pauses the rollup's system, or goes on. A pause ends by itself after 7,884,000 s.
    pub fn pause(&self, is_paused: bool) {
        let moment = if is_paused { U256::from(self.moment()) } else { U256::ZERO };
        let key = mapped(self.contracts.pause_identifier.into_word(), PAUSES);
        self.l1.set_storage(self.contracts.superchain_config.address, key, moment);
    }

    /// The registry's proxy runs other code from the next block on. Its storage stays as it is.
    pub fn upgrade_registry(&self, code: Bytes) {
        self.contracts.registry.upgrade(&self.l1, code);
    }

    /// Creates the game with these roots, unless the factory has it already.
    fn propose_roots(&self, number: u64, roots: &[B256]) -> Proposal {
        let factory = self.contracts.factory.address;
        let count = last_u64(self.l1.upcoming_storage(factory, slot(LIST)));
        let claim = game::claim(self.kind, number, roots, self.parent(count));
        let proposal = Proposal::new(factory, claim);
        let entry = Factory::game_key(proposal.claim());
        if self.l1.upcoming_storage(factory, entry).is_zero() {
            let moment = self.moment();
            let id = game_id(proposal.claim(), moment, proposal.game());
            self.l1.set_storage(factory, entry, id);
            self.l1.set_storage(factory, Factory::list_key(count), id);
            self.l1.set_storage(factory, slot(LIST), U256::from(count.saturating_add(1)));
            self.create(&proposal, moment);
        }
        proposal
    }

    /// The newest game; the registry while there is none.
    fn parent(&self, count: u64) -> Address {
        let registry = self.contracts.registry.address;
        let Some(newest) = count.checked_sub(1) else { return registry };
        let id = self.l1.upcoming_storage(self.contracts.factory.address, Factory::list_key(newest));
        Address::from_word(id.into())
    }

    /// Puts a game's code and its slots onto L1.
    fn create(&self, proposal: &Proposal, moment: u64) {
        let (game, claim) = (proposal.game(), proposal.claim());
        let arguments = game::Arguments {
            creator: self.contracts.proposer,
            l1_head: self.l1.tip().hash,
            registry: self.contracts.registry.address,
            chain_id: self.chain.network().chain_id(),
        };
        self.l1.set_code(game, arguments.code(self.kind, claim, self.contracts.game_implementation));
        let respected = self.l1.upcoming_storage(self.contracts.registry.address, slot(registry::RESPECTED));
        let is_respected = u8::from(replaced(respected, 4, [0; 28]) == U256::from(claim.game_type));
        let status = replaced(U256::from(moment), place::INITIALIZED_AT, [1]);
        match self.kind {
            RollupKind::Multiproof { .. } => {
                let status = replaced(status, place::RESPECTED_AT, [is_respected]);
                self.l1.set_storage(game, slot(place::STATUS), status);
                self.prove(game, Provers::Tee);
            }
            RollupKind::Fault => {
                self.l1.set_storage(game, slot(place::STATUS), status);
                self.l1.set_storage(game, slot(place::RESPECTED), U256::from(is_respected));
            }
        }
    }

    /// The time of the next block of L1, if its slot has one, in seconds since 1970.
    fn moment(&self) -> u64 {
        self.l1.network().slot_start(self.l1.slot().saturating_add(1)).as_secs()
    }

    /// Writes a field of a packed word.
    fn write<const N: usize>(&self, contract: Address, number: u64, offset: usize, bytes: [u8; N]) {
        let word = self.l1.upcoming_storage(contract, slot(number));
        self.l1.set_storage(contract, slot(number), replaced(word, offset, bytes));
    }

    fn assert_checks_proofs(&self) {
        assert!(matches!(self.kind, RollupKind::Multiproof { .. }), "the rollup's games check no proofs");
    }
}

/// What the factory holds of a game: its type, when it was created, and its address.
fn game_id(claim: &GameClaim, created_at: u64, game: Address) -> U256 {
    let word = replaced(of_address(game), 20, created_at.to_be_bytes());
    replaced(word, 28, claim.game_type.to_be_bytes())
}
