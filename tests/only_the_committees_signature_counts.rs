//! A head counts only if the right committee signed it, for this network, in this period.

use alloy_primitives::{B256, FixedBytes};
use saldo_beacon::signature::SignatureError;
use saldo_beacon::unit::{Period, Slot};
use saldo_beacon::{AdvanceError, BootstrapError, Fault, LightClient, LightClientUpdate, Network};
use saldo_tests::beacon::{Forge, MINIMAL_FULU, PERIOD};

fn refusal(client: &mut LightClient, forge: &Forge, update: LightClientUpdate) -> SignatureError {
    let before = format!("{client:?}");
    let now = forge.now(update.attested_slot().get());
    let refusal = client.advance(update, now).unwrap_err();
    assert_eq!(refusal.fault(), Fault::Source);
    assert_eq!(format!("{client:?}"), before);
    match refusal {
        AdvanceError::Signature(error) => error,
        other => panic!("{other}"),
    }
}

fn other_network() -> Forge {
    let toml = MINIMAL_FULU.replace(&"11".repeat(32), &"22".repeat(32));
    Forge { network: Network::from_toml(&toml).unwrap(), seed: 1 }
}

#[test]
fn a_head_of_another_network_is_refused() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    let update = other_network().optimistic(20);
    assert_eq!(update.attested_header, forge.optimistic(20).attested_header, "only the domain differs");
    assert_eq!(refusal(&mut client, &forge, update), SignatureError::Mismatch);
}

#[test]
fn a_bootstrap_of_another_network_is_refused() {
    let forge = Forge::default();
    let (checkpoint, _) = forge.bootstrap(8);
    let (other, bootstrap) = Forge { seed: 2, ..forge.clone() }.bootstrap(8);
    let result = LightClient::bootstrap(forge.network.clone(), checkpoint, bootstrap, forge.now(8));
    let expected = BootstrapError::WrongRoot { got: other.root, expected: checkpoint.root };
    assert_eq!(result.unwrap_err(), expected);
}

#[test]
fn another_committee_is_refused() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    let mut update = forge.optimistic(20);
    Forge { seed: 2, ..forge.clone() }.sign(&mut update, 32);
    assert_eq!(refusal(&mut client, &forge, update), SignatureError::Mismatch);
}

#[test]
fn the_committee_of_the_last_period_is_refused() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    client.advance(forge.update(20, 16), forge.now(20)).unwrap();
    let mut update = forge.optimistic(PERIOD + 4);
    forge.sign_as(&mut update, Period::new(0), 32);
    assert_eq!(refusal(&mut client, &forge, update.clone()), SignatureError::Mismatch);
    forge.sign_as(&mut update, Period::new(1), 32);
    client.advance(update, forge.now(PERIOD + 4)).unwrap();
    assert_eq!(client.signed_head().unwrap().slot(), Slot::new(PERIOD + 4));
}

#[test]
fn a_signature_over_another_header_is_refused() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    let genuine = forge.optimistic(20);
    for change in 0..4 {
        let mut update = genuine.clone();
        let beacon = &mut update.attested_header.beacon;
        match change {
            0 => beacon.proposer_index += 1,
            1 => beacon.parent_root = B256::repeat_byte(1),
            2 => beacon.state_root = B256::repeat_byte(1),
            _ => beacon.slot = Slot::new(19),
        }
        assert_eq!(refusal(&mut client, &forge, update), SignatureError::Mismatch);
    }
    client.advance(genuine, forge.now(20)).unwrap();
}

#[test]
fn points_that_verify_anything_are_refused() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    let mut update = forge.optimistic(20);
    let mut infinity = FixedBytes::<96>::ZERO;
    infinity[0] = 0xc0;
    update.sync_aggregate.signature = infinity;
    assert_eq!(refusal(&mut client, &forge, update.clone()), SignatureError::SignatureAtInfinity);
    // A point of the curve outside the subgroup: x = 2, found by trying.
    let mut outside = FixedBytes::<96>::ZERO;
    outside[0] = 0x80;
    let found = (1..=u8::MAX).find_map(|x| {
        outside[95] = x;
        update.sync_aggregate.signature = outside;
        let refusal = refusal(&mut client, &forge, update.clone());
        (refusal != SignatureError::MalformedSignature).then_some(refusal)
    });
    assert_eq!(found, Some(SignatureError::SignatureOutsideSubgroup));
    update.sync_aggregate.signature = FixedBytes::ZERO;
    assert_eq!(refusal(&mut client, &forge, update), SignatureError::MalformedSignature);
}

/// Here the committee itself is hostile: it comes from our checkpoint. Keys whose sum is zero would accept any
/// signature.
#[test]
fn keys_that_add_up_to_nothing_are_refused() {
    let forge = Forge::default();
    let mut committee = forge.committee(Period::new(0));
    committee.aggregate_pubkey = FixedBytes::ZERO;
    committee.aggregate_pubkey[0] = 0xc0;
    let block = forge.block_with(8, None, &committee, &committee);
    let (mut checkpoint, mut bootstrap) = forge.bootstrap(8);
    checkpoint.root = block.header.beacon.hash_tree_root();
    bootstrap.header = block.header;
    bootstrap.current_sync_committee = committee;
    bootstrap.current_sync_committee_branch = block.state.branch(86);
    let mut client =
        LightClient::bootstrap(forge.network.clone(), checkpoint, bootstrap, forge.now(8)).unwrap();
    let update = forge.optimistic(20);
    assert_eq!(refusal(&mut client, &forge, update), SignatureError::KeyAtInfinity);
}

/// An update with the newest head's signature is not verified a second time. But the signature proves nothing else
/// than what was signed.
#[test]
fn a_signature_that_was_checked_counts_for_nothing_else() {
    let forge = Forge::default();
    let finality = forge.update(20, 16);
    let optimistic = LightClientUpdate { finality: None, next_sync_committee: None, ..finality.clone() };
    let mut client = forge.client(8);
    assert!(client.advance(optimistic, forge.now(20)).unwrap().signed);

    let other_head =
        LightClientUpdate { sync_aggregate: finality.sync_aggregate.clone(), ..forge.update(21, 16) };
    assert_eq!(refusal(&mut client, &forge, other_head), SignatureError::Mismatch);

    let mut fewer = finality.clone();
    fewer.sync_aggregate.bits[0] ^= 1;
    assert_eq!(refusal(&mut client, &forge, fewer), SignatureError::Mismatch);

    let mut other_signature = finality.clone();
    other_signature.sync_aggregate.signature = forge.optimistic(22).sync_aggregate.signature;
    assert_eq!(refusal(&mut client, &forge, other_signature), SignatureError::Mismatch);

    // The next committee did not sign this update, although everything else is the same.
    let mut of_next_period = finality.clone();
    let moved = client.advance(finality, forge.now(20)).unwrap();
    assert!(moved.finalized && !moved.signed && moved.next_committee);
    of_next_period.signature_slot = Slot::new(PERIOD + 1);
    assert_eq!(refusal(&mut client, &forge, of_next_period), SignatureError::Mismatch);
}
