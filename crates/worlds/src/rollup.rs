//! Worlds with a rollup: its providers fail and lie, its sequencer stops, and what is claimed about it on L1 is true, false, taken
//! back or missing. The app restarts in between.
//!
//! L1 counts a claim within the hour, or after a week: such a world lasts nine to twelve days.
//!
//! [`draw_rollup`] makes a [`RollupScript`] of a seed, [`play_rollup`] runs the client through it in virtual time. A judge that knows
//! both chains holds each amount against what L1 had accepted.

mod draw;
mod judge;
mod omission;
mod proposer;
mod run;
mod scale;
mod script;

pub use draw::draw_rollup;
pub use omission::Omission as RollupOmission;
pub use run::{RollupRun, play_rollup};
pub use script::{Act as RollupAct, Games as RollupGames, Mood as RollupMood, Script as RollupScript};
