//! Hands a candidate out through the gate, for tests that are not about the gate.

use std::time::Duration;

use saldo_chain::{Chain, Level};
use saldo_reading::gate::{Demand, Present, admit};
use saldo_reading::{Candidate, Generation, Now, Policy, Proven};

/// Hands `candidate` out at the time of its block, to a call that asks for a signed block of any age. Only `chain` is
/// known.
pub fn let_out(candidate: &Candidate, chain: &Chain) -> Proven {
    let now = Now::new(candidate.anchor().timestamp(), None, Duration::from_secs(12));
    let present = Present {
        generation: Generation::FIRST,
        is_faulted: false,
        wrong_chain_id: None,
        chain,
        record: None,
        now,
    };
    let policy = Policy { max_age: Duration::MAX, ..Policy::signed() };
    let demand = Demand { generation: Generation::FIRST, level: Level::Signed, policy };
    admit(candidate, &demand, &present).expect("the chain holds its block")
}
