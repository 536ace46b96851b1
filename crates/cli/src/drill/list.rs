//! `saldo drill list`: the scenarios that are built in.

use saldo_drill::scenario::{Naive, built_in, built_in_file};
use serde_json::json;

use super::arguments::ListArguments;
use crate::failure::CommandFailure;
use crate::print;

/// Lists the built-in scenarios, or prints the file of one.
///
/// # Errors
/// A usage failure if no scenario has that name.
pub(super) fn run(arguments: &ListArguments) -> Result<u8, CommandFailure> {
    if let Some(name) = &arguments.file {
        let next = "`saldo drill list` shows the built-in ones.";
        let unknown =
            || CommandFailure::usage("unknown_scenario", "no scenario of that name is built in", next);
        print(built_in_file(name).ok_or_else(unknown)?.trim_end())?;
        return Ok(0);
    }
    for (name, scenario) in built_in() {
        if arguments.json {
            let object = json!({
                "schema": "saldo.drill/1",
                "scenario": name,
                "title": scenario.title,
                "about": scenario.about,
                "lasts_seconds": scenario.lasts.as_secs(),
                "naive_is_wrong": scenario.naive == Naive::Wrong,
            });
            print(&object.to_string())?;
        } else {
            print(&format!("{name:<34}{}", scenario.title))?;
        }
    }
    Ok(0)
}
