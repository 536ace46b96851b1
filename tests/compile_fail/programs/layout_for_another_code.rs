// A caller cannot say which layout a token has: the table finds it by the hash of the proven code.
fn make(state: &saldo_token::ProvenState, token: saldo::Address, owner: saldo::Address) {
    let layout = saldo_token::Layout { code_hash: Default::default(), ..saldo_token::layouts()[0] };
    let _ = saldo_token::VerifiedBalance::from_slot(state, &layout, token, owner);
}

fn main() {
    let _ = make;
}
