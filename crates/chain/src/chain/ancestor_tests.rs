use alloy_primitives::B256;

use super::super::tests::{finalize, line, sign, signed};
use super::*;
use crate::header::tests::header;

#[test]
fn only_a_linked_block_is_an_ancestor() {
    let blocks = line(10, 4, 1);
    let mut chain = Chain::new();
    sign(&mut chain, &blocks[0]).unwrap();
    sign(&mut chain, &blocks[1]).unwrap();
    for block in &blocks[..2] {
        assert_eq!(chain.ancestor(block.number()).map(Anchor::hash), Some(block.hash()));
    }
    // The block in between is missing: the head may descend from others.
    sign(&mut chain, &blocks[3]).unwrap();
    assert_eq!(chain.ancestor(13).map(Anchor::hash), Some(blocks[3].hash()));
    for number in [9, 10, 11, 12, 14] {
        assert_eq!(chain.ancestor(number), None, "{number}");
    }
    assert!(chain.anchor_at_hash(blocks[1].hash()).is_some(), "it is trusted all the same");
    chain.attach(&blocks[2]).unwrap();
    assert_eq!(chain.ancestor(10).map(Anchor::hash), Some(blocks[0].hash()));
}

#[test]
fn a_record_counts_if_the_head_descends_from_its_block() {
    let (old, heads) = (header(5, B256::ZERO), line(20, 2, 1));
    let mut chain = Chain::new();
    sign(&mut chain, &heads[0]).unwrap();
    chain.record(Anchor::recorded(&old, &signed(&heads[0])), None, &signed(&heads[0])).unwrap();
    assert_eq!(chain.ancestor(5).map(Anchor::hash), Some(old.hash()));
    sign(&mut chain, &heads[1]).unwrap();
    assert_eq!(chain.ancestor(5).map(Anchor::hash), Some(old.hash()));
    sign(&mut chain, &header(25, B256::ZERO)).unwrap();
    assert_eq!(chain.ancestor(5), None);
}

#[test]
fn a_final_block_needs_no_link() {
    let blocks = line(10, 2, 1);
    let mut chain = Chain::new();
    finalize(&mut chain, &blocks[0]).unwrap();
    sign(&mut chain, &header(200, B256::ZERO)).unwrap();
    assert_eq!(chain.ancestor(10).map(Anchor::hash), Some(blocks[0].hash()));
    assert_eq!(Chain::new().ancestor(0), None);
}
