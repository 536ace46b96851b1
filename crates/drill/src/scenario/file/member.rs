//! The members of a scenario file.

use std::time::Duration;

use serde::Deserialize;

use super::File;
use crate::scenario::duration::Length;
use crate::scenario::{Member, Role, ScenarioError};

/// The most members, and events, of one file.
const MAX_ENTRIES: usize = 200;

/// The groups that an event can be about.
const GROUPS: [(&str, Option<Role>); 5] = [
    ("everyone", None),
    ("providers", Some(Role::Provider)),
    ("l1-providers", Some(Role::L1Provider)),
    ("beacons", Some(Role::Beacon)),
    ("checkpoints", Some(Role::Checkpoint)),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    name: String,
    operator: Option<String>,
    hosting: Option<String>,
    latency: Option<Length>,
    lag: Option<u64>,
    window: Option<u64>,
}

/// Those of the file, or the usual ones.
pub(super) fn members(file: &File) -> Result<Vec<Member>, ScenarioError> {
    let l1_providers = if file.rollup.is_some() { &["lena", "lars"][..] } else { &[] };
    if file.rollup.is_none() && !file.l1_provider.is_empty() {
        let problem = "there is an [[l1_provider]], and no `[rollup]` whose L1 it could serve";
        return Err(ScenarioError::Members(problem.to_owned()));
    }
    let entries = [
        (Role::Provider, &file.provider, &["anna", "bert", "cleo"][..]),
        (Role::L1Provider, &file.l1_provider, l1_providers),
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

/// Whether something can be called so: 1 to 32 of a-z, 0-9 and -.
pub(super) fn is_plain(name: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    (1..=32).contains(&name.len()) && name.chars().all(is_plain)
}

fn member(entry: &Entry, role: Role) -> Result<Member, ScenarioError> {
    let name = &entry.name;
    if !is_plain(name) {
        let problem = format!("`{name}`: a name is 1 to 32 of a-z, 0-9 and -");
        return Err(ScenarioError::Members(problem));
    }
    if GROUPS.iter().any(|(group, _)| group == name) {
        return Err(ScenarioError::Members(format!("`{name}` names a group; call it something else")));
    }
    if entry.window.is_some() && !role.is_provider() {
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

/// The places of the providers that the naive wallet asks.
pub(super) fn naive_asks(names: &[String], members: &[Member]) -> Result<Vec<usize>, ScenarioError> {
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

/// The places of the members that `who` names.
pub(super) fn named(who: &str, members: &[Member]) -> Result<Vec<usize>, String> {
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
        let names: Vec<&str> = names.into_iter().chain(GROUPS.map(|(group, _)| group)).collect();
        return Err(format!("there is no `{unknown}`; there are {}", names.join(", ")));
    }
    let meant: Vec<usize> =
        members.iter().enumerate().filter(|(_, member)| is_meant(member)).map(|(place, _)| place).collect();
    if meant.is_empty() { Err(format!("no member is meant by `{who}`")) } else { Ok(meant) }
}
