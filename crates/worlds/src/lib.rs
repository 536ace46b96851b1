//! Random worlds in which a wallet is judged: a chain that goes its way, providers and sources that fail, lie and
//! recover, and a device that sleeps, starts again, loses its network, and has its clock set.
//!
//! Everything follows from one seed: [`draw`] makes it a [`World`], which is plain data, and [`play`] runs a wallet in it,
//! in virtual time, with a judge beside it that knows the truth. The same world gives the same run, to the last request.
//! A world in which something is wrong is made smaller by [`shrink`].
//!
//! ```
//! use saldo_worlds::{Bounds, Variant, draw, play};
//!
//! let run = play(&draw(7), &Variant::REAL, Bounds::USUAL, false);
//! assert_eq!(run.violation, None);
//! ```
//!
//! # What is checked
//! After every read, in the words of [`Check`]: amounts are true and nothing else is shown as one; nothing goes back, but
//! for what the chain took back; with one honest provider and one honest source an amount is proven in time, also right
//! after a recovery; a read ends at its deadline, forgets nothing, and gives a reason that there is; nobody gets more
//! requests than he should, and nobody honest is shut out; what is proven is young enough. [`Bounds`] has the numbers.
//!
//! # The net itself
//! [`Variant::BROKEN`] are wallets that leave one thing out. Each must be found, or the worlds are too tame.

mod behaviour;
mod bound;
mod client;
mod draw;
mod host;
mod judge;
mod overlap;
mod party;
mod play;
mod rng;
mod shrink;
mod story;
mod variant;
mod verdict;
mod wallet;
mod world;

pub use behaviour::{Behaviour, Worth};
pub use bound::Bounds;
pub use draw::draw;
pub use host::{Role, Visit};
pub use overlap::{
    Act, Call, GateOmission, Mood, OverlapRun, OverlapWallet, Script, draw_overlap, play_overlap,
};
pub use party::{Outage, Party, Scope};
pub use play::{Run, play};
pub use shrink::shrink;
pub use story::{Event, OWNERS, Recordings, Story, Stretch, Twin};
pub use variant::Variant;
pub use verdict::{Check, Violation};
pub use wallet::{Shown, ShownAmount, ShownBlock, Wallet};
pub use world::{Start, Step, Table, Wants, World};
