//! `saldo drill`: replays outages and lies.

pub(crate) mod arguments;
mod attach;
mod browser;
mod html;
mod json;
mod list;
mod loopback;
mod proxy;
mod run;
mod serve;
mod text;
mod words;

pub(crate) use run::run as replay;

use saldo_drill::scenario::{Scenario, built_in_file};

use crate::failure::CommandFailure;
use crate::file::{PATIENCE, read_text};
use arguments::{DrillArguments, DrillCommand};

/// Runs the subcommand; returns the exit status.
///
/// # Errors
/// A [`CommandFailure`] that says what the command could not do.
pub(crate) async fn run(arguments: DrillArguments) -> Result<u8, CommandFailure> {
    match arguments.command {
        DrillCommand::List(arguments) => list::run(&arguments),
        DrillCommand::Run(arguments) => replay(&arguments),
        DrillCommand::Serve(arguments) => serve::run(arguments).await,
        DrillCommand::Proxy(arguments) => proxy::run(arguments).await,
        DrillCommand::Attach(arguments) => attach::run(arguments).await,
    }
}

/// The same of a scenario that stands before real providers: it has no rollup.
///
/// # Errors
/// A usage failure, also if the scenario has a rollup.
fn proxied_scenario(text: &str) -> Result<(String, Scenario), CommandFailure> {
    let (name, scenario) = scenario(text)?;
    if scenario.rollup.is_some() {
        return Err(CommandFailure::usage(
            "rollup",
            format!("{name} has a rollup, and real providers have no such rollup"),
            "Use `saldo drill serve` with this scenario: it serves a rollup and its L1.",
        ));
    }
    Ok((name, scenario))
}

/// The scenario and its name: the built-in one called `text`, or the one in the file at that path.
///
/// # Errors
/// A usage failure that says what is wrong with the file, and where.
fn scenario(text: &str) -> Result<(String, Scenario), CommandFailure> {
    let read = |file: &str| {
        Scenario::from_toml(file).map_err(|error| {
            CommandFailure::usage(
                "scenario_file",
                format!("the scenario cannot be used: {error}"),
                error.next_step(),
            )
        })
    };
    if let Some(file) = built_in_file(text) {
        return Ok((text.to_owned(), read(file)?));
    }
    if !text.contains(['/', '.']) {
        return Err(CommandFailure::usage(
            "unknown_scenario",
            "no scenario of that name is built in",
            "`saldo drill list` shows the built-in ones. Give a file by its path, such as ./my-outage.toml.",
        ));
    }
    let file = read_text(text, PATIENCE).map_err(|error| {
        let detail = format!("the scenario file cannot be read: {error}");
        CommandFailure::usage("scenario_file", detail, "Check the path after --scenario.")
    })?;
    let name = std::path::Path::new(text)
        .file_stem()
        .map_or_else(|| "scenario".into(), |stem| stem.to_string_lossy());
    Ok((name.into_owned(), read(&file)?))
}
