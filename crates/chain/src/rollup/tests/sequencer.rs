//! Messages that a real sequencer signed, and ones that it did not.

use crate::ExecutionHeader;
use alloy_primitives::{Address, B256, U256, hex};
use serde_json::Value;

use super::base::{self, world};
use super::vectors::{address, captured, hash};
use crate::rollup::{Contract, EnvelopeError, Refusal, verify_envelope};

const CHAIN: u64 = 31_338;

struct Message {
    bytes: Vec<u8>,
    header: ExecutionHeader,
}

fn messages() -> (Vec<Message>, Address) {
    let file = captured("gossip.json");
    let message = |message: &Value| {
        let part = |name: &str| hex::decode(message[name].as_str().unwrap()).unwrap();
        let bytes = [part("signature"), part("parentBeaconBlockRoot"), part("payload")].concat();
        // What travels on the network is this, compressed.
        assert_eq!(snap::raw::Decoder::new().decompress_vec(&part("compressed")).unwrap(), bytes);
        let header = message["header"].to_string();
        let header = ExecutionHeader::from_json(header.as_bytes(), hash(message, "/header/hash")).unwrap();
        Message { bytes, header }
    };
    let messages: Vec<_> = file["messages"].as_array().unwrap().iter().map(message).collect();
    assert_eq!((messages.len(), file["chainId"].as_u64()), (3, Some(CHAIN)));
    (messages, address(&file, "/signer"))
}

#[test]
fn real_messages_are_the_sequencers() {
    let (messages, signer) = messages();
    for Message { bytes, header } in messages {
        let signed = verify_envelope(&bytes, CHAIN, signer).unwrap();
        assert_eq!((signed.chain_id(), signed.signer()), (CHAIN, signer));
        assert_eq!((signed.number(), signed.hash()), (header.number(), header.hash()));
        assert_eq!(signed.timestamp(), header.timestamp());
        assert!(signed.is_about(&header));
    }
}

#[test]
fn a_message_is_of_its_own_block_alone() {
    let (messages, signer) = messages();
    let signed = verify_envelope(&messages[0].bytes, CHAIN, signer).unwrap();
    assert!(!signed.is_about(&messages[1].header));
}

/// A message of one rollup is none of another.
#[test]
fn another_signer_or_rollup_is_refused() {
    let (messages, signer) = messages();
    let bytes = &messages[0].bytes;
    let other = Address::repeat_byte(1);
    let refusal = verify_envelope(bytes, CHAIN, other).unwrap_err();
    assert_eq!(refusal, EnvelopeError::OtherSigner { got: signer, expected: other });
    let refusal = verify_envelope(bytes, CHAIN + 1, signer).unwrap_err();
    assert!(matches!(refusal, EnvelopeError::OtherSigner { expected, .. } if expected == signer));
}

#[test]
fn a_changed_message_is_refused() {
    let (messages, signer) = messages();
    let bytes = &messages[0].bytes;
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let refusal = verify_envelope(&changed, CHAIN, signer).unwrap_err();
        let is_named = match refusal {
            EnvelopeError::OtherSigner { expected, .. } => expected == signer,
            EnvelopeError::Malformed => (533..537).contains(&at),
            EnvelopeError::Signature => at < 65,
            EnvelopeError::TooLarge { .. } => false,
        };
        assert!(is_named, "byte {at}: {refusal}");
    }
    for length in [0, 64, 65, 96, 97, 656] {
        let refusal = verify_envelope(&bytes[..length], CHAIN, signer);
        assert_eq!(refusal, Err(EnvelopeError::Malformed), "{length} bytes");
    }
    let mut parity = bytes.clone();
    parity[64] += 27;
    assert_eq!(verify_envelope(&parity, CHAIN, signer), Err(EnvelopeError::Signature));
    let huge = vec![0; (10 << 20) + 1];
    let refusal = EnvelopeError::TooLarge { got: huge.len() };
    assert_eq!(verify_envelope(&huge, CHAIN, signer), Err(refusal));
}

/// The key that counts is the one that L1 names.
#[test]
fn the_sequencers_key_is_read_from_l1() {
    let (_, signer) = messages();
    let file = captured("games.json");
    let named = "0x65a7ed542fb37fe237fdfbdd70b31598523fe5b32879e307bae27a0bd9581c08";
    assert_eq!(file["system configuration"][named], format!("{signer:#x}"));
    let key: B256 = named.parse().unwrap();
    let with = |word: U256| {
        let mut world = world();
        let system_config = base::profile("").system_config().unwrap();
        world.set(system_config, key, word);
        world.read(|l1| l1.sequencer())
    };
    assert_eq!(with(signer.into_word().into()), Ok(Some(signer)));
    let layout = Refusal::Layout { contract: Contract::SystemConfig };
    assert_eq!(with(U256::ZERO), Err(layout.clone()));
    assert_eq!(with(U256::MAX), Err(layout));
}
