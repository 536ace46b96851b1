//! How far L1 stands behind a claim.

use alloy_primitives::{Address, B256};
use saldo_beacon::Origin;
use saldo_beacon::unit::UnixTime;

use crate::level::Level;
use crate::rollup::game::{At, Game, Proofs, Status};
use crate::rollup::obstacle::{Obstacle, Refusal};
use crate::rollup::vouched::{Provers, Vouched};

/// What L1 says about a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// L1 vouches for it: its blocks can be opened.
    Accepted(Accepted),
    /// It was proposed, and nothing more. No block follows from it.
    Proposed(Proposed),
}

/// A claim that L1 vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub(crate) vouched: Vouched,
    pub(crate) chain_id: u64,
    pub(crate) origin: Origin,
    pub(crate) block_time: Option<u64>,
    pub(crate) roots: Vec<(At, B256)>,
}

/// A claim that was proposed on L1, and that L1 has not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposed {
    game: Address,
    game_type: u32,
    created_at: u64,
    root_claim: B256,
    last: Option<At>,
    why: WhyProposed,
}

/// Why a claim is only proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhyProposed {
    /// It can still be challenged, and L1 checked no proof of it.
    InProgress,
    /// It ended, but the registry's delay is not over by L1's time.
    DelayNotOver {
        /// The moment after which it is, in seconds since 1970.
        until: u64,
    },
    /// It can still be challenged, and its type is not the one that counts now.
    OtherType {
        /// The type that counts.
        respected: u32,
    },
    /// It is of a kind whose proofs L1 checks, but no proof counts (any more).
    NoProof,
}

impl Accepted {
    /// Returns how far L1 stands behind it.
    pub fn level(&self) -> Level {
        self.vouched.level()
    }

    /// Returns how far L1 stands behind it, and by which game.
    pub fn vouched(&self) -> Vouched {
        self.vouched
    }

    /// Returns the game's address.
    pub fn game(&self) -> Address {
        self.vouched.game
    }

    /// Returns the number of the block that its claim is about; `None` for a super root, which names a moment.
    pub fn block_number(&self) -> Option<u64> {
        self.block_numbers().last()
    }

    /// Returns the numbers of all blocks that can be opened, oldest first; none for a super root.
    pub fn block_numbers(&self) -> impl Iterator<Item = u64> {
        self.roots.iter().filter_map(|(at, _)| match at {
            At::Number(number) => Some(*number),
            At::Time(_) => None,
        })
    }

    /// Returns whether it and `other` cannot both be true: they claim different blocks of one number, or of one moment.
    pub fn contradicts(&self, other: &Self) -> bool {
        let differs = |(at, root): &(At, B256)| other.roots.iter().any(|(held, of)| held == at && of != root);
        self.chain_id == other.chain_id && self.roots.iter().any(differs)
    }

    /// Returns the moment that a super root is about.
    pub fn time(&self) -> Option<UnixTime> {
        self.roots.iter().find_map(|(at, _)| match at {
            At::Number(_) => None,
            At::Time(time) => Some(*time),
        })
    }
}

impl Proposed {
    /// Returns the game's address.
    pub fn game(&self) -> Address {
        self.game
    }

    /// Returns the game's type.
    pub fn game_type(&self) -> u32 {
        self.game_type
    }

    /// Returns when the game was created, in seconds since 1970.
    pub fn created_at(&self) -> u64 {
        self.created_at
    }

    /// Returns the root that was proposed.
    pub fn root_claim(&self) -> B256 {
        self.root_claim
    }

    /// Returns the number of the last block that it is about; `None` for a super root, which names a moment.
    pub fn block_number(&self) -> Option<u64> {
        match self.last? {
            At::Number(number) => Some(number),
            At::Time(_) => None,
        }
    }

    /// Returns the moment that a super root is about.
    pub fn time(&self) -> Option<UnixTime> {
        match self.last? {
            At::Number(_) => None,
            At::Time(time) => Some(time),
        }
    }

    /// Returns why it is only proposed.
    pub fn why(&self) -> WhyProposed {
        self.why
    }
}

impl Game<'_> {
    /// Says how far L1 stands behind the claim, at the L1 block under which the game was read.
    ///
    /// # Errors
    /// [`Refusal`] if L1 says that the game does not count.
    pub fn verdict(self) -> Result<Verdict, Obstacle> {
        let registry = *self.registry();
        let (l1, id, found) = (registry.l1(), self.id(), *self.found());
        if found.is_blacklisted {
            return Err(Refusal::Blacklisted.into());
        }
        let (created, retirement) = (id.created_at(), registry.retirement());
        if created <= retirement {
            return Err(Refusal::Retired { created, retirement }.into());
        }
        if !found.was_respected {
            return Err(Refusal::NotRespected.into());
        }
        if let Some(index) = found.proofs.and_then(|proofs| proofs.countered) {
            return Err(Refusal::Countered { index }.into());
        }
        let respected = registry.respected_type();
        let why = match found.status {
            Status::ChallengerWins => return Err(Refusal::ChallengerWins.into()),
            Status::DefenderWins { resolved_at } => {
                let until = resolved_at.saturating_add(registry.finality_delay());
                (l1.time() <= until).then_some(WhyProposed::DelayNotOver { until })
            }
            Status::InProgress => Some(WhyProposed::InProgress),
        };
        let is_final = match why {
            None => Ok(true),
            Some(why) => proof_checked(found.proofs, id.game_type(), respected, why).map(|()| false),
        };
        let (game, game_type) = (id.address(), id.game_type());
        Ok(match is_final {
            Ok(is_final) => Verdict::Accepted(Accepted {
                vouched: Vouched {
                    is_final,
                    game,
                    game_type,
                    provers: found.proofs.map_or(Provers::None, |proofs| proofs.provers),
                    pause: registry.pause(),
                    l1: (l1.anchor().number(), l1.anchor().hash(), l1.anchor().timestamp()),
                },
                chain_id: l1.profile().chain_id(),
                origin: l1.anchor().origin().clone(),
                block_time: l1.profile().block_time(),
                roots: self.into_roots(),
            }),
            Err(why) => {
                let root_claim = self.root_claim();
                let last = self.into_roots().last().map(|(at, _)| *at);
                Verdict::Proposed(Proposed { game, game_type, created_at: created, root_claim, last, why })
            }
        })
    }
}

/// Whether L1 checked a proof that counts, for a game that is not final. `why` is the reason if its kind checks no proofs.
fn proof_checked(
    proofs: Option<Proofs>,
    game_type: u32,
    respected: u32,
    why: WhyProposed,
) -> Result<(), WhyProposed> {
    let Some(proofs) = proofs else { return Err(why) };
    if game_type != respected {
        return Err(WhyProposed::OtherType { respected });
    }
    if proofs.count == 0 || proofs.provers == Provers::None {
        return Err(WhyProposed::NoProof);
    }
    Ok(())
}
