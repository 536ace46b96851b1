//! Runs a contract's own proven code over proven state, so that what the contract returns is proven.
//!
//! [`execute`] takes what is proven under one state root ([`ProvenState`]), the [`Environment`] of the block with that root, and a
//! [`Call`]. It gives an [`Executed`], or says by name why nothing is known ([`Refusal`]). What was not proven is never read as
//! zero: the run ends there, and the refusal names what to ask for.
//!
//! ```
//! use alloy_primitives::{Address, Bytes};
//! use saldo_execute::{Call, Refusal, execute};
//! # use saldo_chain::Environment;
//! # use saldo_proof::ProvenState;
//! # fn show(environment: &Environment) {
//! let nothing = ProvenState::new(environment.state_root());
//! let call = Call::new(Address::repeat_byte(7), Bytes::new());
//! let Err(Refusal::Missing(query)) = execute(&nothing, environment, &call) else { panic!() };
//! assert!(query.slots().contains_key(&call.to));
//! # }
//! ```
//!
//! # What gives a run up
//!
//! A contract can catch the failure of a call and return 0 in its place. So nothing that is only a limit of ours ever looks like a
//! failure to the code. A missing proof, a missing code, a block hash that is not proven, a call that ran out of gas, and each
//! [bound](Bound) end the whole run. A call that reverts by the chain's own rules ends as it does on the chain.
//!
//! The gas price is zero, whatever the caller would pay. The virtual machine is `revm`.
//! This crate has no socket, no clock and no randomness.

mod bound;
mod database;
mod executed;
mod fork;
mod gas;
mod guard;
mod meter;
mod precompile;
mod prepared;
mod refusal;
mod run;
mod source;
#[cfg(test)]
mod world;

pub use bound::{ACCOUNTS, Bound, CODE, DEPTH, MEMORY, PRECOMPILES, RUNS, SLOTS, STEPS, WORK};
pub use executed::{Executed, execute, execute_within, foresee, foresee_within};
pub use gas::{Estimate, estimate, estimate_within};
pub use meter::Meter;
pub use prepared::prepare;
pub use refusal::Refusal;
pub use run::{Call, Output};
pub use saldo_chain::Environment;
pub use saldo_proof::{ProvenState, Query};
pub use source::Guess;
