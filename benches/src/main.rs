//! Measures speed together with its limit and a peer library, in the same run.
//!
//!     cargo run --release -p saldo-benches --bin limits [-- --json]

use std::process::ExitCode;

use clap::Parser;
use saldo_benches::{Maker, Measured, ROWS, Row, Side, measure};

/// Measures verification together with its limit and a peer library: medians of interleaved rounds, in microseconds.
#[derive(Parser)]
#[command(name = "limits")]
struct Arguments {
    /// Print one JSON object for each row.
    #[arg(long)]
    json: bool,
    /// Only print the rows' names.
    #[arg(long)]
    list: bool,
    /// Measure only this row.
    #[arg(long)]
    row: Option<String>,
    /// The number of rounds.
    #[arg(long, default_value_t = 101)]
    rounds: usize,
    /// End with status 1 if a row misses its bound, or cannot be measured here.
    #[arg(long)]
    check: bool,
    /// Do the work of one side of one row without measuring it, for a profiler.
    #[arg(long, requires = "row")]
    only: Option<Side>,
    /// How often to do the work, with --only.
    #[arg(long, default_value_t = 1, requires = "only")]
    times: u32,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let is_selected = |name: &str| arguments.row.as_deref().is_none_or(|row| row == name);
    let rows: Vec<(&str, Maker)> = ROWS.into_iter().filter(|(name, _)| is_selected(name)).collect();
    if rows.is_empty() {
        eprintln!("there is no such row; there are: {}", ROWS.map(|(name, _)| name).join(", "));
        return ExitCode::from(2);
    }
    if arguments.list {
        rows.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    }
    if arguments.only.is_none() && !arguments.json {
        println!(
            "{:<22}{:>10}{:>11}{:>10}{:>9}{:>8}  must reach",
            "us", "limit", "peer", "ours", "/limit", "/peer"
        );
    }
    let mut complete = true;
    for (name, make) in rows {
        let made = make().map_err(|why| eprintln!("skipped: {name}: {why}"));
        complete &= match (made, arguments.only) {
            (Ok(row), None) => report(name, row, &arguments),
            (Ok(row), Some(side)) => return work(row, side, arguments.times),
            (Err(()), _) => false,
        };
    }
    let must_succeed = arguments.check || arguments.only.is_some();
    ExitCode::from(u8::from(must_succeed && !complete))
}

/// Measures and prints a row; false if it misses its bound.
fn report(name: &'static str, mut row: Row, arguments: &Arguments) -> bool {
    match measure(name, &mut row, arguments.rounds) {
        Ok(measured) => {
            print(&measured, arguments.json);
            measured.reached
        }
        Err(side) => {
            eprintln!("{name}: {side:?} gives a wrong result");
            false
        }
    }
}

fn print(measured: &Measured, as_json: bool) {
    if as_json {
        println!("{}", serde_json::to_string(measured).unwrap_or_default());
        return;
    }
    let number =
        |number: Option<f64>, digits| number.map_or("-".to_owned(), |number| format!("{number:.digits$}"));
    let Measured { name, limit, peer, ours, ratio_to_limit, ratio_to_peer, must_reach, reached, .. } =
        measured;
    println!(
        "{name:<22}{:>10}{:>11}{:>10}{:>9}{:>8}  {must_reach}{}",
        number(*limit, 2),
        number(*peer, 2),
        number(Some(*ours), 2),
        number(*ratio_to_limit, 3),
        number(*ratio_to_peer, 3),
        if *reached { "" } else { ": MISSED" },
    );
}

fn work(mut row: Row, side: Side, times: u32) -> ExitCode {
    let Some(work) = row.side(side) else {
        eprintln!("this row has no such side");
        return ExitCode::from(2);
    };
    let is_right = (0..times).all(|_| work());
    ExitCode::from(u8::from(!is_right))
}
