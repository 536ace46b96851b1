//! Runs a wallet through random worlds and prints every violation.
//!
//! - `worlds --count N [--seed S] [--variant NAME] [--all-whys] [--json]` runs the worlds of the seeds from S on and ends
//!   with `worlds N violations V per_second R`.
//! - `worlds --trace SEED` prints what happens in one world.
//! - `worlds --nets N` looks for each broken wallet in up to N worlds.
//! - `worlds --overlaps N` runs calls that overlap on one client.
//! - `worlds --overlap-nets N` looks for each wallet that lacks a check of the gate.
//! - `worlds --rollups N` runs worlds with a rollup.
//! - `worlds --rollup-nets N` looks for each wallet that gets something wrong about a rollup.
//! - `worlds --list` lists the wallets.

mod arguments;
mod campaign;
mod overlaps;
mod report;
mod rollups;

use std::process::ExitCode;

use arguments::{Arguments, Task};

/// How it ended: nothing wrong.
const FINE: u8 = 0;
/// Something is wrong with the wallet, or a broken one was not found.
const WRONG: u8 = 1;
/// The command was not understood.
const MISUSED: u8 = 2;

fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("worlds: {error}\n{}", arguments::USAGE);
            return ExitCode::from(MISUSED);
        }
    };
    let is_fine = match arguments.task {
        Task::List => report::list(),
        Task::Help => report::help(),
        Task::Trace(seed) => report::trace(&arguments, seed),
        Task::Worlds(count) => campaign::run(&arguments, count),
        Task::Nets(most) => campaign::nets(&arguments, most),
        Task::Overlaps(count) => overlaps::run(&arguments, count),
        Task::OverlapNets(most) => overlaps::nets(&arguments, most),
        Task::Rollups(count) => rollups::run(&arguments, count),
        Task::RollupNets(most) => rollups::nets(&arguments, most),
    };
    ExitCode::from(if is_fine { FINE } else { WRONG })
}
