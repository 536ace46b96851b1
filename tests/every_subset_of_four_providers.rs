//! Promise 4, exhaustively: of up to four providers any subset is honest, and the others all have the same fault.

use std::collections::BTreeMap;

use saldo_beacon::Fork;
use saldo_worlds::{Behaviour, Bounds, Party, Step, Story, Variant, Wants, World, play};

/// Every fault of a single read, and the reason if all providers have it.
const FAULTS: [(Behaviour, &str); 38] = [
    (Behaviour::Refuse, "all_unreachable"),
    (Behaviour::Hang, "all_unreachable"),
    (Behaviour::Unresolvable, "all_unreachable"),
    (Behaviour::BadCertificate, "all_unreachable"),
    (Behaviour::Trickle(1), "all_unreachable"),
    (Behaviour::Reset(20), "all_unreachable"),
    (Behaviour::Status(500), "providers_failing"),
    (Behaviour::Status(503), "providers_failing"),
    (Behaviour::Redirect, "moved"),
    (Behaviour::Huge, "all_unreachable"),
    (Behaviour::RateLimited(Some(30)), "rate_limited"),
    (Behaviour::RateLimited(None), "rate_limited"),
    (Behaviour::QuotaExhausted, "quota_exhausted"),
    (Behaviour::Forbidden, "denied"),
    (Behaviour::NoProofs, "nobody_serves_proofs"),
    (Behaviour::HeaderNotFound, "providers_behind"),
    (Behaviour::InternalError, "providers_failing"),
    (Behaviour::OtherChain, "wrong_chain"),
    (Behaviour::Html, "log_in_page"),
    (Behaviour::Truncated, "providers_failing"),
    (Behaviour::Empty, "providers_failing"),
    (Behaviour::Null, "providers_failing"),
    (Behaviour::BareZero, "providers_failing"),
    (Behaviour::WrongId, "providers_failing"),
    (Behaviour::ListForSingle, "providers_failing"),
    (Behaviour::StaleBlock(30), "proofs_refused"),
    (Behaviour::TruncatedProof(0), "proofs_refused"),
    (Behaviour::TruncatedProof(1), "proofs_refused"),
    (Behaviour::ExtraNodes, "proofs_refused"),
    (Behaviour::FlippedBit, "proofs_refused"),
    (Behaviour::OtherAccount, "proofs_refused"),
    (Behaviour::OtherAccountEchoed, "proofs_refused"),
    (Behaviour::InventedZero, "proofs_refused"),
    (Behaviour::InventedRiches, "proofs_refused"),
    // Genuine proofs of blocks that are not signed yet, or that were signed too early.
    (Behaviour::TipOnly, "unsigned_tip"),
    (Behaviour::Lagging(10), "providers_behind"),
    (Behaviour::Lagging(1_000), "providers_behind"),
    (Behaviour::StaleBlock(5), "proofs_refused"),
];

fn story() -> Story {
    Story {
        seed: 5,
        fork: Fork::Fulu,
        next_fork: None,
        tip_lead: 1,
        history: 48,
        slots: 2,
        events: Vec::new(),
        stretch: None,
        twin: None,
    }
}

/// `honest` has one bit per provider.
fn providers(many: usize, honest: usize, fault: Behaviour) -> Vec<Party> {
    let of = |index: usize| if honest >> index & 1 == 1 { Behaviour::Honest } else { fault };
    (0..many)
        .map(|index| Party { operator: u64::try_from(index).unwrap(), ..Party::always(of(index)) })
        .collect()
}

/// Reads once. Returns the reason, or `None` if the amount was proven.
#[track_caller]
fn read(world: &World) -> Option<&'static str> {
    let run = play(world, &Variant::REAL, Bounds::USUAL, false);
    assert_eq!(run.violation, None, "{world:#?}");
    assert_eq!(run.readings, 1);
    match run.proven {
        1 => None,
        _ => Some(run.whys.into_keys().next().expect("a reason is given")),
    }
}

/// Runs all `cases` on two threads.
fn on_two_threads(cases: &[(Behaviour, &'static str)], test: impl Fn(Behaviour, &'static str) + Sync) {
    let (test, half) = (&test, cases.len().div_ceil(2));
    std::thread::scope(|scope| {
        for some in cases.chunks(half) {
            scope.spawn(move || some.iter().for_each(|(fault, code)| test(*fault, code)));
        }
    });
}

#[test]
fn proven_if_and_only_if_one_is_honest() {
    on_two_threads(&FAULTS, |fault, code| {
        for many in 1..=4_usize {
            for honest in 0..1_usize << many {
                let source = vec![Party::always(Behaviour::Honest)];
                let world = World::of_one_read(story(), providers(many, honest, fault), source);
                let expected = if honest == 0 { Some(code) } else { None };
                assert_eq!(read(&world), expected, "{fault:?}, {many} providers, {honest:b} honest");
            }
        }
    });
}

/// Two operators may see the address as long as one of them proves it. The others are asked because neither does.
#[test]
fn the_others_are_asked_if_the_first_two_prove_nothing() {
    on_two_threads(&FAULTS, |fault, code| {
        for honest in 0..16_usize {
            let source = vec![Party::always(Behaviour::Honest)];
            let mut world = World::of_one_read(story(), providers(4, honest, fault), source);
            world.wants = Wants { operators: 2, ..Wants::USUAL };
            let expected = if honest == 0 { Some(code) } else { None };
            assert_eq!(read(&world), expected, "{fault:?}, {honest:b} honest");
        }
    });
}

/// Any subset of up to three beacon sources is honest. If none is, but the checkpoint's bootstrap is served, proofs
/// under its block count as long as it is young enough.
#[test]
fn proven_if_one_source_is_honest() {
    let cases: Vec<(Behaviour, &'static str)> =
        Behaviour::FAILURES.iter().chain(&Behaviour::OF_SOURCES).map(|fault| (*fault, "")).collect();
    on_two_threads(&cases, |fault, _| {
        let serves_nothing = Behaviour::FAILURES.contains(&fault)
            || matches!(fault, Behaviour::NoBootstrap | Behaviour::NoRoute);
        for many in 1..=3_usize {
            for honest in 0..1_usize << many {
                let provider = vec![Party::always(Behaviour::Honest)];
                let world = World::of_one_read(story(), provider, providers(many, honest, fault));
                let is_proven = read(&world).is_none();
                assert!(is_proven || honest == 0, "{fault:?}, {many} sources, {honest:b} honest");
                assert!(
                    !is_proven || honest != 0 || !serves_nothing,
                    "{fault:?}: with none of {many} sources"
                );
            }
        }
    });
}

/// Limits, odd errors for a moment, other letter case, missing claims and wrong labels are no fault: such a provider or source, alone,
/// leads to a proof of everything that is asked for.
#[test]
fn every_good_provider_and_every_good_source_alone_leads_to_proofs() {
    let of_providers = Behaviour::GOOD_PROVIDERS.map(|good| (good, Behaviour::Honest));
    let of_sources = Behaviour::GOOD_SOURCES.map(|good| (Behaviour::Honest, good));
    let pairs: Vec<_> = of_providers.into_iter().chain(of_sources).collect();
    for fork in [Fork::Capella, Fork::Fulu] {
        for (provider, source) in &pairs {
            let story = Story { fork, ..story() };
            let (providers, sources) = (vec![Party::always(*provider)], vec![Party::always(*source)]);
            let mut world = World::of_one_read(story, providers, sources);
            world.wants.deadline = 20_000;
            // The coin of all accounts, and tokens, at first and later.
            world.steps =
                vec![Step::Read(vec![0, 1, 2, 3, 4, 5]), Step::Pass(12_000), Step::Read(vec![0, 1, 2])];
            let run = play(&world, &Variant::REAL, Bounds::USUAL, false);
            assert_eq!(run.violation, None, "{fork:?} {provider:?} {source:?}");
            assert_eq!((run.proven, run.whys), (9, BTreeMap::new()), "{fork:?} {provider:?} {source:?}");
        }
    }
}
