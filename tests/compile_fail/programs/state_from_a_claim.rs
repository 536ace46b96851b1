// Only what was verified enters the state from which balances are read.
fn make(state: &mut saldo_token::ProvenState, word: alloy_primitives::U256) {
    let _ = state.add_slot(&saldo_proof::Slot::Present(word));
}

fn main() {
    let _ = make;
}
