//! `saldo drill proxy`: a scenario's faults in front of real providers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use saldo_drill::proxy::{Proxy, beyond_a_proxy};
use saldo_drill::scenario::{Happening, Role, Scenario, brief};
use saldo_source::Endpoint;
use serde_json::json;

use super::arguments::ProxyArguments;
use super::loopback::Loopback;
use super::proxied_scenario;
use crate::failure::CommandFailure;
use crate::interrupt::interrupted;
use crate::{print, setup};

const TICK: Duration = Duration::from_millis(50);

/// Runs the proxies until interrupted.
///
/// # Errors
/// A [`CommandFailure`] if the scenario cannot be used, a fault is not possible in a proxy, or no port can be opened.
pub(super) async fn run(arguments: ProxyArguments) -> Result<u8, CommandFailure> {
    let (name, scenario) = proxied_scenario(&arguments.scenario)?;
    let impossible = beyond_a_proxy(&scenario);
    if !impossible.is_empty() {
        return Err(CommandFailure::usage(
            "needs_a_chain",
            format!(
                "{name} has faults that a proxy cannot apply to a real provider: {}",
                impossible.join("; ")
            ),
            "Use `saldo drill serve`, which has a chain of its own.",
        ));
    }
    let upstreams = endpoints(&arguments.upstream, "--upstream")?;
    let beacons = endpoints(&arguments.beacon_upstream, "--beacon-upstream")?;
    let transport = setup::http_transport()?;
    let mut loopback = Loopback::new(arguments.listen).only_for(arguments.allow_origin.clone());
    let mut proxies = Vec::new();
    for role in [Role::Provider, Role::Beacon] {
        let behind = if role == Role::Provider { &upstreams } else { &beacons };
        for ((place, member), upstream) in scenario.of(role).zip(behind.iter().cycle()) {
            let proxy = Proxy::new(upstream.clone(), Arc::new(transport.clone()), role);
            loopback.serve(role, &member.name, proxy.clone()).await?;
            proxies.push((place, proxy));
        }
    }
    if !arguments.json {
        print(&format!("{name}: {}\n", scenario.title))?;
    }
    let interrupted = interrupted();
    loopback.print_urls(arguments.json)?;
    tokio::select! {
        outcome = apply_events(&proxies, &scenario, &arguments) => outcome?,
        () = interrupted => {}
    }
    Ok(0)
}

fn endpoints(texts: &[String], option: &str) -> Result<Vec<Endpoint>, CommandFailure> {
    texts.iter().zip(1..).map(|(text, position)| setup::endpoint(text, option, position)).collect()
}

/// Applies each event at its time. Ends only if the output was closed.
async fn apply_events(
    proxies: &[(usize, Proxy)],
    scenario: &Scenario,
    arguments: &ProxyArguments,
) -> Result<(), CommandFailure> {
    let start = Instant::now();
    let mut events = scenario.events.iter().peekable();
    loop {
        let elapsed = start.elapsed().saturating_mul(arguments.speed);
        while let Some(event) = events.next_if(|event| event.at <= elapsed) {
            proxies.iter().for_each(|(place, proxy)| proxy.apply(*place, event));
            let left_out = match &event.happening {
                Happening::Fails { who, .. } | Happening::Changes { who, .. } => {
                    proxies.iter().all(|(place, _)| !who.contains(place))
                }
                _ => true,
            };
            print(&if arguments.json {
                let at_seconds = event.at.as_secs();
                json!({ "schema": "saldo.drill/1", "at_seconds": at_seconds, "event": event.says, "left_out": left_out })
                    .to_string()
            } else {
                let left_out = if left_out { " (left out: no server here is affected)" } else { "" };
                format!("{:>8}  {}{left_out}", brief(event.at), event.says)
            })?;
        }
        tokio::time::sleep(TICK).await;
    }
}
