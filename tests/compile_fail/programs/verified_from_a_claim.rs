fn make(state: saldo_proof::AccountState) -> saldo_proof::Verified<saldo_proof::Account> {
    saldo_proof::Verified::from(saldo_proof::Account::Present(state))
}

fn main() {
    let _ = make;
}
