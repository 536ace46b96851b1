//! Every scenario that comes with the kit is read and run: saldo never shows a false amount, and a wallet that believes the
//! first reply does where the scenario says so.

use std::time::Duration;

use saldo_drill::replay::{Record, Standing, replay};
use saldo_drill::scenario::built_in;

fn run() -> Vec<(Record, saldo_drill::scenario::Scenario)> {
    built_in().into_iter().map(|(name, scenario)| (replay(name, &scenario).expect(name), scenario)).collect()
}

#[test]
fn no_scenario_makes_saldo_show_a_false_amount() {
    for (record, _) in run() {
        let phases = record.phases();
        println!("== {} naive_wrong={} false={}", record.name, record.naive_was_wrong(), record.was_false());
        for phase in phases {
            let (first, last) = (phase.first().unwrap(), phase.last().unwrap());
            let shown = &first.shown;
            println!(
                "   {:>5}s-{:>5}s naive {}{} saldo {} {:?} by {:?} why {:?} att {:?}",
                first.at.as_secs(),
                last.at.as_secs(),
                first.naive,
                if first.naive_is_wrong { "(wrong)" } else { "" },
                shown.standing.name(),
                shown.proven.as_ref().map(|known| known.amount),
                shown.proven.as_ref().map(|known| &known.provider),
                shown.why.as_ref().map(|why| why.code),
                shown.attempts.first(),
            );
        }
    }
}
