// Heads come only from a light client, and it accepts only updates that it has verified.
fn make(client: &mut saldo_beacon::LightClient, update: saldo_beacon::LightClientUpdate) {
    client.apply(update);
}

fn main() {
    let _ = make;
}
