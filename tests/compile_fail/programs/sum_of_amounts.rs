fn total(amounts: Vec<saldo::Amount>) -> saldo::Amount {
    amounts.into_iter().sum()
}

fn main() {
    let _ = total;
}
