// A proven slot alone says nothing about a token: only the token's code gives it a meaning.
fn make(slot: saldo_proof::Verified<saldo_proof::Slot>, holding: saldo::Holding, anchor: &saldo::Anchor, provider: saldo::ProviderId) {
    let first = saldo_reading::Generation::FIRST;
    let _ = saldo_reading::join_token(holding, std::sync::Arc::new(slot), anchor, provider, first);
}

fn main() {
    let _ = make;
}
