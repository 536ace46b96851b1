//! The events of a scenario file.

use std::time::Duration;

use alloy_primitives::{B256, U256};
use serde::Deserialize;

use super::contract::CodeName;
use super::member::named;
use super::rollup::{self, RawRollup};
use crate::ContractCode;
use crate::counted::counted;
use crate::fault::{Fault, Side};
use crate::scenario::amount::Ether;
use crate::scenario::duration::Length;
use crate::scenario::{Contract, Device, Event, Happening, Member, OnChain, RollupPlan, brief, ether};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEvent {
    at: Length,
    says: Option<String>,
    who: Option<String>,
    faults: Option<Vec<Fault>>,
    on: Option<String>,
    times: Option<u64>,
    latency: Option<Length>,
    lag: Option<u64>,
    window: Option<u64>,
    device: Option<RawDevice>,
    chain: Option<RawChain>,
    rollup: Option<RawRollup>,
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
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum RawChain {
    Balance(Ether),
    Frozen(bool),
    Upgraded { contract: String, to: String, balance: Option<Ether> },
    Deployed { contract: String, code: CodeName, points_to: Option<String> },
    Slot { contract: String, key: U256, value: U256 },
    Reorganised(u64),
    FinalityStalls(bool),
    Signers(usize),
    AllSign,
    Pace(u64),
}

/// The event as it is understood.
pub(super) fn event(
    raw: RawEvent,
    members: &[Member],
    contracts: &[Contract],
    plan: Option<&RollupPlan>,
) -> Result<Event, String> {
    let RawEvent { at, says, who, faults, on, times, latency, lag, window, device, chain, rollup } = raw;
    let changes = latency.is_some() || lag.is_some() || window.is_some();
    let kinds = [faults.is_some(), changes, device.is_some(), chain.is_some(), rollup.is_some()];
    if kinds.iter().filter(|kind| **kind).count() != 1 {
        let kinds = "`faults`, `latency`/`lag`/`window`, `device`, `chain` and `rollup`";
        return Err(format!("it must have exactly one of {kinds}"));
    }
    if faults.is_none() && (on.is_some() || times.is_some()) {
        return Err("`on` and `times` belong to `faults`".to_owned());
    }
    if who.is_some() && (device.is_some() || chain.is_some() || rollup.is_some()) {
        return Err("`who` belongs to `faults`, `latency`, `lag` and `window`".to_owned());
    }
    let (happening, words) = match (faults, device, chain, rollup) {
        (Some(how), ..) => {
            let text = who.as_deref().ok_or("it does not say `who`")?;
            let who = named(text, members)?;
            how.iter().try_for_each(|fault| can_happen(fault, &who, members))?;
            let words = faults_in_words(text, &how, on.as_deref());
            (Happening::Fails { who, how, on, times }, words)
        }
        (None, Some(device), ..) => device_event(&device),
        (None, None, Some(chain), _) => chain_event(&chain, contracts)?,
        (None, None, None, Some(raw)) => {
            let on_rollup = rollup::event(&raw, plan)?;
            (Happening::Rollup(on_rollup), on_rollup.words())
        }
        (None, None, None, None) => {
            let text = who.as_deref().ok_or("it does not say `who`")?;
            let who = named(text, members)?;
            let latency = latency.map(|latency| latency.0);
            (Happening::Changes { who, latency, lag, window }, changed_words(text, latency, lag, window))
        }
    };
    Ok(Event { at: at.0, happening, says: says.unwrap_or(words) })
}

fn can_happen(fault: &Fault, who: &[usize], members: &[Member]) -> Result<(), String> {
    if let Some(problem) = fault.problem() {
        return Err(problem.to_owned());
    }
    let side = fault.side();
    let stranger = who.iter().filter_map(|place| members.get(*place)).find(|member| match side {
        Some(Side::Execution) => !member.role.is_provider(),
        Some(Side::Beacon) => member.role.is_provider(),
        None => false,
    });
    match stranger {
        Some(Member { name, role, .. }) => {
            Err(format!("`{}` cannot happen to {name}, which is a {} source", fault.words(), role.name()))
        }
        None => Ok(()),
    }
}

fn faults_in_words(who: &str, how: &[Fault], on: Option<&str>) -> String {
    let how: Vec<String> = how.iter().map(Fault::words).collect();
    match (how.is_empty(), on) {
        (true, _) => format!("{who}: well again"),
        (false, None) => format!("{who}: {}", how.join(", ")),
        (false, Some(on)) => format!("{who}: {}, on {on} alone", how.join(", ")),
    }
}

fn changed_words(who: &str, latency: Option<Duration>, lag: Option<u64>, window: Option<u64>) -> String {
    let parts = [
        latency.map(|latency| format!("answers take {}", brief(latency))),
        lag.map(|lag| format!("{} behind", counted(lag, "block"))),
        window.map(|window| format!("proves {} back", counted(window, "block"))),
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

fn chain_event(chain: &RawChain, contracts: &[Contract]) -> Result<(Happening, String), String> {
    let unit = if contracts.is_empty() { "ether" } else { "tokens" };
    let (chain, words) = match chain {
        RawChain::Balance(Ether(wei)) => {
            (OnChain::Balance(*wei), format!("the account holds {} {unit} from here on", ether(*wei)))
        }
        RawChain::Frozen(_)
        | RawChain::Upgraded { .. }
        | RawChain::Deployed { .. }
        | RawChain::Slot { .. } => contract_event(chain, contracts)?,
        RawChain::Reorganised(depth) => {
            let words = match depth {
                1 => "the last block is replaced".to_owned(),
                depth => format!("the last {depth} blocks are replaced"),
            };
            (OnChain::Reorganised(*depth), words)
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
    Ok((Happening::Chain(chain), words))
}

/// What happens to a contract, and the same in words.
fn contract_event(chain: &RawChain, contracts: &[Contract]) -> Result<(OnChain, String), String> {
    let find = |name: &str| {
        let found = contracts.iter().find(|contract| contract.name == name);
        found.ok_or_else(|| format!("no [[contract]] is called `{name}`"))
    };
    match chain {
        RawChain::Upgraded { contract, to, balance } => {
            let (proxy, target) = (find(contract)?, find(to)?);
            if !matches!(proxy.code, ContractCode::Proxy(_)) {
                return Err(format!("`{contract}` is no proxy that can be upgraded"));
            }
            let balance = balance.map(|balance| balance.0);
            let upgraded = OnChain::Upgraded { contract: proxy.address, to: target.address, balance };
            Ok((upgraded, format!("{contract} runs the code of {to} from here on")))
        }
        RawChain::Deployed { contract, code, points_to } => {
            let target = points_to.as_deref().map(find).transpose()?;
            let code = code.code(target.map(|target| target.address))?;
            let deployed = OnChain::Deployed { contract: find(contract)?.address, code };
            Ok((deployed, format!("{contract} has code from here on")))
        }
        RawChain::Slot { contract, key, value } => {
            let slot =
                OnChain::Slot { contract: find(contract)?.address, key: B256::from(*key), value: *value };
            Ok((slot, format!("a slot of {contract} changes")))
        }
        RawChain::Frozen(_) if contracts.is_empty() => Err("only a token can be frozen".to_owned()),
        RawChain::Frozen(true) => Ok((OnChain::Frozen(true), "the issuer freezes the account".to_owned())),
        _ => Ok((OnChain::Frozen(false), "the issuer releases the account".to_owned())),
    }
}
