fn main() {
    let _ = saldo_reading::Amount::new(alloy_primitives::U256::ZERO);
}
