// A candidate shows no amount, so only a reading that passed the gate can be shown.
fn show(candidate: &saldo_reading::Candidate) -> String {
    candidate.amount().format(18)
}

fn main() {
    let _ = show;
}
