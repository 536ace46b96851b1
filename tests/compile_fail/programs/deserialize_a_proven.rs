fn read(text: &str) -> saldo::Proven {
    serde_json::from_str(text).unwrap()
}

fn main() {
    let _ = read;
}
