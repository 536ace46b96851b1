fn main() {
    let _ = saldo::Amount::from(0_u64);
}
