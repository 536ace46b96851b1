fn make(holding: saldo::Holding, amount: saldo::Amount, anchor: saldo::Anchor, provider: saldo::ProviderId) -> saldo::Proven {
    saldo::Proven { holding, amount, nonce: None, anchor, provider, attempts: std::sync::Arc::new([]) }
}

fn main() {
    let _ = make;
}
