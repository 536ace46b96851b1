//! The table of scenarios, run through the exported client from Rust.

mod common;
mod runner;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use saldo_ffi_scenarios::Table;

/// How many scenarios run at the same time, unless `AT_ONCE` says otherwise: most of their time is spent waiting.
const AT_ONCE: usize = 6;

#[test]
fn every_scenario_shows_what_the_table_says() {
    let table = Table::read().unwrap();
    let wanted = std::env::var("SCENARIO").ok();
    let scenarios: Vec<_> = table
        .scenarios
        .iter()
        .filter(|scenario| wanted.as_ref().is_none_or(|wanted| *wanted == scenario.name))
        .collect();
    let at_once = std::env::var("AT_ONCE").map_or(AT_ONCE, |number| number.parse().expect("a number"));
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let began = std::time::Instant::now();
                    if catch_unwind(AssertUnwindSafe(|| runner::run(scenario))).is_err() {
                        failed.lock().unwrap().push(scenario.name.clone());
                    }
                    println!("{:>6} ms  {}", began.elapsed().as_millis(), scenario.name);
                }
            });
        }
    });
    assert_eq!(*failed.lock().unwrap(), Vec::<String>::new());
}

/// A new reason needs a scenario, or a sentence that says why it can have none.
#[test]
fn every_code_of_why_is_in_the_table() {
    let table = Table::read().unwrap();
    let mut shown: BTreeSet<String> = table.not_here.keys().cloned().collect();
    for step in table.scenarios.iter().flat_map(|scenario| &scenario.steps) {
        collect_whys(&serde_json::to_value(step).unwrap(), &mut shown);
    }
    let all: BTreeSet<String> = saldo_ffi::why_codes().into_iter().collect();
    assert_eq!(shown, all);
}

fn collect_whys(value: &serde_json::Value, shown: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            if let Some(why) = fields.get("why").and_then(|why| why.as_str()) {
                shown.insert(why.to_owned());
            }
            fields.values().for_each(|field| collect_whys(field, shown));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect_whys(item, shown)),
        _ => {}
    }
}

#[test]
fn names_are_used_once() {
    let table = Table::read().unwrap();
    let names: BTreeSet<&str> = table.scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
    assert_eq!(names.len(), table.scenarios.len());
}
