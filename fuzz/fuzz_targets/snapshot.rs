//! Any bytes as a stored light client, mostly with a correct checksum: no panic, bounded work, a client that loads is
//! written back to the same bytes, two thirds signed its heads, and it can take further updates.
#![no_main]

use libfuzzer_sys::fuzz_target;
use saldo_beacon::LightClient;
use saldo_fuzz::stored::Stored;

fuzz_target!(|input: &[u8]| {
    let Stored { history, network, bytes } = Stored::of(input);
    let Ok(mut client) = LightClient::load(&bytes, network.clone(), history.end) else { return };
    assert!(client.snapshot() == bytes, "written back to other bytes");
    let finalized = client.finalized_head().slot();
    if let Some(head) = client.signed_head() {
        assert!(head.signers() * 3 >= head.committee_size() * 2, "{head:?}");
        assert!(head.slot() >= finalized && head.signature_slot() > head.slot(), "{head:?}");
    }
    let stopped = client.consensus_fault().cloned();
    if let Some(update) = history.updates.last() {
        let advanced = client.advance(update.clone(), history.end);
        assert!(stopped.is_none() || advanced.is_err(), "storing and loading must keep a fault");
    }
    let _ = (client.force_update(history.end), client.wants(history.end));
    assert!(client.finalized_head().slot() >= finalized);
});
