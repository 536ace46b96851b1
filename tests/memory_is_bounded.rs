//! The heap use of verification and of a light client, counted by the allocator.

use std::sync::Arc;

use allocation_counter::{AllocationInfo, measure};
use alloy_primitives::{Address, B256, U256, keccak256};
use saldo_beacon::decode::{self, Encoding};
use saldo_beacon::unit::UnixTime;
use saldo_beacon::{Checkpoint, LightClient, Network};
use saldo_drill::Seed;
use saldo_drill::trie::Trie;
use saldo_proof::eip1186::AccountReply;
use saldo_proof::{Account, Slot, StateRoot, verify_account};

/// The most bytes that a light client with two committees may hold.
const MAX_LIGHT_CLIENT: u64 = 1 << 20;

fn account(storage_root: B256) -> Vec<u8> {
    let hash = |hash: B256| [&[0xa0], hash.as_slice()].concat();
    [&[0xf8, 0x44, 0x01, 0x05][..], &hash(storage_root), &hash(keccak256([]))].concat()
}

/// A trie with this entry among others, with the shape of a large trie.
fn large_trie(key: B256, value: &[u8]) -> Trie {
    let seed = Seed::new(3);
    let mut trie = Trie::default();
    trie.insert(key.as_slice(), value);
    (0..64).for_each(|index| trie.insert(seed.bytes("key", index).as_slice(), value));
    let mut index = 0;
    trie.thicken(key.as_slice(), 7, &mut || {
        index += 1;
        seed.bytes("sibling", index)
    });
    trie
}

#[test]
fn verifying_an_account_and_a_slot_allocates_nothing() {
    let (address, key) = (Address::repeat_byte(7), B256::repeat_byte(9));
    let storage = large_trie(keccak256(key), &[0x2a]);
    let state = large_trie(keccak256(address), &account(storage.root()));
    let (root, proof) = (StateRoot::new(state.root()), state.prove(keccak256(address).as_slice()).unwrap());
    let slot_proof = storage.prove(keccak256(key).as_slice()).unwrap();
    assert_eq!((proof.len(), slot_proof.len()), (8, 8));

    let mut found = None;
    let allocated = measure(|| {
        found = verify_account(root, address, &proof)
            .and_then(|account| account.slot(key, &slot_proof).map(|slot| (account, slot)))
            .ok();
    });
    assert_eq!(allocated, AllocationInfo::default());
    let (account, slot) = found.unwrap();
    assert!(matches!(account.leaf(), Account::Present(state) if state.balance == U256::from(5)));
    assert_eq!(slot.leaf(), &Slot::Present(U256::from(42)));
}

#[test]
fn refusing_a_proof_allocates_nothing() {
    let address = Address::repeat_byte(7);
    let state = large_trie(keccak256(address), &account(B256::ZERO));
    let (root, mut proof) =
        (StateRoot::new(state.root()), state.prove(keccak256(address).as_slice()).unwrap());
    proof.pop();
    let mut refusal = None;
    let allocated = measure(|| refusal = verify_account(root, address, &proof).err());
    assert_eq!(allocated, AllocationInfo::default());
    assert!(refusal.is_some());
}

/// The most heap bytes per byte of a reply while it is parsed.
const MAX_HEAP_PER_BYTE: u64 = 16;

#[test]
fn a_reply_of_many_short_lists_takes_a_bounded_multiple_of_itself() {
    const ZERO: &str = "0x0000000000000000000000000000000000000000000000000000000000000000";
    let entries = vec![r#"{"key":"0","value":"0","proof":["00"]}"#; 6_800].join(",");
    let json = format!(
        r#"{{"address":"0x00000000000000000000000000000000000c0ffe","balance":"0x0","nonce":"0x0","codeHash":"{ZERO}",
            "storageHash":"{ZERO}","accountProof":[],"storageProof":[{entries}]}}"#
    );
    let length = u64::try_from(json.len()).unwrap();
    assert!(length > 256 * 1024);
    let mut slots = 0;
    let allocated =
        measure(|| slots = serde_json::from_str::<AccountReply>(&json).unwrap().storage_proof.len());
    assert_eq!(slots, 6_800);
    assert!(allocated.bytes_max < MAX_HEAP_PER_BYTE * length, "{} for {length}", allocated.bytes_max);
}

#[test]
fn a_light_client_with_two_committees_of_mainnet_stays_under_a_megabyte() {
    let Some(folder) = saldo_tests::vectors("e2e/mainnet-deneb-11034656-60-periods") else { return };
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let scenario: serde_json::Value = serde_json::from_slice(&read("scenario.json")).unwrap();
    let root = scenario["checkpoint"].as_str().unwrap().parse().unwrap();
    let (bootstrap, update) = (read("bootstrap.ssz"), read("update_1347.ssz"));

    let mut client = None;
    let allocated = measure(|| {
        let network = Arc::new(Network::mainnet());
        let bootstrap = decode::bootstrap(&bootstrap, Encoding::Ssz, Some("deneb"), &network).unwrap();
        let update = decode::update(&update, Encoding::Ssz, Some("deneb"), &network).unwrap();
        let now: UnixTime = network.slot_start(update.signature_slot);
        let checkpoint = Checkpoint { root, slot: None };
        let mut started = LightClient::bootstrap(network, checkpoint, bootstrap, now).unwrap();
        assert!(started.advance(update, now).unwrap().next_committee);
        client = Some(started);
    });
    let held = u64::try_from(allocated.bytes_current).unwrap();
    println!(
        "a light client with two committees holds {held} bytes; at most {} while it was made",
        allocated.bytes_max
    );
    // The keys of two committees alone are 49 KB.
    assert!((49_000..MAX_LIGHT_CLIENT).contains(&held), "{held} bytes");
    assert!(allocated.bytes_max < MAX_LIGHT_CLIENT, "{} bytes", allocated.bytes_max);
    assert!(client.unwrap().next_committee_known());
}
