//! Serves one scenario of the table on loopback, for the runners of all languages.
//!
//! `scenario-server --list` prints the names, one a line. `scenario-server NAME` prints one JSON line and serves until its input ends. A
//! line on its input is the time of events that shall happen now; it answers with one JSON line.

use std::process::ExitCode;

use saldo_ffi_scenarios::{Served, Table};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let table = match Table::read() {
        Ok(table) => table,
        Err(error) => return fail(&error.to_string()),
    };
    let Some(name) = std::env::args().nth(1) else { return fail("usage: scenario-server NAME | --list") };
    if name == "--list" {
        table.scenarios.iter().for_each(|scenario| println!("{}", scenario.name));
        return ExitCode::SUCCESS;
    }
    let Some(scenario) = table.scenario(&name) else { return fail("there is no such scenario") };
    let mut served = Served::set_up(scenario).await;
    println!("{}", served.told());
    let mut lines = BufReader::new(stdin()).lines();
    loop {
        let line = tokio::select! {
            line = lines.next_line() => line,
            () = served.go_on() => Ok(None),
        };
        let Ok(Some(line)) = line else { return ExitCode::SUCCESS };
        let happened = served.happen(line.trim());
        println!("{}", json!({ "at": line.trim(), "happened": happened }));
    }
}

fn fail(text: &str) -> ExitCode {
    eprintln!("{text}");
    ExitCode::FAILURE
}
