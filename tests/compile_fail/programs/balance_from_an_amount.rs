// An amount of a token comes from proofs: no balance can be made from a number.
fn make(amount: alloy_primitives::U256) -> saldo_token::VerifiedBalance {
    saldo_token::VerifiedBalance::from(amount)
}

fn main() {
    let _ = make;
}
