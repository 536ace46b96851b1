// A proof under a root that is not trusted joins nothing: no anchor can be made from a root.
fn make(root: saldo_proof::StateRoot, account: saldo_proof::Verified<saldo_proof::Account>) {
    let anchor = saldo_chain::Anchor::from(root);
    let first = saldo_reading::Generation::FIRST;
    let provider = saldo::ProviderId::new("me").unwrap();
    let _ = saldo_reading::join(saldo::Holding::native(saldo::NetworkId::new(1), *account.subject()), &account, &anchor, provider, first);
}

fn main() {
    let _ = make;
}
