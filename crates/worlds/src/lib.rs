//! Random worlds in which a wallet is judged: a chain with events, providers and sources that fail, lie and recover, and
//! a device that sleeps, restarts, loses its network, and has its clock set.
//!
//! Everything follows from one seed. [`draw`] makes a [`World`] of it, which is plain data. [`play`] runs a wallet in it, in
//! virtual time, with a judge that knows the truth. The same world gives the same run, to the last request. [`shrink`]
//! makes a failing world smaller. In [`play_overlap`] the calls overlap, and
//! in [`play_rollup`] there is a rollup.
//!
//! ```
//! use saldo_worlds::{Bounds, Variant, draw, play};
//!
//! let run = play(&draw(7), &Variant::REAL, Bounds::USUAL, false);
//! assert_eq!(run.violation, None);
//! ```
//!
//! # What is checked
//! After every read ([`Check`] names each check, [`Bounds`] has the numbers):
//! - Amounts are true, and only proven amounts are shown as amounts. That of a token is what the token's own code says after
//!   that block, and where no known code says it there is none.
//! - No reading goes back, except by a withdrawal.
//! - With one honest provider and one honest source an amount is proven in time, also directly after a recovery.
//! - A read ends at its deadline, loses no last amount, and gives a true reason.
//! - No party gets more requests than its budget allows, and no honest party is quarantined.
//! - A proven block is young enough.
//!
//! # Broken wallets
//! [`Variant::BROKEN`] are wallets with one defect each. Each must be found, or the worlds check too little.

mod behaviour;
mod bound;
mod client;
mod draw;
mod holding;
mod host;
mod judge;
mod overlap;
mod party;
mod play;
mod rng;
mod rollup;
mod shrink;
mod story;
mod token;
mod variant;
mod verdict;
mod wallet;
mod world;

pub use behaviour::{Behaviour, Worth};
pub use bound::Bounds;
pub use draw::draw;
pub use holding::{HOLDINGS, OWNERS};
pub use host::{Role, Visit};
pub use overlap::{
    Act, Call, GateOmission, Mood, OverlapRun, OverlapWallet, Script, draw_overlap, play_overlap,
};
pub use party::{Outage, Party, Scope};
pub use play::{Run, play};
pub use rollup::{
    RollupAct, RollupGames, RollupMood, RollupOmission, RollupRun, RollupScript, draw_rollup, play_rollup,
};
pub use shrink::shrink;
pub use story::{Event, Recordings, Story, Stretch, Twin};
pub use token::{Target, TokenEvent};
pub use variant::Variant;
pub use verdict::{Check, Violation};
pub use wallet::{Shown, ShownAmount, ShownBlock, Wallet};
pub use world::{Start, Step, Table, Wants, World};
