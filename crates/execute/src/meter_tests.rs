use alloy_primitives::{Bytes, U256};
use revm::bytecode::opcode as op;

use super::*;
use crate::refusal::Refusal;
use crate::run::Output;
use crate::world::{TOKEN, World, call_of, returning};

fn run(world: &World, meter: &mut Meter) -> Result<Output, Refusal> {
    world.run_within(Bytes::new(), meter).outcome
}

/// How many runs with one meter end by themselves.
fn runs(world: &World) -> usize {
    let mut meter = Meter::default();
    let ends = |_: &usize| match run(world, &mut meter) {
        Ok(_) => false,
        Err(Refusal::Bound(Bound::Together)) => true,
        Err(other) => panic!("{other}"),
    };
    (0..1_000).find(ends).expect("what runs cost is counted")
}

/// Code of as many instructions, the last of which is `STOP`.
fn of_steps(steps: u64) -> World {
    let mut code = vec![op::JUMPDEST; usize::try_from(steps).unwrap()];
    code.pop();
    World::of(&code)
}

/// Code whose instructions cost about as much gas: each reading of a slot that was read before costs 104.
fn of_work(work: u64) -> World {
    let readings = work.saturating_sub(2_000).checked_div(104).unwrap();
    let code = [op::PUSH0, op::SLOAD, op::POP].repeat(usize::try_from(readings).unwrap());
    World::of(&code).storing(TOKEN, 0, 1)
}

#[test]
fn instructions_are_counted_over_all_runs() {
    assert_eq!(runs(&of_steps(STEPS)), 2);
    assert_eq!(runs(&of_steps(STEPS / 10)), 20);
    assert_eq!(runs(&of_steps(STEPS / 10 + 1)), 19);
}

#[test]
fn work_is_counted_over_all_runs() {
    assert_eq!(runs(&of_work(WORK)), 2);
    assert_eq!(runs(&of_work(WORK / 10)), 20);
    assert_eq!(runs(&of_work(WORK / 10 + 1_000)), 19);
}

/// A recovery of a key costs 3,000.
#[test]
fn precompiled_contracts_are_counted_over_all_runs() {
    let recovery = [&call_of(1, &[op::GAS])[..], &[op::POP]].concat();
    let with = |count: usize| {
        let first = alloy_primitives::Address::with_last_byte(1);
        World::of(&recovery.repeat(count)).without_account(first)
    };
    assert_eq!(runs(&with(50)), 2);
    assert_eq!(runs(&with(5)), 20);
    assert_eq!(runs(&with(6)), 16);
}

/// A run that is given up counts too: a token could read one thing more in each round.
#[test]
fn a_run_that_lacks_a_proof_is_counted() {
    let mut code = vec![op::JUMPDEST; usize::try_from(STEPS / 4).unwrap()];
    code.extend(returning(&[op::PUSH1, 9, op::SLOAD]));
    let (lacks, world) = (World::of(&code), World::of(&code).storing(TOKEN, 9, 5));
    let mut meter = Meter::default();
    for _ in 0..7 {
        assert!(matches!(run(&lacks, &mut meter), Err(Refusal::Missing(_))));
    }
    assert!(!meter.is_over());
    assert_eq!(run(&world, &mut meter), Err(Bound::Together.into()));
    assert!(meter.is_over());
    let word = U256::from(5).to_be_bytes::<32>();
    assert_eq!(run(&world, &mut Meter::default()), Ok(Output::Returned(word.into())));
}

#[test]
fn a_meter_can_be_of_more_runs() {
    let mut meter = Meter::of_runs(3);
    assert_eq!(Meter::of_runs(RUNS), Meter::default());
    let ends = |meter: &mut Meter| run(&of_steps(STEPS), meter).is_ok();
    assert_eq!([(); 4].map(|()| ends(&mut meter)), [true, true, true, false]);
}

/// With enough left, the reason is that of the one run.
#[test]
fn a_single_run_has_its_own_bound() {
    let mut meter = Meter::default();
    assert_eq!(run(&of_steps(STEPS + 1), &mut meter), Err(Bound::Steps.into()));
    assert!(!meter.is_over());
    assert_eq!(run(&of_work(WORK + 3_000), &mut Meter::default()), Err(Bound::Work.into()));
    // What is left is less than one run may take.
    assert_eq!(run(&of_steps(STEPS), &mut meter), Err(Bound::Together.into()));
}
