//! Any input gives an update or a refusal; and an update with any byte changed gives no head.

use saldo_beacon::decode::{
    self, DecodeError, Encoding, MAX_LIST_BYTES, MAX_OBJECT_BYTES, MAX_UPDATES, SszError,
};
use saldo_beacon::{AdvanceError, Fault, LightClientUpdate};
use saldo_tests::beacon::Node;

/// The fixed part of a Fulu finality update with the minimal preset: two offsets, branch, bits and signature, slot.
const FIXED: usize = 4 + 4 + 7 * 32 + 4 + 96 + 8;
/// The position of the signature slot, which the committee does not sign.
const SIGNATURE_SLOT: std::ops::Range<usize> = FIXED - 8..FIXED;
/// From the start of a header: the beacon header, the offset, the branch, and the execution header's fixed part.
const EXECUTION: usize = 112 + 4 + 4 * 32;
const EXECUTION_FIXED: usize = 584;

fn node() -> Node {
    Node::captured("pyspec-ethrex-fulu")
}

fn finality(node: &Node, bytes: &[u8]) -> Result<LightClientUpdate, DecodeError> {
    decode::finality_update(bytes, Encoding::Ssz, None, &node.network)
}

fn refusal(node: &Node, bytes: &[u8]) -> SszError {
    let refusal = finality(node, bytes).unwrap_err();
    assert_eq!(refusal.fault(), Fault::Source);
    match refusal {
        DecodeError::Ssz(error) => error,
        other => panic!("{other}"),
    }
}

fn with(genuine: &[u8], position: usize, bytes: &[u8]) -> Vec<u8> {
    let mut changed = genuine.to_vec();
    changed[position..position + bytes.len()].copy_from_slice(bytes);
    changed
}

fn read_offset(bytes: &[u8], position: usize) -> usize {
    usize::try_from(u32::from_le_bytes(bytes[position..position + 4].try_into().unwrap())).unwrap()
}

fn offset(value: usize) -> [u8; 4] {
    u32::try_from(value).unwrap().to_le_bytes()
}

#[test]
fn offsets_must_point_to_the_end_of_the_fixed_part() {
    let node = node();
    let genuine = node.answer("finality_update.ssz");
    assert_eq!(read_offset(&genuine, 0), FIXED);
    // The first offset also shows the fork; no fork has this offset.
    let refused = refusal(&node, &with(&genuine, 0, &offset(FIXED + 1)));
    assert!(matches!(refused, SszError::Offset { got, .. } if got == FIXED + 1), "{refused}");
    let refused = refusal(&node, &with(&genuine, 0, &[0xff; 4]));
    assert!(matches!(refused, SszError::Offset { got: 0xffff_ffff, .. }), "{refused}");
    // The offset of the finalized header.
    for got in [0, FIXED - 1] {
        let refused = refusal(&node, &with(&genuine, 4, &offset(got)));
        assert_eq!(refused, SszError::Offset { got, expected: FIXED });
    }
    let refused = refusal(&node, &with(&genuine, 4, &[0xff; 4]));
    assert_eq!(refused, SszError::Offset { got: 0xffff_ffff, expected: genuine.len() });
    // The offset of the execution header within the attested header, and the offset of its extra data.
    let refused = refusal(&node, &with(&genuine, FIXED + 112, &offset(EXECUTION + 1)));
    assert_eq!(refused, SszError::Offset { got: EXECUTION + 1, expected: EXECUTION });
    let extra = FIXED + EXECUTION + 32 + 20 + 32 + 32 + 256 + 32 + 4 * 8;
    assert_eq!(read_offset(&genuine, extra), EXECUTION_FIXED);
    for got in [0, EXECUTION_FIXED - 1, EXECUTION_FIXED + 1] {
        let refused = refusal(&node, &with(&genuine, extra, &offset(got)));
        assert_eq!(refused, SszError::Offset { got, expected: EXECUTION_FIXED });
    }
}

#[test]
fn extra_data_is_at_most_32_bytes() {
    let node = node();
    let genuine = node.answer("finality_update.ssz");
    let longer = |bytes: usize| [genuine.as_slice(), &vec![0; bytes]].concat();
    let length = finality(&node, &genuine)
        .unwrap()
        .finalized_header()
        .unwrap()
        .execution
        .header()
        .unwrap()
        .extra_data
        .len();
    assert!(finality(&node, &longer(32 - length)).is_ok());
    assert_eq!(refusal(&node, &longer(33 - length)), SszError::TooLong { got: 33, limit: 32 });
    assert_eq!(refusal(&node, &longer(1000)), SszError::TooLong { got: length + 1000, limit: 32 });
}

/// The last bytes are extra data, so a few bytes less or more still decode; but then the execution header is another
/// one.
#[test]
fn every_other_length_gives_no_head() {
    let node = node();
    let genuine = node.answer("finality_update.ssz");
    let mut client = node.client();
    let before = format!("{client:?}");
    for length in (0..genuine.len()).chain(genuine.len() + 1..genuine.len() + 64) {
        let mut bytes = genuine.clone();
        bytes.resize(length, 0);
        match finality(&node, &bytes) {
            Err(error) => assert!(matches!(error, DecodeError::Ssz(_)), "{length}: {error}"),
            Ok(update) => {
                assert!(length.abs_diff(genuine.len()) < 32);
                let (now, slot) = (node.now(&update), update.finalized_slot());
                let refusal = client.advance(update, now).unwrap_err();
                assert_eq!(refusal, AdvanceError::ExecutionBranch { slot }, "{length}");
            }
        }
    }
    assert_eq!(format!("{client:?}"), before);
}

#[test]
fn every_changed_byte_gives_no_head() {
    let node = node();
    let genuine = node.answer("finality_update.ssz");
    let client = node.client();
    let now = node.now(&finality(&node, &genuine).unwrap());
    let mut refused = 0;
    for position in (0..genuine.len()).filter(|position| !SIGNATURE_SLOT.contains(position)) {
        for change in [0x01, 0x80] {
            let mut bytes = genuine.clone();
            bytes[position] ^= change;
            let result = finality(&node, &bytes).map(|update| client.clone().advance(update, now));
            assert!(!matches!(result, Ok(Ok(_))), "byte {position} ^ {change:#x} was accepted");
            refused += 1;
        }
    }
    assert_eq!(refused, 2 * (genuine.len() - 8));
    let mut client = client;
    let advanced = client.advance(finality(&node, &genuine).unwrap(), now).unwrap();
    assert!(advanced.signed);
}

#[test]
fn sizes_are_limited_before_anything_is_read() {
    let node = node();
    let refused = finality(&node, &vec![0; MAX_OBJECT_BYTES + 1]).unwrap_err();
    let (got, limit) = (MAX_OBJECT_BYTES + 1, MAX_OBJECT_BYTES);
    assert!(matches!(refused, DecodeError::TooLarge { got: g, limit: l } if (g, l) == (got, limit)));
    for encoding in [Encoding::Ssz, Encoding::Json] {
        let refused = decode::updates(&vec![b' '; MAX_LIST_BYTES + 1], encoding, &node.network).unwrap_err();
        assert!(matches!(refused, DecodeError::TooLarge { limit: MAX_LIST_BYTES, .. }));
    }
}

#[test]
fn frames_of_a_list_are_read_to_the_byte() {
    let node = node();
    let genuine = node.answer("updates_0_8.ssz");
    let list = |bytes: &[u8]| decode::updates(bytes, Encoding::Ssz, &node.network);
    let updates = list(&genuine).unwrap();
    assert_eq!(updates.len(), 2);
    let first = 8 + usize::try_from(u64::from_le_bytes(genuine[..8].try_into().unwrap())).unwrap();
    assert_eq!(list(&genuine[..first]).unwrap(), updates[..1]);
    let truncated = |result: Result<Vec<LightClientUpdate>, DecodeError>| {
        assert!(matches!(result, Err(DecodeError::Ssz(SszError::Truncated { .. }))), "{result:?}");
    };
    truncated(list(&genuine[..first + 7]));
    truncated(list(&genuine[..genuine.len() - 1]));
    truncated(list(&[genuine.as_slice(), &[0]].concat()));
    truncated(list(&with(&genuine, 0, &u64::MAX.to_le_bytes())));
    truncated(list(&with(&genuine, 0, &[0; 8])));
    truncated(list(&with(&genuine, 0, &3_u64.to_le_bytes())));
    let many = genuine[..first].repeat(MAX_UPDATES);
    assert_eq!(list(&many).unwrap().len(), MAX_UPDATES);
    let refused = list(&genuine[..first].repeat(MAX_UPDATES + 1)).unwrap_err();
    assert!(matches!(refused, DecodeError::TooMany { limit: MAX_UPDATES }), "{refused}");
}

#[test]
fn one_kind_of_object_is_not_another() {
    let node = node();
    let bootstrap = node.answer(&format!("{}.ssz", node.bootstraps()[0]));
    let [update, finality, optimistic] =
        ["updates_0_8.ssz", "finality_update.ssz", "optimistic_update.ssz"].map(|file| node.answer(file));
    let update = &update[12..];
    let read = |bytes: &[u8], kind: usize| match kind {
        0 => decode::bootstrap(bytes, Encoding::Ssz, None, &node.network).map(|_| ()),
        1 => decode::update(bytes, Encoding::Ssz, None, &node.network).map(|_| ()),
        2 => decode::finality_update(bytes, Encoding::Ssz, None, &node.network).map(|_| ()),
        _ => decode::optimistic_update(bytes, Encoding::Ssz, None, &node.network).map(|_| ()),
    };
    for (own, bytes) in [&bootstrap[..], update, &finality[..], &optimistic[..]].into_iter().enumerate() {
        for kind in (0..4).filter(|kind| *kind != own) {
            let refused = read(bytes, kind).unwrap_err();
            assert!(
                matches!(refused, DecodeError::Ssz(SszError::Offset { .. })),
                "{own} as {kind}: {refused}"
            );
        }
    }
}

/// No panic and no hang on any input: random bytes, and random bytes after a genuine beginning.
#[test]
fn noise_is_refused() {
    let node = node();
    let genuine = node.answer("finality_update.ssz");
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    for round in 0..2000 {
        let mut bytes = genuine.clone();
        let from = if round % 2 == 0 { 0 } else { usize::from(byte()) * 4 };
        bytes.iter_mut().skip(from).for_each(|target| *target = byte());
        bytes.truncate(usize::from(byte()) * 8 + 1);
        assert!(finality(&node, &bytes).is_err());
        assert!(decode::updates(&bytes, Encoding::Ssz, &node.network).is_err());
        assert!(decode::updates(&bytes, Encoding::Json, &node.network).is_err());
        assert!(decode::bootstrap(&bytes, Encoding::Json, None, &node.network).is_err());
    }
}
