use saldo_beacon::{Checkpoint, Finality};

use super::*;
use crate::header::tests::header;

/// Returns linked headers; the first has this number.
pub(super) fn line(first: u64, count: usize, parent: u8) -> Vec<ExecutionHeader> {
    let mut headers: Vec<ExecutionHeader> = Vec::new();
    for number in (first..).take(count) {
        let parent_hash = headers.last().map_or(B256::repeat_byte(parent), ExecutionHeader::hash);
        headers.push(header(number, parent_hash));
    }
    headers
}

fn anchor(header: &ExecutionHeader, assurance: Assurance) -> Anchor {
    let origin = Checkpoint { root: B256::ZERO, slot: None }.into();
    Anchor::of_header(header, &Voucher { chain_id: 1, assurance, origin, at: Slot::new(0) })
}

pub(super) fn signed(header: &ExecutionHeader) -> Anchor {
    anchor(header, Assurance::Signed { signers: 400, size: 512 })
}

pub(super) fn finalized(header: &ExecutionHeader) -> Anchor {
    anchor(header, Assurance::Finalized(Finality::Checkpoint))
}

/// Makes a signed head in the slot of its number.
pub(super) fn sign(chain: &mut Chain, header: &ExecutionHeader) -> Result<(), ChainError> {
    chain.sign(signed(header), Some(header.parent_hash()), Slot::new(header.number()))
}

pub(super) fn finalize(chain: &mut Chain, header: &ExecutionHeader) -> Result<(), ChainError> {
    chain.finalize(finalized(header), Some(header.parent_hash()), Slot::new(header.number()))
}

/// Returns a chain whose only block is the last of `headers`, as its signed head.
pub(super) fn below(headers: &[ExecutionHeader]) -> Chain {
    let mut chain = Chain::new();
    sign(&mut chain, headers.last().unwrap()).unwrap();
    chain
}

#[test]
fn a_block_is_found_by_its_hash_alone() {
    let headers = line(10, 3, 1);
    let mut chain = below(&headers);
    chain.attach(&headers[1]).unwrap();
    for known in &headers[1..] {
        assert_eq!(chain.anchor_at_hash(known.hash()).map(Anchor::number), Some(known.number()));
    }
    assert_eq!(chain.anchor_at_hash(headers[0].hash()), None);
    assert_eq!(Chain::new().anchor_at_hash(headers[0].hash()), None);
}

#[test]
fn no_header_below_the_wanted_number_is_requested() {
    let headers = line(10, 2, 1);
    let chain = below(&headers);
    assert_eq!(chain.missing_parent(12), None);
    assert_eq!(chain.missing_parent(11), None);
    assert_eq!(chain.missing_parent(10), Some((10, headers[0].hash())));
    assert_eq!(chain.missing_parent(0), Some((10, headers[0].hash())));
}

/// A block with only a hash can become a head before its header arrives.
#[test]
fn a_parent_whose_own_parent_is_unknown_is_still_requested() {
    let headers = line(10, 2, 1);
    let mut chain = Chain::new();
    chain.sign(signed(&headers[0]), None, Slot::new(10)).unwrap();
    sign(&mut chain, &headers[1]).unwrap();
    assert_eq!(chain.missing_parent(9), Some((10, headers[0].hash())));
}

#[test]
fn a_block_that_the_chain_does_not_know_stands() {
    let headers = line(10, 5, 1);
    assert_eq!(Chain::new().standing(&signed(&headers[0])), Standing::Stands);
    let mut chain = below(&headers[..4]);
    assert_eq!(chain.standing(&signed(&headers[0])), Standing::Stands);
    assert_eq!(chain.standing(&signed(&headers[3])), Standing::Stands);
    assert_eq!(chain.standing(&signed(&headers[4])), Standing::Withdrawn, "above the newest head");
    let other = line(10, 4, 2);
    assert_eq!(chain.standing(&signed(&other[3])), Standing::Withdrawn);
    assert_eq!(chain.standing(&signed(&other[2])), Standing::Withdrawn, "the head names another parent");
    chain.attach(&headers[2]).unwrap();
    assert_eq!(chain.standing(&signed(&other[1])), Standing::Withdrawn);
}

/// No honest chain has a block whose parent has another number than one less.
#[test]
fn a_parent_is_one_below_its_child() {
    let parent = header(7, B256::ZERO);
    let mut chain = Chain::new();
    sign(&mut chain, &header(10, parent.hash())).unwrap();
    let refusal = ChainError::Number { hash: parent.hash(), got: 7, expected: 9 };
    assert_eq!(chain.attach(&parent), Err(refusal));
    let before_all = header(0, B256::ZERO);
    let mut chain = Chain::new();
    sign(&mut chain, &header(0, before_all.hash())).unwrap();
    let refusal = ChainError::Number { hash: before_all.hash(), got: 0, expected: 0 };
    assert_eq!(chain.attach(&before_all), Err(refusal));
}

#[test]
fn ancestors_are_taken_down_to_the_limit() {
    let most = usize::try_from(Chain::MAX_ANCESTRY).unwrap();
    let headers = line(100, most.saturating_add(2), 1);
    let mut chain = below(&headers);
    for header in headers.iter().rev().skip(1).take(most) {
        assert_eq!(chain.missing_parent(0), Some((header.number(), header.hash())));
        assert_eq!(chain.attach(header).map(Anchor::hash), Ok(header.hash()));
    }
    assert_eq!(chain.missing_parent(0), None);
    assert_eq!(chain.attach(&headers[0]), Err(ChainError::TooDeep));
}

#[test]
fn a_finalized_block_makes_its_ancestors_final() {
    let headers = line(10, 3, 1);
    let mut chain = below(&headers);
    chain.attach(&headers[1]).unwrap();
    chain.attach(&headers[0]).unwrap();
    finalize(&mut chain, &headers[2]).unwrap();
    let newest = chain.newest(Level::Finalized).unwrap();
    assert_eq!((newest.number(), newest.path()), (12, crate::Path::Head));
    for (header, depth) in [(&headers[1], 1), (&headers[0], 2)] {
        let below = chain.anchor_again(&signed(header)).unwrap();
        assert_eq!(
            (below.assurance().level(), below.path()),
            (Level::Finalized, crate::Path::Ancestor { depth })
        );
    }
}

#[test]
fn a_final_block_keeps_the_reason_for_its_finality() {
    let headers = line(10, 3, 1);
    let mut chain = below(&headers);
    chain.attach(&headers[1]).unwrap();
    finalize(&mut chain, &headers[1]).unwrap();
    finalize(&mut chain, &headers[2]).unwrap();
    assert_eq!(chain.anchor_again(&signed(&headers[1])).unwrap().path(), crate::Path::Head);
    assert_eq!(chain.anchor_again(&signed(&headers[2])).unwrap().path(), crate::Path::Head);
}

#[test]
fn descendants_of_a_finalized_block_stay() {
    let headers = line(10, 4, 1);
    let mut chain = below(&headers);
    for header in headers[..3].iter().rev() {
        chain.attach(header).unwrap();
    }
    finalize(&mut chain, &headers[1]).unwrap();
    for header in &headers {
        assert!(chain.anchor_again(&signed(header)).is_some(), "{}", header.number());
    }
    assert_eq!(chain.newest(Level::Signed).unwrap().number(), 13);
    // The parent of this block is not known yet.
    let mut chain = Chain::new();
    chain.sign(signed(&headers[2]), None, Slot::new(12)).unwrap();
    finalize(&mut chain, &headers[1]).unwrap();
    assert_eq!(chain.newest(Level::Signed).unwrap().number(), 12);
}

#[test]
fn a_branch_that_excludes_the_finalized_block_is_dropped() {
    let (left, stays) = (line(10, 4, 1), line(9, 3, 2));
    let mut chain = below(&left);
    for header in left[..3].iter().rev() {
        chain.attach(header).unwrap();
    }
    // The head was signed later than the branch that it excludes: the reorganisation came before finality.
    chain.finalize(finalized(&stays[2]), Some(stays[2].parent_hash()), Slot::new(20)).unwrap();
    assert_eq!(chain.newest(Level::Signed).map(Anchor::hash), Some(stays[2].hash()));
    for header in &left[1..] {
        assert_eq!(chain.anchor_again(&signed(header)), None, "{}", header.number());
        assert_eq!(chain.standing(&signed(header)), Standing::Withdrawn, "{}", header.number());
    }
    assert_eq!(chain.missing_final_parent(0), Some((10, stays[1].hash())));
}

/// Of two signed branches the newer one counts. If one is final, signing the other one then or later is a contradiction.
#[test]
fn a_head_that_was_signed_after_another_became_final_is_a_fault() {
    let (one, other) = (header(10, B256::repeat_byte(1)), header(10, B256::repeat_byte(2)));
    let fault = ChainError::ConsensusFault { number: 10, finalized: other.hash(), signed: one.hash() };
    let at = |slot| {
        let mut chain = Chain::new();
        sign(&mut chain, &one).unwrap();
        chain.finalize(finalized(&other), Some(other.parent_hash()), Slot::new(slot))
    };
    assert_eq!(at(9), Err(fault.clone()));
    assert_eq!(at(10), Err(fault));
    assert_eq!(at(11), Ok(()));
}

#[test]
fn a_final_block_is_never_replaced() {
    let (one, other) = (line(10, 2, 1), line(10, 2, 2));
    let mut chain = Chain::new();
    finalize(&mut chain, &one[0]).unwrap();
    let fault = ChainError::ConsensusFault { number: 10, finalized: one[0].hash(), signed: other[0].hash() };
    assert_eq!(sign(&mut chain, &other[0]), Err(fault.clone()));
    assert_eq!(sign(&mut chain, &other[1]), Err(fault), "it has another parent");
    sign(&mut chain, &one[1]).unwrap();
    // A block below the final one adds nothing, whichever branch it is on.
    sign(&mut chain, &header(9, B256::ZERO)).unwrap();
    assert_eq!(chain.newest(Level::Signed).map(Anchor::number), Some(11));
    // The same block stays final when a weaker assurance for it arrives.
    sign(&mut chain, &one[0]).unwrap();
    assert_eq!(chain.newest(Level::Finalized).map(Anchor::hash), Some(one[0].hash()));
}

#[test]
fn the_lowest_blocks_are_dropped_but_never_the_finalized_one() {
    let headers = line(100, Chain::CAPACITY + 2, 1);
    let mut chain = Chain::new();
    finalize(&mut chain, &headers[0]).unwrap();
    for header in &headers[1..] {
        sign(&mut chain, header).unwrap();
        chain.prune();
    }
    let held = |at: usize| chain.anchor_again(&signed(&headers[at])).is_some();
    assert_eq!(chain.blocks.len(), Chain::CAPACITY);
    assert_eq!(
        [held(0), held(1), held(2), held(3), held(Chain::CAPACITY + 1)],
        [true, false, false, true, true]
    );
}

#[test]
fn a_full_chain_drops_no_block() {
    let mut chain = Chain::new();
    for header in &line(100, Chain::CAPACITY, 1) {
        sign(&mut chain, header).unwrap();
    }
    chain.prune();
    assert_eq!(chain.blocks.len(), Chain::CAPACITY);
}

/// When finality excludes a block, its linked descendants are dropped, but not a later head above a gap.
#[test]
fn dropping_a_branch_drops_only_its_linked_blocks() {
    let dead = line(11, 3, 0xdd);
    let main = line(10, 11, 1);
    let head = &main[10];
    let mut chain = Chain::new();
    dead.iter().for_each(|block| sign(&mut chain, block).unwrap());
    sign(&mut chain, head).unwrap();
    finalize(&mut chain, &main[0]).unwrap();
    for block in &dead {
        assert!(chain.anchor_at_hash(block.hash()).is_none(), "{}", block.number());
    }
    assert_eq!(chain.standing(&signed(head)), Standing::Stands);
    assert_eq!(chain.newest(Level::Signed).map(Anchor::number), Some(20));

    // If the newest block is dropped with the branch, the final block becomes the newest.
    let mut chain = Chain::new();
    dead.iter().for_each(|block| sign(&mut chain, block).unwrap());
    finalize(&mut chain, &main[0]).unwrap();
    assert_eq!(chain.newest(Level::Signed).map(Anchor::number), Some(10));
    assert_eq!(chain.standing(&signed(&dead[2])), Standing::Withdrawn);
}
