//! Worlds with a rollup: its providers fail and lie, its sequencer stops, and what is claimed about it on L1 is true, false, taken
//! back or missing. The app restarts in between.
//!
//! [`draw_rollup`] makes a [`RollupScript`] of a seed, [`play_rollup`] runs the client through it in virtual time. A judge that knows
//! both chains holds each amount against what L1 had accepted.

mod judge;
mod omission;
mod run;
mod script;

pub use omission::Omission as RollupOmission;
pub use run::{RollupRun, play_rollup};
pub use script::{Act as RollupAct, Mood as RollupMood, Script as RollupScript, draw_rollup};
