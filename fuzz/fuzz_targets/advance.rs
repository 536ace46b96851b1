//! Any sequence of objects that a chain signed, genuine or changed, in any order and at any time: a refused update
//! changes nothing, heads never go back, and two thirds signed every head.
#![no_main]

use libfuzzer_sys::fuzz_target;
use saldo_beacon::unit::{Slot, UnixTime};
use saldo_beacon::{AdvanceError, LightClient};
use saldo_fuzz::edit::edit;
use saldo_fuzz::history::{History, assert_sound, histories};
use saldo_fuzz::input::Input;

/// Each step can cost a pairing.
const MOST_STEPS: usize = 6;

fuzz_target!(|input: &[u8]| {
    let mut input = Input::new(input);
    let history = &histories()[usize::from(input.byte()) % histories().len()];
    let mut table = usize::from(input.byte()) % history.tables.len();
    let (checkpoint, bootstrap) = input.choice(&history.bootstraps);
    let Ok(mut client) =
        LightClient::bootstrap(history.tables[table].clone(), *checkpoint, bootstrap.clone(), history.end)
    else {
        return;
    };
    let mut before = slots(&client);
    for _ in 0..MOST_STEPS {
        if input.is_empty() {
            break;
        }
        step(&mut client, history, &mut table, &mut input);
        let after = slots(&client);
        assert!(after.0 >= before.0 && after.1 >= before.1, "went back from {before:?} to {after:?}");
        before = after;
    }
    assert_sound(&client, history, history.end);
});

fn slots(client: &LightClient) -> (Slot, Option<Slot>) {
    (client.finalized_head().slot(), client.signed_head().map(|head| head.slot()))
}

/// Takes one step. Newer tables have lower numbers, and an older table is never adopted after a newer one.
fn step(client: &mut LightClient, history: &History, table: &mut usize, input: &mut Input<'_>) {
    match input.byte() % 10 {
        0 => {
            let now = time(history, input);
            let stood = client.finalized_head().slot();
            if let Some(advanced) = client.force_update(now) {
                assert_eq!(advanced.finalized, client.finalized_head().slot() > stood);
            }
        }
        1 => {
            *client =
                LightClient::load(&client.snapshot(), client.network().clone(), history.end).expect("loads")
        }
        2 => {
            let newer = input.index() % (*table + 1);
            match client.adopt(history.tables[newer].clone()) {
                Ok(()) => *table = newer,
                Err(refusal) => panic!("a newer table: {refusal}"),
            }
        }
        3 => advance(client, history, input, history.end, 2),
        4 => {
            let now = time(history, input);
            advance(client, history, input, now, 0);
        }
        5 => advance(client, history, input, history.end, 1),
        _ => advance(client, history, input, history.end, 0),
    }
}

fn time(history: &History, input: &mut Input<'_>) -> UnixTime {
    let network = &history.tables[0];
    network.slot_start(Slot::new(u64::try_from(input.index()).expect("two bytes")))
}

fn advance(client: &mut LightClient, history: &History, input: &mut Input<'_>, now: UnixTime, edits: usize) {
    let mut update = input.choice(&history.updates).clone();
    for _ in 0..edits {
        edit(&mut update, input, &history.updates);
    }
    let (before, stopped) = (client.snapshot(), client.consensus_fault().cloned());
    let stood = slots(client);
    match client.advance(update, now) {
        Ok(advanced) => {
            assert!(stopped.is_none(), "the client had stopped");
            let (finalized, signed) = slots(client);
            assert_eq!((advanced.finalized, advanced.signed), (finalized > stood.0, signed != stood.1));
        }
        Err(AdvanceError::ConsensusFault(fault)) => {
            assert!(stopped.is_none_or(|stopped| stopped == fault));
            assert_eq!(client.consensus_fault(), Some(&fault));
        }
        Err(refusal) => {
            assert!(client.snapshot() == before, "a refused update changed the client: {refusal}")
        }
    }
}
