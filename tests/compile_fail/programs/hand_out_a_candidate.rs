// What was joined is no reading: it may have stopped being true. Only the gate makes one of it.
fn hand_out(candidate: saldo_reading::Candidate) -> saldo::Reading {
    saldo::Reading::Proven(candidate)
}

fn main() {
    let _ = hand_out;
}
