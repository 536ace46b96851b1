//! A game: one claim about the rollup, and what L1 has made of it.

use alloy_primitives::{Address, B256, Bytes, U256};
use saldo_beacon::unit::UnixTime;

use crate::rollup::claim::GameClaim;
use crate::rollup::clone_code::Arguments;
use crate::rollup::extra_data::{block_number, intermediate_roots};
use crate::rollup::factory::{Factory, GameId};
use crate::rollup::l1::slot;
use crate::rollup::obstacle::{Contract, Obstacle, Refusal};
use crate::rollup::profile::{GameKind, Profile};
use crate::rollup::proxy::game_code;
use crate::rollup::registry::{Registry, mapped};
use crate::rollup::super_root::SuperRoot;
use crate::rollup::vouched::Provers;
use crate::rollup::word::Word;

/// The slots of a game that checks proofs when it is created (`AggregateVerifier`).
mod multiproof {
    pub(super) const COUNTERED: u64 = 5;
    pub(super) const PROVERS: u64 = 6;
    pub(super) const PROOFS: u64 = 7;
    /// The keys of the provers.
    pub(super) const TEE: u64 = 0;
    pub(super) const ZK: u64 = 1;
}

/// How a game stands by itself. Whether it counts is said by [`Game::verdict`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// It can still be challenged.
    InProgress,
    /// Its claim was refuted.
    ChallengerWins,
    /// It ended in favour of its claim.
    DefenderWins {
        /// When, in seconds since 1970.
        resolved_at: u64,
    },
}

/// Which block an output root is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// The block with this number.
    Number(u64),
    /// The newest block at this moment.
    Time(UnixTime),
}

/// A game of the rollup's factory with code that the profile knows. Its code holds the claim.
#[derive(Clone, Debug)]
pub struct Game<'a> {
    registry: Registry<'a>,
    id: GameId,
    root_claim: B256,
    roots: Vec<(At, B256)>,
    found: Found,
}

/// What the game's storage, and the registry about it, hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) status: Status,
    pub(crate) was_respected: bool,
    pub(crate) is_blacklisted: bool,
    pub(crate) proofs: Option<Proofs>,
}

/// What a game that checks proofs holds about them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proofs {
    pub(crate) count: u8,
    pub(crate) provers: Provers,
    /// The place of a refuted intermediate root, from 0 on.
    pub(crate) countered: Option<u64>,
}

impl<'a> Factory<'a> {
    /// Reads the game with this claim.
    ///
    /// # Errors
    /// [`Obstacle`] if something is not proven yet, the factory has no such game, or the game's own code does not hold the claim.
    pub fn game(self, claim: &GameClaim) -> Result<Game<'a>, Obstacle> {
        Game::read(self.registry(), self.entry(claim)?, claim)
    }

    /// Returns the claim that the contract at `address` holds in its own code, if it runs the code of a game that the profile knows.
    /// Whether it is a game of this factory is said by [`Factory::game`].
    ///
    /// # Errors
    /// [`Obstacle`] if its code is not proven yet, or is not that of a known game.
    pub fn claim_of(self, address: Address) -> Result<GameClaim, Obstacle> {
        let registry = self.registry();
        let (code, runs) = game_code(registry.l1().state(), address)?;
        let Some(known) = registry.l1().profile().game_codes_of(runs.code_hash).next() else {
            return Err(Refusal::UnknownCode { contract: Contract::Game, got: runs.code_hash }.into());
        };
        let arguments = arguments_of(known.kind, code.arguments())?;
        Ok(GameClaim {
            game_type: arguments.game_type.unwrap_or(known.game_type),
            root_claim: arguments.root_claim,
            extra_data: Bytes::copy_from_slice(arguments.extra_data),
        })
    }
}

impl<'a> Game<'a> {
    fn read(registry: Registry<'a>, id: GameId, claim: &GameClaim) -> Result<Self, Obstacle> {
        let l1 = registry.l1();
        let profile = l1.profile();
        let (code, runs) = game_code(l1.state(), id.address())?;
        let known = profile.game_codes_of(runs.code_hash);
        let Some(first) = known.clone().next() else {
            return Err(Refusal::UnknownCode { contract: Contract::Game, got: runs.code_hash }.into());
        };
        let (got, expected) = (id.game_type(), first.game_type);
        let kind = known.clone().find(|known| known.game_type == got);
        let kind = kind.ok_or(Refusal::GameType { got, expected })?.kind;
        let arguments = arguments_of(kind, code.arguments())?;
        if arguments.root_claim != claim.root_claim || arguments.extra_data != *claim.extra_data {
            return Err(Refusal::OtherClaim.into());
        }
        if let Some(expected) = arguments.game_type.filter(|own| *own != got) {
            return Err(Refusal::GameType { got, expected }.into());
        }
        belongs(profile, kind, &arguments)?;
        let roots = roots(profile, kind, claim)?;
        let found = Found::read(&registry, id, kind)?;
        Ok(Self { registry, id, root_claim: claim.root_claim, roots, found })
    }

    /// Returns the keys of the slots that are read of a game of this kind.
    pub(crate) fn keys(kind: GameKind) -> Vec<B256> {
        let mut keys = vec![slot(0), slot(respected_place(kind).0)];
        if matches!(kind, GameKind::Multiproof { .. }) {
            keys.extend([multiproof::COUNTERED, multiproof::PROOFS].map(slot));
            keys.extend(prover_keys());
        }
        keys
    }

    /// Returns what the factory holds of it.
    pub fn id(&self) -> GameId {
        self.id
    }

    /// Returns how it stands by itself.
    pub fn status(&self) -> Status {
        self.found.status
    }

    /// Returns the claimed root.
    pub fn root_claim(&self) -> B256 {
        self.root_claim
    }

    pub(crate) fn registry(&self) -> &Registry<'a> {
        &self.registry
    }

    pub(crate) fn found(&self) -> &Found {
        &self.found
    }

    pub(crate) fn into_roots(self) -> Vec<(At, B256)> {
        self.roots
    }
}

/// Reads the arguments in the code of a game of this kind.
pub(crate) fn arguments_of(kind: GameKind, bytes: &[u8]) -> Result<Arguments<'_>, Refusal> {
    let arguments = match kind {
        GameKind::Fault { is_permissioned } => Arguments::with_implementation(bytes, is_permissioned),
        GameKind::SuperFault => Arguments::with_implementation(bytes, false),
        GameKind::Multiproof { .. } => Arguments::plain(bytes),
    };
    Ok(arguments?)
}

/// Returns the slot and the offset of the flag that the game's type counted when it was created.
fn respected_place(kind: GameKind) -> (u64, usize) {
    match kind {
        GameKind::Fault { .. } => (10, 0),
        GameKind::SuperFault => (9, 0),
        GameKind::Multiproof { .. } => (0, 18),
    }
}

/// Returns the keys of the provers.
fn prover_keys() -> [B256; 2] {
    [multiproof::TEE, multiproof::ZK].map(|prover| mapped(slot(prover), multiproof::PROVERS))
}

/// Checks that a game whose code serves several rollups is one of this rollup.
fn belongs(profile: &Profile, kind: GameKind, arguments: &Arguments<'_>) -> Result<(), Refusal> {
    let Some(own) = arguments.implementation else { return Ok(()) };
    let expected = profile.registry();
    if own.registry != expected {
        return Err(Refusal::OtherRegistry { got: own.registry, expected });
    }
    let (got, expected) = (U256::from_be_bytes(own.chain_id.0), profile.chain_id());
    // A super root is about several rollups, and names each itself.
    let is_own = matches!(kind, GameKind::SuperFault) || got == U256::from(expected);
    if is_own { Ok(()) } else { Err(Refusal::OtherChain { got: got.saturating_to(), expected }) }
}

/// Reads the output roots that the claim commits to.
fn roots(profile: &Profile, kind: GameKind, claim: &GameClaim) -> Result<Vec<(At, B256)>, Refusal> {
    let root = claim.root_claim;
    Ok(match kind {
        GameKind::Fault { .. } => vec![(At::Number(block_number(&claim.extra_data)?), root)],
        GameKind::SuperFault => {
            let super_root = SuperRoot::read(&claim.extra_data, root)?;
            vec![(At::Time(super_root.time()), super_root.output_root(profile.chain_id())?)]
        }
        GameKind::Multiproof { interval, step } => {
            let roots = intermediate_roots(&claim.extra_data, root, interval, step)?;
            roots.into_iter().map(|(number, root)| (At::Number(number), root)).collect()
        }
    })
}

impl Found {
    fn read(registry: &Registry<'_>, id: GameId, kind: GameKind) -> Result<Self, Obstacle> {
        let (l1, game) = (registry.l1(), id.address());
        let mut reader = l1.reader();
        let own = reader.word(game, slot(0));
        let (respected_slot, respected_offset) = respected_place(kind);
        let respected = reader.word(game, slot(respected_slot));
        let blacklisted = reader.word(l1.profile().registry(), Registry::blacklist_key(game));
        let proofs = matches!(kind, GameKind::Multiproof { .. }).then(|| {
            let provers = prover_keys().map(|key| reader.word(game, key));
            (provers, [multiproof::COUNTERED, multiproof::PROOFS].map(|at| reader.word(game, slot(at))))
        });
        reader.finish()?;
        let status = status(own, id, l1.time())?;
        let was_respected = match respected.byte(respected_offset) {
            0 => false,
            1 => true,
            _ => return Err(Refusal::Layout { contract: Contract::Game }.into()),
        };
        let proofs = proofs.map(|(provers, [countered, proofs])| proofs_of(provers, countered, proofs));
        let is_blacklisted = !blacklisted.is_zero();
        Ok(Self { status, was_respected, is_blacklisted, proofs: proofs.transpose()? })
    }
}

/// Reads slot 0 of a game: when it was created and resolved, its status, whether it is initialized.
fn status(word: Word, id: GameId, l1_time: u64) -> Result<Status, Refusal> {
    let (created_at, resolved_at) = (word.u64(0), word.u64(8));
    if word.byte(17) != 1 {
        return Err(Refusal::NotInitialized);
    }
    if created_at != id.created_at() {
        return Err(Refusal::Layout { contract: Contract::Game });
    }
    if created_at > l1_time || resolved_at > l1_time {
        return Err(Refusal::AfterL1);
    }
    match (word.byte(16), resolved_at) {
        (0, 0) => Ok(Status::InProgress),
        (1, 1..) => Ok(Status::ChallengerWins),
        (2, 1..) => Ok(Status::DefenderWins { resolved_at }),
        (0..=2, _) => Err(Refusal::Layout { contract: Contract::Game }),
        (got, _) => Err(Refusal::UnknownStatus { got }),
    }
}

fn proofs_of(provers: [Word; 2], countered: Word, proofs: Word) -> Result<Proofs, Refusal> {
    let layout = Refusal::Layout { contract: Contract::Game };
    if !provers.iter().all(|prover| prover.ends_at(20)) || !countered.ends_at(8) || !proofs.ends_at(9) {
        return Err(layout);
    }
    let [tee, zk] = provers.map(|prover| !prover.is_zero());
    let provers = match (tee, zk) {
        (true, true) => Provers::Both,
        (true, false) => Provers::Tee,
        (false, true) => Provers::Zk,
        (false, false) => Provers::None,
    };
    Ok(Proofs { count: proofs.byte(8), provers, countered: countered.u64(0).checked_sub(1) })
}
