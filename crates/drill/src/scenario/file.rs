//! Scenarios as TOML text.

mod contract;
mod event;
mod member;
mod rollup;

use std::time::Duration;

use serde::Deserialize;

use super::amount::Ether;
use super::duration::Length;
use super::{Device, Happening, Naive, RollupPlan, Scenario, ScenarioError, brief};
use crate::Fork;
use event::RawEvent;
use member::Entry;

/// The most looks of one run: what is more than enough is a mistake in the file.
const MAX_LOOKS: u128 = 5_000;
/// The same of slots, each of which takes a millisecond.
const MAX_SLOTS: u128 = 50_000;
/// The longest slot that a network can have.
const LONGEST_SLOT: Duration = Duration::from_secs(3_600);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    about: Option<String>,
    lasts: Length,
    looks_every: Length,
    fork: Option<String>,
    slot: Option<Length>,
    rollup: Option<rollup::Entry>,
    balance: Option<Ether>,
    token: Option<String>,
    #[serde(default)]
    contract: Vec<contract::Entry>,
    operators_per_address: Option<usize>,
    naive: Naive,
    #[serde(default)]
    naive_asks: Vec<String>,
    #[serde(default)]
    provider: Vec<Entry>,
    #[serde(default)]
    l1_provider: Vec<Entry>,
    #[serde(default)]
    beacon: Vec<Entry>,
    #[serde(default)]
    checkpoint: Vec<Entry>,
    #[serde(default)]
    event: Vec<RawEvent>,
}

pub(super) fn read(text: &str) -> Result<Scenario, ScenarioError> {
    let file: File = toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count().saturating_add(1);
        ScenarioError::Form { line, message: error.message().to_owned() }
    })?;
    let members = member::members(&file)?;
    let (contracts, token) = contract::contracts(&file.contract, file.token.as_deref())?;
    let rollup = file.rollup.map(|entry| rollup::plan(&entry, &contracts)).transpose()?;
    let mut events = Vec::with_capacity(file.event.len());
    for (raw, number) in file.event.into_iter().zip(1..) {
        let problem = |problem| ScenarioError::Event { event: number, problem };
        let event = event::event(raw, &members, &contracts, rollup.as_ref()).map_err(problem)?;
        let ends = match event.happening {
            Happening::Device(Device::Asleep(length)) => event.at.saturating_add(length),
            _ => event.at,
        };
        if ends > file.lasts.0 {
            let lasts = brief(file.lasts.0);
            return Err(problem(format!("it is over at {}, and the scenario lasts {lasts}", brief(ends))));
        }
        events.push(event);
    }
    // Of those at the same time the order is the file's.
    events.sort_by_key(|event: &super::Event| event.at);
    let slot = file.slot.map_or(Duration::from_secs(12), |slot| slot.0);
    check_times(file.lasts.0, file.looks_every.0, slot)?;
    check_slots(file.lasts.0, rollup.map_or(slot, |_| RollupPlan::BLOCK_TIME))?;
    let fork = fork(file.fork.as_deref())?;
    let naive_asks = member::naive_asks(&file.naive_asks, &members)?;
    Ok(Scenario {
        title: file.title,
        about: file.about,
        lasts: file.lasts.0,
        looks_every: file.looks_every.0,
        fork,
        slot,
        rollup,
        balance: file.balance.map_or(usual_balance(), |balance| balance.0),
        contracts,
        token,
        operators_per_address: file.operators_per_address.unwrap_or(usize::MAX).max(1),
        naive_asks,
        naive: file.naive,
        members,
        events,
    })
}

/// 1.5 ether.
fn usual_balance() -> alloy_primitives::U256 {
    alloy_primitives::U256::from(1_500_000_000_000_000_000_u64)
}

/// The fork of that name; Fulu if there is none.
fn fork(name: Option<&str>) -> Result<Fork, ScenarioError> {
    let Some(name) = name else { return Ok(Fork::Fulu) };
    let fork = Fork::from_name(name).filter(|fork| *fork >= Fork::Capella);
    fork.ok_or_else(|| ScenarioError::Fork(name.to_owned()))
}

fn check_times(lasts: Duration, looks_every: Duration, slot: Duration) -> Result<(), ScenarioError> {
    let whole_seconds = |time: Duration| time.subsec_nanos() == 0 && !time.is_zero();
    if !whole_seconds(slot) || slot > LONGEST_SLOT {
        return Err(ScenarioError::Times("`slot` must be whole seconds, from 1 to an hour".to_owned()));
    }
    let looks = lasts.as_millis().checked_div(looks_every.as_millis());
    if looks.is_none_or(|looks| looks > MAX_LOOKS) {
        let problem = format!("`looks_every` must be such that there are 1 to {MAX_LOOKS} looks");
        return Err(ScenarioError::Times(problem));
    }
    Ok(())
}

fn check_slots(lasts: Duration, slot: Duration) -> Result<(), ScenarioError> {
    if lasts.as_millis().checked_div(slot.as_millis()).is_some_and(|slots| slots <= MAX_SLOTS) {
        return Ok(());
    }
    let problem = format!(
        "there must be at most {MAX_SLOTS} slots of {}: make `lasts` shorter, or `slot` longer",
        brief(slot)
    );
    Err(ScenarioError::Times(problem))
}
