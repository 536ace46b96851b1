//! The `saldo` command: what an address holds, proven, in the terminal.

mod address;
mod arguments;
mod balance;
mod chain_id;
mod check;
mod demo;
mod descriptors;
mod doctor;
mod drill;
mod encoding;
mod evidence;
mod exchanged;
mod failure;
mod file;
mod import;
mod input;
mod interrupt;
mod json;
mod log;
mod mirror;
mod network;
mod network_file;
mod parts;
mod proof;
mod say;
mod serve;
mod setup;
mod text;
mod token;
mod token_list;
mod tokens;
mod usage;
mod watch;
mod web;

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Command, Saldo};
use crate::failure::CommandFailure;

fn main() -> ExitCode {
    let as_json = std::env::args_os().any(|argument| argument == "--json");
    let outcome = match Saldo::try_parse() {
        Ok(arguments) => run(arguments),
        Err(mut error) => {
            usage::withhold(&mut error);
            let is_usage = error.use_stderr();
            if !is_usage || !as_json {
                let _ = error.print();
                return if is_usage { ExitCode::from(CommandFailure::USAGE) } else { ExitCode::SUCCESS };
            }
            Err(CommandFailure::from(&error))
        }
    };
    outcome.unwrap_or_else(|failure| {
        failure.report(as_json);
        ExitCode::from(failure.status())
    })
}

fn run(arguments: Saldo) -> Result<ExitCode, CommandFailure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|_| CommandFailure::internal("no runtime", "The system refused threads or timers."))?;
    let status = match arguments.command {
        Command::Balance(arguments) => runtime.block_on(balance::run(arguments)),
        Command::Check(arguments) => runtime.block_on(check::run(arguments)),
        Command::Token(arguments) => runtime.block_on(token::run(arguments)),
        Command::Proof(arguments) => runtime.block_on(proof::run(arguments)),
        Command::Evidence(arguments) => runtime.block_on(evidence::run(arguments)),
        Command::Network(arguments) => runtime.block_on(network::run(arguments)),
        Command::Doctor(arguments) => runtime.block_on(doctor::run(arguments)),
        Command::Mirror(arguments) => runtime.block_on(mirror::run(arguments)),
        Command::Serve(arguments) => runtime.block_on(serve::run(arguments)),
        Command::Demo(arguments) => runtime.block_on(demo::run(arguments)),
        Command::Drill(arguments) => runtime.block_on(drill::run(arguments)),
    };
    // A thread that still waits for standard input must not keep the command.
    runtime.shutdown_background();
    status.map(ExitCode::from)
}

/// Writes a line to standard output.
///
/// # Errors
/// A [`CommandFailure`] if the output was closed, or is full.
fn print(line: &str) -> Result<(), CommandFailure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|error| match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            CommandFailure::internal("the output cannot be written: no space is left", "Free some space.")
        }
        ErrorKind::BrokenPipe => CommandFailure::internal(
            "output closed",
            "The program that read this command's output has ended.",
        ),
        _ => CommandFailure::internal(
            format!("the output cannot be written: {error}"),
            "Check where this command's output goes.",
        ),
    })
}
