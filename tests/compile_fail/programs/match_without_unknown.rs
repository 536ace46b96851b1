fn show(reading: saldo::Reading) -> String {
    match reading {
        saldo::Reading::Proven(proven) => proven.amount().format(18),
        saldo::Reading::Provisional(_) => "…".to_owned(),
    }
}

fn main() {
    let _ = show;
}
