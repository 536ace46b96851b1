//! The state of every source over time.

use std::time::Duration;

use crate::Fault;
use crate::counted::counted;
use crate::scenario::{Condition, Device, Event, Happening, Member, OnRollup, Scenario};
use crate::stage::condition;

/// The state of one source, or of the device, over time.
#[derive(Clone, Debug)]
pub struct Lane {
    /// What it is called.
    pub name: String,
    /// What it is: the name of its role, `rollup` or `device`.
    pub role: &'static str,
    /// Who runs it.
    pub operator: String,
    /// The company whose machines it runs on.
    pub hosting: String,
    /// From the start to the end, without a gap.
    pub states: Vec<State>,
}

/// One state, from when to when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// From when on.
    pub from: Duration,
    /// Until when.
    pub until: Duration,
    /// How.
    pub condition: Condition,
    /// The same in words; empty if well.
    pub says: String,
}

/// The state of one source between two events.
struct Now {
    how: Vec<Fault>,
    lag: u64,
    latency: Duration,
    window: Option<u64>,
}

pub(super) fn lanes(scenario: &Scenario) -> Vec<Lane> {
    let members = scenario.members.iter().enumerate();
    let mut lanes: Vec<Lane> = members.map(|(place, member)| lane(place, member, scenario)).collect();
    if scenario.rollup.is_some() {
        lanes.insert(0, rollup(scenario));
    }
    if scenario.events.iter().any(|event| matches!(event.happening, Happening::Device(_))) {
        lanes.push(device(scenario));
    }
    lanes
}

fn lane(place: usize, member: &Member, scenario: &Scenario) -> Lane {
    let mut now = Now { how: Vec::new(), lag: member.lag, latency: member.latency, window: member.window };
    let mut states = vec![(Duration::ZERO, now.state())];
    for Event { at, happening, .. } in &scenario.events {
        match happening {
            Happening::Fails { who, how, .. } if who.contains(&place) => now.how.clone_from(how),
            Happening::Changes { who, latency, lag, window } if who.contains(&place) => {
                now.latency = latency.unwrap_or(now.latency);
                now.lag = lag.unwrap_or(now.lag);
                now.window = window.or(now.window);
            }
            _ => continue,
        }
        states.push((*at, now.state()));
    }
    Lane {
        name: member.name.clone(),
        role: member.role.name(),
        operator: member.operator.clone(),
        hosting: member.hosting.clone(),
        states: stretches(states, scenario.lasts),
    }
}

fn device(scenario: &Scenario) -> Lane {
    let (mut offline, mut clock) = (false, None);
    let mut states = vec![(Duration::ZERO, (Condition::Well, String::new()))];
    for event in &scenario.events {
        let Happening::Device(device) = event.happening else { continue };
        match device {
            Device::Offline => offline = true,
            Device::Online => offline = false,
            Device::ClockAhead(by) | Device::ClockBehind(by) => {
                clock = (!by.is_zero()).then(|| event.says.clone());
            }
            Device::Asleep(length) => {
                states.push((event.at, (Condition::Gone, event.says.clone())));
                states.push((event.at.saturating_add(length), (Condition::Well, String::new())));
                continue;
            }
        }
        let state = match (&clock, offline) {
            (_, true) => (Condition::Gone, event.says.clone()),
            (Some(says), false) => (Condition::Lies, says.clone()),
            (None, false) => (Condition::Well, String::new()),
        };
        states.push((event.at, state));
    }
    let states = stretches(states, scenario.lasts);
    Lane::without_operator("this device", "device", states)
}

/// The rollup itself, and the claims about it.
fn rollup(scenario: &Scenario) -> Lane {
    let (mut has_stopped, mut is_paused, mut is_lied_about, mut is_claimed) = (false, false, false, true);
    let mut states = vec![(Duration::ZERO, (Condition::Well, String::new()))];
    for event in &scenario.events {
        let Happening::Rollup(on_rollup) = event.happening else { continue };
        match on_rollup {
            OnRollup::Stops | OnRollup::GoesOn => has_stopped = on_rollup == OnRollup::Stops,
            OnRollup::ClaimsStop | OnRollup::ClaimsGoOn => is_claimed = on_rollup == OnRollup::ClaimsGoOn,
            OnRollup::FalseClaims(_) => is_lied_about = true,
            OnRollup::FalseClaimsRefuted => is_lied_about = false,
            OnRollup::Paused(is) => is_paused = is,
            OnRollup::NewestClaimBlacklisted | OnRollup::ClaimsRetired => {}
        }
        let all = [
            (has_stopped, Condition::Gone, "makes no blocks"),
            (is_lied_about, Condition::Lies, "false claims"),
            (is_paused, Condition::Failing, "paused"),
            (!is_claimed, Condition::Slow, "no claims"),
        ];
        let held = all.iter().filter(|(holds, ..)| *holds);
        let worst = held.clone().map(|(_, condition, _)| *condition).max().unwrap_or(Condition::Well);
        let says: Vec<&str> = held.map(|(.., says)| *says).collect();
        states.push((event.at, (worst, says.join(", "))));
    }
    Lane::without_operator("the rollup", "rollup", stretches(states, scenario.lasts))
}

impl Lane {
    fn without_operator(name: &str, role: &'static str, states: Vec<State>) -> Self {
        let (operator, hosting) = (String::new(), String::new());
        Self { name: name.to_owned(), role, operator, hosting, states }
    }
}

impl Now {
    fn state(&self) -> (Condition, String) {
        let condition = condition(&self.how, self.lag, self.latency);
        let mut says: Vec<String> = self.how.iter().map(Fault::words).collect();
        if condition != Condition::Well && self.lag > 0 {
            says.push(format!("{} behind", counted(self.lag, "block")));
        }
        (condition, says.join(", "))
    }
}

/// From moments at which something changes to stretches in which nothing does.
fn stretches(changes: Vec<(Duration, (Condition, String))>, end: Duration) -> Vec<State> {
    let mut states: Vec<State> = Vec::new();
    for (from, (condition, says)) in changes {
        let from = from.min(end);
        if let Some(last) = states.last_mut() {
            last.until = from;
        }
        // Two changes at the same moment are one.
        states.retain(|state| state.from < state.until);
        match states.last_mut() {
            Some(last) if last.condition == condition && last.says == says => last.until = end,
            _ => states.push(State { from, until: end, condition, says }),
        }
    }
    states.retain(|state| state.from < state.until);
    states
}
