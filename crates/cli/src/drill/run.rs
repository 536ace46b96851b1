//! `saldo drill run`: a whole scenario in virtual time.

use saldo_drill::replay::replay;

use super::arguments::RunArguments;
use super::{html, json, scenario, text};
use crate::failure::CommandFailure;
use crate::print;

/// Runs the scenario and prints the result; returns 1 if saldo ever showed a false amount.
///
/// # Errors
/// A [`CommandFailure`] if the scenario cannot be used, or the page cannot be written.
pub(crate) fn run(arguments: &RunArguments) -> Result<u8, CommandFailure> {
    let (name, scenario) = scenario(&arguments.scenario)?;
    let record = replay(&name, &scenario).map_err(|error| {
        CommandFailure::usage("scenario_file", error, "Correct the members of the scenario.")
    })?;
    if arguments.json {
        for line in json::lines(&record) {
            print(&line.to_string())?;
        }
    } else {
        print(text::drawn(&record).trim_end())?;
    }
    if let Some(path) = &arguments.html {
        std::fs::write(path, html::page(&record)).map_err(|error| {
            let detail = format!("the page cannot be written: {error}");
            CommandFailure::failed("html_file", detail, "Check the path after --html.")
        })?;
    }
    Ok(u8::from(record.was_false()))
}
