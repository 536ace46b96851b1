fn main() {
    let _ = saldo::Amount::default();
}
