fn show(reading: saldo::Reading) -> saldo::Amount {
    reading.proven().map(|proven| proven.amount()).unwrap_or_default()
}

fn main() {
    let _ = show;
}
