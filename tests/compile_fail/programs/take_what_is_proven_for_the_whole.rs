fn show(total: &saldo::Total) -> String {
    let saldo::Sum::Proven(amount) = total.sum();
    amount.format(18)
}

fn main() {
    let _ = show;
}
