// A joined candidate is not a reading, because it may no longer be true. Only the gate makes a reading of it.
fn hand_out(candidate: saldo_reading::Candidate) -> saldo::Reading {
    saldo::Reading::Proven(candidate)
}

fn main() {
    let _ = hand_out;
}
