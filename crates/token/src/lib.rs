//! Where a token keeps a balance, and the proof that it does.
//!
//! A proof that a storage slot is absent always verifies, if no contract ever wrote to it. "The slot is empty, so the balance is
//! 0" is true only if the token's own code keeps the balance in that slot. So this crate makes a [`VerifiedBalance`] only where
//! everything is proven under one state root: the hash of the token's code; for a proxy the pointer to the implementation, and
//! the hash of the implementation's code; the guards of the layout that was established for exactly that code; and the slot.
//!
//! ```
//! use saldo_token::{Obstacle, ProvenState, VerifiedBalance};
//! # use alloy_primitives::{Address, B256};
//! # use saldo_proof::StateRoot;
//! # let (root, token, owner) = (StateRoot::new(B256::ZERO), Address::ZERO, Address::ZERO);
//! let state = ProvenState::new(root);
//! // Nothing is proven yet: the error says what to ask for.
//! let Err(Obstacle::Missing(query)) = VerifiedBalance::from_slot(&state, token, owner) else { panic!() };
//! assert!(query.slots().contains_key(&token));
//! ```
//!
//! With the feature `execute`, the token's own code is run where its layout is not known: [`VerifiedBalance`] has a second
//! constructor, which takes the proof of such a run and nothing else.
//!
//! This crate has no socket, no clock and no randomness. Its caller asks providers for what is missing, and adds each proof to
//! the [`ProvenState`] until there is a balance, or an obstacle that no proof removes.

mod balance;
mod coverage;
mod description;
#[cfg(feature = "execute")]
mod execution;
mod hint;
mod info;
mod key;
#[cfg(test)]
mod known;
mod layout;
mod list;
#[cfg(feature = "execute")]
mod metadata;
#[cfg(feature = "execute")]
mod prove;
#[cfg(test)]
mod proven;
mod proxy;
mod route;
mod skeleton;
mod symbol;
mod table;

pub use balance::{Derivation, Touched, VerifiedBalance};
pub use coverage::Coverage;
pub use description::{CheckedGuard, Provability, TokenDescription};
#[cfg(feature = "execute")]
pub use execution::balance_of;
pub use hint::Hint;
pub use info::{InfoSource, TokenInfo};
pub use key::Mapping;
pub use layout::{Guard, Layout, Place, Word};
pub use list::{ListError, ListedToken, TokenList};
#[cfg(feature = "execute")]
pub use prove::{prove, prove_within};
pub use proxy::{Beacon, BeaconPlace, Immutable, Pointer, Proxy};
pub use route::{NotAToken, Obstacle};
pub use saldo_proof::{OtherRoot, ProvenState, Query};
pub use symbol::{Symbol, SymbolFlaw};
pub use table::{beacons, layouts, proxies};
