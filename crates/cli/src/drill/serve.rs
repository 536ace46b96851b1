//! `saldo drill serve`: a scenario's chain, providers and sources on loopback, in real time.

use std::time::{Duration, Instant};

use saldo_drill::Rollup;
use saldo_drill::scenario::{Happening, Role, Scenario, brief};
use saldo_drill::stage::{OWNER, Stage};
use serde_json::json;

use super::arguments::ServeArguments;
use super::loopback::{Loopback, now};
use super::scenario;
use crate::failure::CommandFailure;
use crate::interrupt::interrupted;
use crate::print;

/// How often the chain is advanced to the present time.
const TICK: Duration = Duration::from_millis(50);
/// The shortest slot.
const SHORTEST_SLOT: Duration = Duration::from_secs(1);

/// Serves until interrupted.
///
/// # Errors
/// A [`CommandFailure`] if the scenario cannot be used, or no port can be opened.
pub(super) async fn run(arguments: ServeArguments) -> Result<u8, CommandFailure> {
    let (name, mut scenario) = scenario(&arguments.scenario)?;
    let faster = scenario.slot.checked_div(arguments.speed).unwrap_or_default();
    scenario.slot = Duration::from_secs(faster.max(SHORTEST_SLOT).as_secs());
    scenario.rollup = scenario.rollup.map(|plan| plan.faster(arguments.speed));
    let mut stage = Stage::set_up(&scenario, Some(now()));
    let mut loopback = Loopback::new(arguments.listen).write_to(arguments.out.clone());
    for (member, service) in scenario.members.iter().zip(&stage.services) {
        loopback.serve(member.role, &member.name, service.clone()).await?;
        loopback.declare(&member.operator, &member.hosting);
    }
    let network = stage.chain.network();
    let network = match scenario.of(Role::Checkpoint).next() {
        Some(_) => network,
        None => network.with_checkpoint(stage.chain.checkpoint()),
    };
    if !arguments.json {
        print(&format!("{name}: {}\n", scenario.title))?;
    }
    let interrupted = interrupted();
    let profile = stage.rollup().map(Rollup::profile);
    loopback.write_network_file(&network, profile.as_ref(), Some(OWNER), arguments.json)?;
    tokio::select! {
        outcome = apply_events(&mut stage, &scenario, &arguments) => outcome?,
        () = interrupted => {}
    }
    Ok(0)
}

/// Applies each event at its time. Ends only if the output was closed.
async fn apply_events(
    stage: &mut Stage,
    scenario: &Scenario,
    arguments: &ServeArguments,
) -> Result<(), CommandFailure> {
    let start = Instant::now();
    let mut events = scenario.events.iter().peekable();
    loop {
        stage.advance_to(now());
        let elapsed = start.elapsed().saturating_mul(arguments.speed);
        while let Some(event) = events.next_if(|event| event.at <= elapsed) {
            stage.apply(event);
            let left_out = matches!(event.happening, Happening::Device(_));
            print(&if arguments.json {
                let at_seconds = event.at.as_secs();
                json!({ "schema": "saldo.drill/1", "at_seconds": at_seconds, "event": event.says, "left_out": left_out })
                    .to_string()
            } else {
                let left_out = if left_out { " (left out: it concerns the device)" } else { "" };
                format!("{:>8}  {}{left_out}", brief(event.at), event.says)
            })?;
        }
        tokio::time::sleep(TICK).await;
    }
}
