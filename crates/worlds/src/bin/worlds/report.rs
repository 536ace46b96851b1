//! What is printed.

use saldo_worlds::{Bounds, Variant, World, draw, play, shrink};
use serde_json::json;

use crate::arguments::{Arguments, USAGE};
use crate::campaign::Tally;

/// How many smaller worlds are tried for each that fails.
const TRIES: usize = 400;

/// The reasons that a wallet is given in these worlds. They do not draw a provider that denies every
/// request: `tests/an_outage_is_not_zero.rs` has it.
const WHYS: [&str; 31] = [
    "all_unreachable",
    "checkpoint_not_served",
    "checkpoint_slot_wrong",
    "checkpoint_sources_disagree",
    "checkpoint_too_old",
    "clock_off",
    "consensus_fault",
    "deadline",
    "device_offline",
    "hand_over_missing",
    "heads_refused",
    "light_client_behind",
    "log_in_page",
    "moved",
    "no_light_client_routes",
    "nobody_serves_proofs",
    "not_a_token",
    "only_old_blocks",
    "policy_forbids_more_operators",
    "proof_window_missed",
    "proofs_refused",
    "providers_behind",
    "providers_failing",
    "quota_exhausted",
    "rate_limited",
    "token_not_run",
    "too_few_checkpoint_sources",
    "unknown_fork",
    "unknown_header_layout",
    "unsigned_tip",
    "wrong_chain",
];

/// Names the wallets.
pub(crate) fn list() -> bool {
    for variant in [Variant::REAL, Variant::LOOSE, Variant::CHECKER].iter().chain(Variant::BROKEN) {
        let checks: Vec<&str> = variant.checks.iter().map(|check| check.name()).collect();
        println!("{:20} {}{}", variant.name, variant.what, found_by(&checks));
    }
    true
}

fn found_by(checks: &[&str]) -> String {
    if checks.is_empty() { String::new() } else { format!(" [{}]", checks.join(", ")) }
}

/// Says how the command is used.
pub(crate) fn help() -> bool {
    println!("{USAGE}");
    true
}

/// Tells what happens in the world of `seed`; gives whether all is well there.
pub(crate) fn trace(arguments: &Arguments, seed: u64) -> bool {
    tell(arguments, &draw(seed))
}

/// Tells of a world that fails, and of the smallest that was found to fail in the same way.
pub(crate) fn failure(arguments: &Arguments, seed: u64) {
    let world = draw(seed);
    let run = play(&world, &arguments.variant, Bounds::USUAL, false);
    let Some(violation) = run.violation else { return };
    say(arguments, &format!("seed {seed}: {violation}"));
    let small = shrink(&world, &arguments.variant, Bounds::USUAL, violation.check, TRIES);
    say(arguments, &format!("made smaller, from {} parts to {}:", world.size(), small.size()));
    tell(arguments, &small);
}

/// Where JSON is wanted, what is told goes beside it.
fn say(arguments: &Arguments, text: &str) {
    if arguments.json { eprintln!("{text}") } else { println!("{text}") }
}

fn tell(arguments: &Arguments, world: &World) -> bool {
    say(arguments, &format!("{world:#?}"));
    let run = play(world, &arguments.variant, Bounds::USUAL, true);
    run.trace.iter().for_each(|line| say(arguments, line));
    match &run.violation {
        Some(violation) => say(arguments, &format!("WRONG: {violation}\n")),
        None => say(arguments, "nothing wrong"),
    }
    run.violation.is_none()
}

/// The reasons that no reading gave.
pub(crate) fn missing_whys(tally: &Tally) -> Vec<&'static str> {
    WHYS.into_iter().filter(|code| !tally.whys.contains_key(code)).collect()
}

/// Sums up many worlds.
pub(crate) fn tally(arguments: &Arguments, tally: &Tally) {
    let violations = tally.failed.len();
    if arguments.json {
        let line = json!({
            "worlds": tally.worlds,
            "violations": violations,
            "per_second": tally.per_second(),
            "readings": tally.readings,
            "proven": tally.proven,
            "requests": tally.requests,
            "whys": tally.whys,
            "failed": tally.failed,
        });
        println!("{line}");
        return;
    }
    for (code, count) in &tally.whys {
        println!("{count:>9} {code}");
    }
    for (seed, check) in tally.failed.iter().take(40) {
        println!("failed: seed {seed}, {check}");
    }
    println!("readings {} proven {} requests {}", tally.readings, tally.proven, tally.requests);
    println!("worlds {} violations {violations} per_second {}", tally.worlds, tally.per_second());
}

/// Says whether a wallet was found wrong; gives whether that is as it should be.
pub(crate) fn net(arguments: &Arguments, variant: &Variant, tally: &Tally, wanted: bool) -> bool {
    let found = tally.failed.iter().next();
    let is_well = found.is_some() == wanted;
    if arguments.json {
        let (seed, check) = found.map_or((None, None), |(seed, check)| (Some(seed), Some(check)));
        let line = json!({
            "variant": variant.name,
            "well": is_well,
            "worlds": tally.worlds,
            "seed": seed,
            "check": check,
        });
        println!("{line}");
        return is_well;
    }
    let verdict = if is_well { "ok   " } else { "WRONG" };
    match found {
        Some((seed, check)) => {
            println!("{verdict} {:20} found in {} worlds (seed {seed}, {check})", variant.name, tally.worlds);
        }
        None => println!("{verdict} {:20} nothing found in {} worlds", variant.name, tally.worlds),
    }
    is_well
}
