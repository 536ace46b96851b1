//! A drill as text.

use std::fmt::Write;
use std::time::Duration;

use saldo_drill::replay::{Lane, Look, Record};
use saldo_drill::scenario::{Condition, brief};

use super::words;

/// The number of columns for the whole duration.
const WIDTH: u32 = 60;
/// The number of columns for names.
const NAMES: usize = 30;

/// The whole drill.
pub(super) fn drawn(record: &Record) -> String {
    let mut text = format!("{}: {}\n", record.name, record.title);
    if let Some(about) = &record.about {
        let _ = writeln!(text, "{about}");
    }
    if let Some(look) = record.telling() {
        let (naive, says) = (words::naive(look), words::sentence(&look.shown));
        let _ = writeln!(text, "\nAfter {} a naive wallet shows {naive}. saldo says: {says}", brief(look.at));
    }
    let _ = writeln!(text, "\n{:NAMES$}{}", "", scale(record.lasts));
    for lane in &record.lanes {
        let _ = writeln!(text, "{:<NAMES$}{}", name(lane), strip(lane, record.lasts));
    }
    let naive = |look: &Look| if look.naive_is_wrong { '0' } else { '.' };
    let saldo = |look: &Look| match (&look.shown.proven, look.shown.is_false()) {
        (_, true) => 'F',
        (Some(_), false) => '.',
        (None, false) => '?',
    };
    let _ = writeln!(text, "{:<NAMES$}{}", "naive wallet", looks(record, &naive));
    let _ = writeln!(text, "{:<NAMES$}{}", "saldo", looks(record, &saldo));
    let _ = writeln!(text, "\n{}\n", legend());
    write_timeline(&mut text, record);
    let _ = write!(text, "\n{}", words::verdict(record));
    text
}

fn name(lane: &Lane) -> String {
    match words::beside(lane) {
        "" => lane.name.clone(),
        beside => format!("{} ({beside})", lane.name),
    }
}

fn legend() -> String {
    let all = [
        (Condition::Slow, "slow or behind"),
        (Condition::Limited, "rate limited"),
        (Condition::Failing, "answers with errors"),
        (Condition::Gone, "gone"),
        (Condition::Lies, "lies"),
    ];
    let of = |(condition, words): (Condition, &str)| format!("{} {words}", condition.mark());
    format!("{}   naive: 0 wrong   saldo: ? not proven", all.map(of).join("   "))
}

/// The moment at which a column begins.
fn moment(column: u32, lasts: Duration) -> Duration {
    lasts.saturating_mul(column).checked_div(WIDTH).unwrap_or_default()
}

fn scale(lasts: Duration) -> String {
    let quarters = [0, 15, 30, 45].map(|column| format!("{:<15}", brief(moment(column, lasts))));
    format!("{}{}", quarters.concat(), brief(lasts))
}

/// Each column shows the worst condition within it.
fn strip(lane: &Lane, lasts: Duration) -> String {
    let worst = |column: u32| {
        let (from, until) = (moment(column, lasts), moment(column.saturating_add(1), lasts));
        let within = lane.states.iter().filter(|state| state.from < until && state.until > from);
        within.map(|state| state.condition).max().unwrap_or(Condition::Well).mark()
    };
    (0..WIDTH).map(worst).collect()
}

/// Each column shows the worst look within it, else the last look before it.
fn looks(record: &Record, mark: &dyn Fn(&Look) -> char) -> String {
    let seen = |column: u32| {
        let (from, until) = (moment(column, record.lasts), moment(column.saturating_add(1), record.lasts));
        let within = record.looks.iter().filter(|look| look.at >= from && look.at < until);
        let worst = within.map(mark).max_by_key(|mark| (*mark != '.', *mark == 'F'));
        let before = record.looks.iter().rev().find(|look| look.at <= from).map(mark);
        worst.or(before).unwrap_or(' ')
    };
    (0..WIDTH).map(seen).collect()
}

/// Writes events and looks in order of time.
fn write_timeline(text: &mut String, record: &Record) {
    let mut events = record.events.iter().peekable();
    for phase in record.phases() {
        let (Some(first), Some(last)) = (phase.first(), phase.last()) else { continue };
        while let Some(event) = events.next_if(|event| event.at <= first.at) {
            let _ = writeln!(text, "{:>14}  * {}", brief(event.at), event.says);
        }
        let span = if first.at == last.at {
            brief(first.at)
        } else {
            format!("{} to {}", brief(first.at), brief(last.at))
        };
        let naive = format!("naive {}", words::naive(first));
        let _ = writeln!(text, "{span:>14}  {naive:<20}  saldo {}", words::saldo(&last.shown));
    }
    for event in events {
        let _ = writeln!(text, "{:>14}  * {}", brief(event.at), event.says);
    }
}
