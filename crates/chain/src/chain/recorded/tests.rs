use super::*;
use crate::anchor::Path;
use crate::chain::tests::{finalize, finalized, line, sign, signed};
use crate::header::tests::header;

/// Records `old` in the state of `under`, with or without its own header.
fn record(
    chain: &mut Chain,
    old: &ExecutionHeader,
    under: &Anchor,
    has_header: bool,
) -> Result<(), HistoryError> {
    let parent_hash = has_header.then(|| old.parent_hash());
    chain.record(Anchor::recorded(old, under), parent_hash, under).map(|_| ())
}

fn review(chain: &mut Chain) {
    crate::chain::review::recorded(&mut chain.recorded, &chain.blocks, Chain::CAPACITY);
}

#[test]
fn a_block_that_is_recorded_again_keeps_its_known_parent() {
    let (old, head) = (header(5, B256::repeat_byte(4)), header(20, B256::ZERO));
    let mut chain = Chain::new();
    sign(&mut chain, &head).unwrap();
    for has_header in [true, false] {
        record(&mut chain, &old, &signed(&head), has_header).unwrap();
        assert_eq!(chain.recorded[&5].parent_hash, Some(B256::repeat_byte(4)));
    }
    // The known parent is not the parent of another block of that number.
    let other = header(5, B256::repeat_byte(3));
    let next = header(21, head.hash());
    sign(&mut chain, &next).unwrap();
    record(&mut chain, &other, &signed(&next), false).unwrap();
    assert_eq!(chain.recorded[&5].parent_hash, None);
}

#[test]
fn a_newer_record_replaces_an_older_one_unless_its_assurance_is_weaker() {
    let (old, heads) = (header(5, B256::ZERO), line(20, 3, 1));
    let mut chain = Chain::new();
    sign(&mut chain, &heads[0]).unwrap();
    record(&mut chain, &old, &signed(&heads[0]), true).unwrap();
    sign(&mut chain, &heads[1]).unwrap();
    record(&mut chain, &old, &signed(&heads[1]), true).unwrap();
    assert_eq!(chain.recorded[&5].under, (21, heads[1].hash()));
    finalize(&mut chain, &heads[1]).unwrap();
    record(&mut chain, &old, &finalized(&heads[1]), true).unwrap();
    sign(&mut chain, &heads[2]).unwrap();
    record(&mut chain, &old, &signed(&heads[2]), true).unwrap();
    let known = chain.anchor_again(&signed(&old)).unwrap();
    assert_eq!((known.assurance().level(), known.path()), (Level::Finalized, Path::History { under: 21 }));
}

#[test]
fn all_blocks_of_a_contradicted_branch_are_dropped() {
    let (left, stays) = (line(10, 3, 1), header(10, B256::repeat_byte(2)));
    let head = header(20, B256::ZERO);
    let mut chain = Chain::new();
    for header in left.iter().chain([&head]) {
        sign(&mut chain, header).unwrap();
    }
    record(&mut chain, &stays, &signed(&head), true).unwrap();
    for header in &left {
        assert_eq!(chain.anchor_again(&signed(header)), None, "{}", header.number());
    }
    assert_eq!(chain.anchor_at_hash(stays.hash()).map(Anchor::path), Some(Path::History { under: 20 }));
    assert_eq!(chain.newest(Level::Signed).map(Anchor::number), Some(20));
}

#[test]
fn a_recorded_block_is_dropped_when_another_linked_block_takes_its_number() {
    let (old, other) = (header(5, B256::repeat_byte(1)), header(5, B256::repeat_byte(2)));
    let head = header(20, B256::ZERO);
    let mut chain = Chain::new();
    sign(&mut chain, &head).unwrap();
    record(&mut chain, &old, &signed(&head), true).unwrap();
    let slot = saldo_beacon::unit::Slot::new(20);
    chain.place(signed(&old), None, slot).unwrap();
    review(&mut chain);
    assert!(chain.recorded.contains_key(&5), "the block is linked and recorded");
    chain.place(signed(&other), None, slot).unwrap();
    review(&mut chain);
    assert!(!chain.recorded.contains_key(&5));
}

#[test]
fn the_lowest_recorded_blocks_are_dropped() {
    let head = header(100_000, B256::ZERO);
    let mut chain = Chain::new();
    finalize(&mut chain, &head).unwrap();
    for number in 1..=u64::try_from(Chain::CAPACITY).unwrap() {
        record(&mut chain, &header(number, B256::ZERO), &finalized(&head), true).unwrap();
    }
    assert_eq!(chain.recorded.len(), Chain::CAPACITY);
    record(&mut chain, &header(1_000, B256::ZERO), &finalized(&head), true).unwrap();
    assert_eq!(chain.recorded.len(), Chain::CAPACITY);
    assert_eq!(chain.recorded.first_key_value().map(|(number, _)| *number), Some(2));
}

/// The withdrawal of a block that is only recorded would not be noticed, so it must be final.
#[test]
fn a_recorded_block_vouches_for_others_only_if_it_is_final() {
    let (old, head) = (header(5, B256::ZERO), header(20, B256::ZERO));
    let mut chain = Chain::new();
    sign(&mut chain, &head).unwrap();
    record(&mut chain, &old, &signed(&head), true).unwrap();
    let untrusted = HistoryError::Untrusted { number: 5, hash: old.hash() };
    assert_eq!(chain.trusted(&signed(&old)), Err(untrusted));
    assert_eq!(chain.trusted(&signed(&head)).map(|head| head.number()), Ok(20));
    finalize(&mut chain, &head).unwrap();
    record(&mut chain, &old, &finalized(&head), true).unwrap();
    assert_eq!(chain.trusted(&signed(&old)).map(|old| old.number()), Ok(5));
}

#[test]
fn a_final_record_stays_when_its_recording_block_is_dropped() {
    let (signed_one, final_one) = (header(5, B256::ZERO), header(6, B256::ZERO));
    let (first, second) = (header(20, B256::ZERO), header(30, B256::ZERO));
    let mut chain = Chain::new();
    finalize(&mut chain, &first).unwrap();
    sign(&mut chain, &second).unwrap();
    record(&mut chain, &final_one, &finalized(&first), true).unwrap();
    record(&mut chain, &signed_one, &signed(&second), true).unwrap();
    chain.blocks.clear();
    review(&mut chain);
    assert_eq!(chain.recorded.keys().copied().collect::<Vec<_>>(), [6]);
}

#[test]
fn only_the_newest_signed_state_can_show_that_a_branch_was_abandoned() {
    let (held, other) = (header(10, B256::repeat_byte(1)), header(10, B256::repeat_byte(2)));
    let heads = line(20, 2, 1);
    let mut chain = Chain::new();
    for header in [&held].into_iter().chain(&heads) {
        sign(&mut chain, header).unwrap();
    }
    let refusal = record(&mut chain, &other, &signed(&heads[0]), true);
    assert_eq!(refusal, Err(HistoryError::OtherBranch { number: 10 }));
    assert!(chain.anchor_again(&signed(&held)).is_some());
    record(&mut chain, &other, &signed(&heads[1]), true).unwrap();
    assert_eq!(chain.anchor_again(&signed(&held)), None);
    // A record under the newest head that contradicts a final block is a fault.
    finalize(&mut chain, &heads[0]).unwrap();
    record(&mut chain, &other, &finalized(&heads[0]), true).unwrap();
    let fault = ChainError::ConsensusFault { number: 10, finalized: other.hash(), signed: held.hash() };
    assert_eq!(record(&mut chain, &held, &signed(&heads[1]), true), Err(fault.into()));
}

#[test]
fn a_linked_block_gets_the_assurance_of_its_record_and_stays_linked() {
    let (old, head) = (header(10, B256::ZERO), header(20, B256::ZERO));
    let mut chain = Chain::new();
    sign(&mut chain, &old).unwrap();
    sign(&mut chain, &head).unwrap();
    let linked = |chain: &Chain| {
        let anchor = &chain.blocks[&10].anchor;
        (anchor.assurance().level(), anchor.path())
    };
    record(&mut chain, &old, &signed(&head), true).unwrap();
    assert_eq!(linked(&chain), (Level::Signed, Path::Head));
    finalize(&mut chain, &head).unwrap();
    record(&mut chain, &old, &finalized(&head), true).unwrap();
    assert_eq!(linked(&chain), (Level::Finalized, Path::History { under: 20 }));
    // A block that was final already keeps the reason for its finality.
    let next = header(30, B256::ZERO);
    finalize(&mut chain, &next).unwrap();
    record(&mut chain, &old, &finalized(&next), true).unwrap();
    assert_eq!(linked(&chain), (Level::Finalized, Path::History { under: 20 }));
}
