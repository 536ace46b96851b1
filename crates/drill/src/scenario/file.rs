//! Scenarios as TOML text.

use std::time::Duration;

use serde::Deserialize;

use super::amount::Ether;
use super::duration::Length;
use super::{
    Device, Event, Failing, Happening, Member, Naive, OnChain, Role, Scenario, ScenarioError, brief, ether,
};
use crate::Fork;
use crate::fault::Side;

/// The most looks of one run: what is more than enough is a mistake in the file.
const MAX_LOOKS: u128 = 5_000;
/// The most members and events of one file.
const MAX_ENTRIES: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    about: Option<String>,
    lasts: Length,
    looks_every: Length,
    fork: Option<String>,
    slot: Option<Length>,
    balance: Option<Ether>,
    operators_per_address: Option<usize>,
    naive: Naive,
    #[serde(default)]
    naive_asks: Vec<String>,
    #[serde(default)]
    provider: Vec<Entry>,
    #[serde(default)]
    beacon: Vec<Entry>,
    #[serde(default)]
    checkpoint: Vec<Entry>,
    #[serde(default)]
    event: Vec<RawEvent>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    operator: Option<String>,
    hosting: Option<String>,
    latency: Option<Length>,
    lag: Option<u64>,
    window: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEvent {
    at: Length,
    says: Option<String>,
    who: Option<String>,
    faults: Option<Vec<Failing>>,
    on: Option<String>,
    times: Option<u64>,
    latency: Option<Length>,
    lag: Option<u64>,
    window: Option<u64>,
    device: Option<RawDevice>,
    chain: Option<RawChain>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawDevice {
    Offline,
    Online,
    Asleep(Length),
    ClockAhead(Length),
    ClockBehind(Length),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawChain {
    Balance(Ether),
    Reorganised(u64),
    FinalityStalls(bool),
    Signers(usize),
    AllSign,
    Pace(u64),
}

pub(super) fn read(text: &str) -> Result<Scenario, ScenarioError> {
    let file: File = toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count().saturating_add(1);
        ScenarioError::Form { line, message: error.message().to_owned() }
    })?;
    let members = members(&file)?;
    let mut events = Vec::with_capacity(file.event.len());
    for (raw, number) in file.event.into_iter().zip(1..) {
        let problem = |problem| ScenarioError::Event { event: number, problem };
        let event = event(raw, &members).map_err(problem)?;
        if event.at > file.lasts.0 {
            let lasts = brief(file.lasts.0);
            return Err(problem(format!("it is at {}, and the scenario lasts {lasts}", brief(event.at))));
        }
        events.push(event);
    }
    // Of those at the same time the order is the file's.
    events.sort_by_key(|event: &Event| event.at);
    let slot = file.slot.map_or(Duration::from_secs(12), |slot| slot.0);
    check_times(file.lasts.0, file.looks_every.0, slot)?;
    let fork = fork(file.fork.as_deref())?;
    let naive_asks = naive_asks(&file.naive_asks, &members)?;
    Ok(Scenario {
        title: file.title,
        about: file.about,
        lasts: file.lasts.0,
        looks_every: file.looks_every.0,
        fork,
        slot,
        balance: file.balance.map_or(usual_balance(), |balance| balance.0),
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
    if !whole_seconds(slot) {
        return Err(ScenarioError::Times("`slot` must be one or more whole seconds".to_owned()));
    }
    if looks_every.is_zero() || lasts.as_millis() / looks_every.as_millis().max(1) > MAX_LOOKS {
        let problem = format!("`looks_every` must be such that there are 1 to {MAX_LOOKS} looks");
        return Err(ScenarioError::Times(problem));
    }
    Ok(())
}

fn members(file: &File) -> Result<Vec<Member>, ScenarioError> {
    let entries = [
        (Role::Provider, &file.provider, &["anna", "bert", "cleo"][..]),
        (Role::Beacon, &file.beacon, &["north", "south"][..]),
        (Role::Checkpoint, &file.checkpoint, &[][..]),
    ];
    let mut members: Vec<Member> = Vec::new();
    for (role, given, usual) in entries {
        if given.is_empty() {
            members.extend(usual.iter().map(|name| usual_member(name, role)));
        }
        for entry in given {
            members.push(member(entry, role)?);
        }
    }
    let checkpoints = members.iter().filter(|member| member.role == Role::Checkpoint).count();
    if members.len() > MAX_ENTRIES || file.event.len() > MAX_ENTRIES {
        return Err(ScenarioError::Members(format!("more than {MAX_ENTRIES} members or events")));
    }
    if matches!(checkpoints, 1 | 2) {
        let problem = "of checkpoint sources there must be none or at least three: two must agree";
        return Err(ScenarioError::Members(problem.to_owned()));
    }
    for (place, member) in members.iter().enumerate() {
        if members.iter().take(place).any(|earlier| earlier.name == member.name) {
            return Err(ScenarioError::Members(format!("two members are called `{}`", member.name)));
        }
    }
    Ok(members)
}

fn usual_member(name: &str, role: Role) -> Member {
    Member {
        name: name.to_owned(),
        role,
        operator: name.to_owned(),
        hosting: name.to_owned(),
        latency: Duration::ZERO,
        lag: 0,
        window: None,
    }
}

fn member(entry: &Entry, role: Role) -> Result<Member, ScenarioError> {
    let name = &entry.name;
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    if name.is_empty() || name.len() > 32 || !name.chars().all(is_plain) {
        let problem = format!("`{name}`: a name is 1 to 32 of a-z, 0-9 and -");
        return Err(ScenarioError::Members(problem));
    }
    if GROUPS.iter().any(|(group, _)| group == name) {
        return Err(ScenarioError::Members(format!("`{name}` names a group; call it something else")));
    }
    if entry.window.is_some() && role != Role::Provider {
        return Err(ScenarioError::Members(format!("`{name}`: only providers have a `window`")));
    }
    Ok(Member {
        name: name.clone(),
        role,
        operator: entry.operator.clone().unwrap_or_else(|| name.clone()),
        hosting: entry.hosting.clone().unwrap_or_else(|| name.clone()),
        latency: entry.latency.map_or(Duration::ZERO, |latency| latency.0),
        lag: entry.lag.unwrap_or(0),
        window: entry.window,
    })
}

fn naive_asks(names: &[String], members: &[Member]) -> Result<Vec<usize>, ScenarioError> {
    let is_provider = |place: &usize| members.get(*place).is_some_and(|member| member.role == Role::Provider);
    if names.is_empty() {
        // Providers come first, and there is at least one.
        return Ok(vec![0]);
    }
    let place = |name: &String| {
        let found = members.iter().position(|member| member.name == *name).filter(is_provider);
        found.ok_or_else(|| ScenarioError::Members(format!("`naive_asks`: no provider is called `{name}`")))
    };
    names.iter().map(place).collect()
}

/// The groups that an event can be about.
const GROUPS: [(&str, Option<Role>); 4] = [
    ("everyone", None),
    ("providers", Some(Role::Provider)),
    ("beacons", Some(Role::Beacon)),
    ("checkpoints", Some(Role::Checkpoint)),
];

/// The places of those whom `who` names.
fn named(who: &str, members: &[Member]) -> Result<Vec<usize>, String> {
    let group = GROUPS.iter().find(|(name, _)| *name == who);
    let is_meant = |member: &Member| match (group, who.split_once(':')) {
        (Some((_, role)), _) => role.is_none_or(|role| role == member.role),
        (None, Some(("hosting", company))) => member.hosting == company.trim(),
        (None, Some(("operator", operator))) => member.operator == operator.trim(),
        (None, _) => who.split(',').any(|name| name.trim() == member.name),
    };
    let unknown =
        who.split(',').map(str::trim).find(|name| members.iter().all(|member| member.name != *name));
    if let Some(unknown) = unknown.filter(|_| group.is_none() && !who.contains(':')) {
        let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
        let known = names.join(", ");
        return Err(format!(
            "nobody is called `{unknown}`; there are {known}, everyone, providers, beacons, checkpoints"
        ));
    }
    let meant: Vec<usize> =
        members.iter().enumerate().filter(|(_, member)| is_meant(member)).map(|(place, _)| place).collect();
    if meant.is_empty() { Err(format!("`{who}` is nobody here")) } else { Ok(meant) }
}

fn event(raw: RawEvent, members: &[Member]) -> Result<Event, String> {
    let RawEvent { at, says, who, faults, on, times, latency, lag, window, device, chain } = raw;
    let changes = latency.is_some() || lag.is_some() || window.is_some();
    let kinds = [faults.is_some(), changes, device.is_some(), chain.is_some()];
    if kinds.iter().filter(|kind| **kind).count() != 1 {
        return Err(
            "it must have exactly one of `faults`, `latency`/`lag`/`window`, `device` and `chain`".to_owned()
        );
    }
    if faults.is_none() && (on.is_some() || times.is_some()) {
        return Err("`on` and `times` belong to `faults`".to_owned());
    }
    let (happening, words) = match (faults, device, chain) {
        (Some(how), ..) => {
            let text = who.as_deref().ok_or("it does not say `who`")?;
            let who = named(text, members)?;
            how.iter().try_for_each(|failing| can_happen(failing, &who, members))?;
            let words = failing_words(text, &how, on.as_deref());
            (Happening::Fails { who, how, on, times }, words)
        }
        (None, Some(_), _) | (None, None, Some(_)) if who.is_some() => {
            return Err("`who` belongs to `faults`, `latency`, `lag` and `window`".to_owned());
        }
        (None, Some(device), _) => device_event(&device),
        (None, None, Some(chain)) => chain_event(&chain),
        (None, None, None) => {
            let text = who.as_deref().ok_or("it does not say `who`")?;
            let who = named(text, members)?;
            let latency = latency.map(|latency| latency.0);
            (Happening::Changes { who, latency, lag, window }, changed_words(text, latency, lag, window))
        }
    };
    Ok(Event { at: at.0, happening, says: says.unwrap_or(words) })
}

fn can_happen(failing: &Failing, who: &[usize], members: &[Member]) -> Result<(), String> {
    if let Some(problem) = failing.problem() {
        return Err(problem);
    }
    let side = failing.side();
    let stranger = who.iter().filter_map(|place| members.get(*place)).find(|member| match side {
        Some(Side::Execution) => member.role != Role::Provider,
        Some(Side::Beacon) => member.role == Role::Provider,
        None => false,
    });
    match stranger {
        Some(Member { name, role, .. }) => {
            Err(format!("`{}` cannot happen to {name}, which is a {} source", failing.words(), role.name()))
        }
        None => Ok(()),
    }
}

fn failing_words(who: &str, how: &[Failing], on: Option<&str>) -> String {
    let how: Vec<String> = how.iter().map(Failing::words).collect();
    match (how.is_empty(), on) {
        (true, _) => format!("{who}: well again"),
        (false, None) => format!("{who}: {}", how.join(", ")),
        (false, Some(on)) => format!("{who}: {}, on {on} alone", how.join(", ")),
    }
}

fn changed_words(who: &str, latency: Option<Duration>, lag: Option<u64>, window: Option<u64>) -> String {
    let parts = [
        latency.map(|latency| format!("answers take {}", brief(latency))),
        lag.map(|lag| format!("{lag} blocks behind")),
        window.map(|window| format!("proves {window} blocks back")),
    ];
    format!("{who}: {}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

fn device_event(device: &RawDevice) -> (Happening, String) {
    let (device, words) = match device {
        RawDevice::Offline => (Device::Offline, "the device has no network".to_owned()),
        RawDevice::Online => (Device::Online, "the device has a network".to_owned()),
        RawDevice::Asleep(Length(time)) => {
            (Device::Asleep(*time), format!("the device sleeps for {}", brief(*time)))
        }
        RawDevice::ClockAhead(Length(time)) if time.is_zero() => {
            (Device::ClockAhead(*time), "the device's clock is right".to_owned())
        }
        RawDevice::ClockAhead(Length(time)) => {
            (Device::ClockAhead(*time), format!("the device's clock is {} ahead", brief(*time)))
        }
        RawDevice::ClockBehind(Length(time)) => {
            (Device::ClockBehind(*time), format!("the device's clock is {} behind", brief(*time)))
        }
    };
    (Happening::Device(device), words)
}

fn chain_event(chain: &RawChain) -> (Happening, String) {
    let (chain, words) = match chain {
        RawChain::Balance(Ether(wei)) => {
            (OnChain::Balance(*wei), format!("the account holds {} ether from here on", ether(*wei)))
        }
        RawChain::Reorganised(depth) => {
            (OnChain::Reorganised(*depth), format!("the last {depth} blocks are replaced"))
        }
        RawChain::FinalityStalls(true) => {
            (OnChain::FinalityStalls(true), "nothing becomes final any more".to_owned())
        }
        RawChain::FinalityStalls(false) => {
            (OnChain::FinalityStalls(false), "blocks become final again".to_owned())
        }
        RawChain::Signers(signers) => {
            (OnChain::Signers(Some(*signers)), format!("only {signers} of 32 sign"))
        }
        RawChain::AllSign => (OnChain::Signers(None), "nearly all sign again".to_owned()),
        RawChain::Pace(1) => (OnChain::Pace(1), "there is a block in every slot".to_owned()),
        RawChain::Pace(slots) => {
            (OnChain::Pace(*slots), format!("there is a block only every {slots} slots"))
        }
    };
    (Happening::Chain(chain), words)
}
