fn together(proven: saldo::Amount, remembered: saldo::Amount) -> saldo::Amount {
    proven + remembered
}

fn main() {
    let _ = together;
}
