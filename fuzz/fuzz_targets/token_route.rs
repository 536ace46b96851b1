//! Any contracts, of which any part is proven: no panic. A balance rests on proofs alone, and what is asked for is not proven yet. When
//! all of it is proven, there is an answer, and it is that of a plain second reading.
#![no_main]

use libfuzzer_sys::fuzz_target;
use saldo_fuzz::input::Input;
use saldo_fuzz::token::{OWNER, TOKEN, World};
use saldo_token::{Obstacle, VerifiedBalance};

/// The account, the code, the pointer, the beacon, its pointer, the implementation, the word.
const MOST_ROUNDS: usize = 8;

fuzz_target!(|input: &[u8]| {
    let mut input = Input::new(input);
    let world = World::read(&mut input);
    let mut known = world.nothing();
    // A part that no question led to.
    while !input.is_empty() {
        known.add_any(&world, &mut input);
        check(&world, &known);
    }
    for _ in 0..MOST_ROUNDS {
        match check(&world, &known) {
            Some(query) if known.add(&world, &query) => {}
            _ => return,
        }
    }
    panic!("there is no answer after {MOST_ROUNDS} rounds");
});

/// Checks the answer by what is known. Returns what is missing.
fn check(world: &World, known: &saldo_fuzz::token::Known) -> Option<saldo_token::Query> {
    match VerifiedBalance::from_slot(&known.state, TOKEN, OWNER) {
        Ok(balance) => {
            assert_eq!((balance.token(), balance.owner()), (TOKEN, OWNER));
            assert_eq!(balance.state_root(), known.state.root());
            assert_eq!(Some((balance.amount(), balance.is_blocked())), world.balance());
            known.holds_all_of(&balance);
            None
        }
        Err(Obstacle::Missing(query)) => {
            assert!(!query.is_empty());
            assert!(known.lacks_all_of(world, &query), "{query:?} is known already");
            Some(query)
        }
        Err(_) => {
            assert_eq!(world.balance(), None);
            None
        }
    }
}
