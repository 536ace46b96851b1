//! From a trusted Ethereum block (L1) to a trusted block of a rollup (L2).
//!
//! A rollup of the OP Stack publishes claims about its blocks in contracts on L1, as *games*: each can be challenged for some
//! time. This crate reads those contracts by proofs, and says how far L1 stands behind a claim:
//!
//! | level | what L1 has done | what one trusts besides L1 |
//! |---|---|---|
//! | [`Level::L1Finalized`] | the game ended, its delay is over, the registry's own rule holds | the keys that can upgrade the contracts |
//! | [`Level::L1ProofChecked`] | checked a proof when the game was created; it can still be challenged | that proof system, by one prover or two |
//! | [`Verdict::Proposed`] | only stored it | the proposer: **no block follows from it** |
//!
//! Levels of a rollup are never compared with those of L1. Each step is a type that only the step before it makes, so a wrong
//! order does not compile:
//!
//! ```text
//! Anchor + ProvenState ──► L1State ──► Registry ──► Factory ──► Game ──► Verdict::Accepted
//!                                                                          │ output roots
//!                          RollupAnchor ◄── header with that output root ◄─┘
//! ```
//!
//! Where something is not proven yet, [`Obstacle::Missing`] names it; the caller proves it and starts again. Everything else that
//! is missing, unknown or contradictory is a [`Refusal`] by name.
//!
//! ```
//! use saldo_beacon::unit::UnixTime;
//! use saldo_chain::{Anchor, ExecutionHeader};
//! use saldo_proof::ProvenState;
//! use saldo_chain::rollup::{GameClaim, L1State, Obstacle, Profile, RollupAnchor, Verdict};
//!
//! /// Returns the rollup's block with this header, if L1 vouches for it by the game with this claim.
//! fn follow(
//!     profile: &Profile,
//!     l1: &Anchor,
//!     proven: &ProvenState,
//!     claim: &GameClaim,
//!     header: &ExecutionHeader,
//!     now: UnixTime,
//! ) -> Result<Option<RollupAnchor>, Box<dyn std::error::Error>> {
//!     let l1 = L1State::new(profile, l1, proven, now, L1State::MAX_AGE)?;
//!     match l1.registry()?.factory()?.game(claim)?.verdict()? {
//!         Verdict::Accepted(accepted) => Ok(Some(accepted.open(header, None)?)),
//!         Verdict::Proposed(_) => Ok(None),
//!     }
//! }
//! # let _ = follow;
//! # let base = Profile::named("base").unwrap();
//! # assert_eq!(base.chain_id(), 8453);
//! ```
//!
//! A claim that was only proposed opens no block, and a registry has no game without its factory:
//!
//! ```compile_fail,E0599
//! fn open(proposed: saldo_chain::rollup::Proposed, header: &saldo_chain::ExecutionHeader) {
//!     let _ = proposed.open(header, None);
//! }
//! ```
//! ```compile_fail,E0599
//! fn skip(registry: saldo_chain::rollup::Registry<'_>, claim: &saldo_chain::rollup::GameClaim) {
//!     let _ = registry.game(claim);
//! }
//! ```
//! ```compile_fail,E0451
//! fn promote(anchor: saldo_chain::rollup::RollupAnchor) -> saldo_chain::rollup::RollupAnchor {
//!     saldo_chain::rollup::RollupAnchor { level: saldo_chain::rollup::Level::L1Finalized, ..anchor }
//! }
//! ```
//!
//! Headers and codes come from untrusted providers: all are bound by their hashes. Time is that of L1's block, never the device's.
//! The crate is pure: it uses no sockets, clock, randomness or async.

mod anchor;
mod claim;
mod clone_code;
mod codes;
mod extra_data;
mod factory;
mod game;
mod hints;
mod l1;
mod obstacle;
mod profile;
mod proxy;
mod registry;
mod release;
#[cfg(feature = "sequencer")]
mod sequencer;
mod super_root;
#[cfg(test)]
mod tests;
mod verdict;
pub(crate) mod vouched;
mod word;

pub use crate::level::Level;
pub use anchor::{LinkError, OpenError, RollupAnchor};
pub use claim::{GameClaim, MAX_EXTRA_DATA};
pub use clone_code::{Arguments, CloneCode, CloneCodeError, ImplementationArguments};
pub use codes::{Observed, observe};
pub use extra_data::{ExtraDataError, block_number, intermediate_roots};
pub use factory::{Factory, GameId};
pub use game::{Game, Status};
pub use hints::Hints;
pub use l1::L1State;
pub use obstacle::{Contract, Obstacle, Refusal};
pub use profile::{GameCode, GameKind, Profile, ProfileError, RegistryCode};
pub use proxy::Code;
pub use registry::Registry;
pub use release::Release;
#[cfg(feature = "sequencer")]
pub use sequencer::{EnvelopeError, SequencerSigned, verify_envelope};
pub use super_root::{SuperRoot, SuperRootError};
pub use verdict::{Accepted, Proposed, Verdict, WhyProposed};
pub use vouched::{Pause, Provers, Vouched};
