//! A drill as JSON, one object a line: schema `saldo.drill/1`.

use std::time::Duration;

use saldo_drill::replay::{Happened, Known, Lane, Look, Record, Shown};
use serde_json::{Value, json};

const SCHEMA: &str = "saldo.drill/1";

/// The members first, then events and looks in order of time, then a summary.
pub(super) fn lines(record: &Record) -> Vec<Value> {
    let start = json!({
        "schema": SCHEMA,
        "scenario": record.name,
        "title": record.title,
        "lasts_seconds": record.lasts.as_secs(),
        "members": record.lanes.iter().map(lane).collect::<Vec<_>>(),
    });
    let mut dated: Vec<(Duration, Value)> =
        record.events.iter().map(|event| (event.at, happened(event))).collect();
    dated.extend(record.looks.iter().map(|look| (look.at, looked(look))));
    dated.sort_by_key(|(at, _)| *at);
    let count = |of: &dyn Fn(&Look) -> bool| record.share(of).0;
    let end = json!({
        "schema": SCHEMA,
        "scenario": record.name,
        "looks": record.looks.len(),
        "naive_wrong": count(&|look| look.naive_is_wrong),
        "proven": count(&|look| look.shown.proven.is_some()),
        "false": count(&|look| look.shown.is_false()),
    });
    std::iter::once(start).chain(dated.into_iter().map(|(_, line)| line)).chain([end]).collect()
}

fn lane(lane: &Lane) -> Value {
    let states = lane.states.iter().map(|state| {
        json!({
            "from_seconds": state.from.as_secs(),
            "until_seconds": state.until.as_secs(),
            "condition": state.condition.name(),
            "says": state.says,
        })
    });
    json!({
        "name": lane.name,
        "role": lane.role,
        "operator": lane.operator,
        "hosting": lane.hosting,
        "states": states.collect::<Vec<_>>(),
    })
}

fn happened(event: &Happened) -> Value {
    json!({ "schema": SCHEMA, "at_seconds": event.at.as_secs(), "event": event.says })
}

fn looked(look: &Look) -> Value {
    json!({
        "schema": SCHEMA,
        "at_seconds": look.at.as_secs(),
        "truth": look.truth.to_string(),
        "naive": look.naive.to_string(),
        "naive_is_wrong": look.naive_is_wrong,
        "saldo": shown(&look.shown),
    })
}

fn shown(shown: &Shown) -> Value {
    json!({
        "state": shown.standing.name(),
        "proven": shown.proven.as_ref().map(known),
        "last": shown.last.as_ref().map(known),
        "claimed": shown.claimed.map(|wei| wei.to_string()),
        "withdrawn": shown.withdrawn,
        "rollup_stopped_seconds": shown.stopped_for.map(|age| age.as_secs()),
        "why": shown.why.as_ref().map(|why| json!({
            "code": why.code,
            "detail": why.text,
            "fault": why.fault,
            "next_step": why.next_step,
        })),
        "attempts": shown.attempts,
    })
}

fn known(known: &Known) -> Value {
    json!({
        "amount": known.amount.to_string(),
        "is_frozen": known.is_frozen,
        "block": known.block,
        "level": known.assurance.level().code(),
        "age_seconds": known.age.map(|age| age.as_secs()),
        "provider": known.provider,
        "is_true": known.is_true,
    })
}
