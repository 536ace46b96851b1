// Heads come out of a light client alone, and it takes nothing that it does not check.
fn make(client: &mut saldo_beacon::LightClient, update: saldo_beacon::LightClientUpdate) {
    client.apply(update);
}

fn main() {
    let _ = make;
}
