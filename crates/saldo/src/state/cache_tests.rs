use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256, hex, keccak256};
use saldo_proof::{HashedCode, StateRoot, verify_account};
use saldo_reading::ProviderId;

use super::*;
use crate::proofs::AccountFacts;

/// A trie with one account, whose code is `code`.
fn facts(code: &[u8]) -> Facts {
    let before = hex!(
        "f872a120e2c07404b8c1df4c46226425cac68c28d27a766bbddce62309f36724839b22c0b84ef84c01880de0b6b3a7640000
         a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421a0"
    );
    let leaf = Bytes::from([before.as_slice(), keccak256(code).as_slice()].concat());
    let nodes = vec![leaf.clone()];
    let account = verify_account(StateRoot::new(keccak256(&leaf)), TOKEN, &nodes).unwrap();
    let code = Some(HashedCode::new(Bytes::copy_from_slice(code)));
    let (slots, provider) = (std::collections::BTreeMap::new(), ProviderId::new("a").unwrap());
    let mut facts = Facts::default();
    facts.add(&Arc::new(AccountFacts { account, nodes, slots, code, provider }));
    facts
}

const TOKEN: Address = Address::repeat_byte(0x11);

#[test]
fn the_blocks_that_were_asked_about_last_are_kept() {
    let (cache, facts) = (StateCache::default(), facts(&[1]));
    let block = |number: u64| StateRoot::new(B256::from(U256::from(number)));
    for number in 0..100 {
        cache.keep(block(number), &facts);
    }
    let mut query = Query::account(TOKEN);
    query.add_code(TOKEN);
    let is_held = |number: u64| cache.held(block(number), &query).missing(&query).is_empty();
    assert_eq!((0..100).filter(|number| is_held(*number)).count(), StateCache::BLOCKS);
    assert!(is_held(99) && is_held(36) && !is_held(35));
}

#[test]
fn large_blocks_push_out_others() {
    let cache = StateCache::default();
    let large = facts(&vec![7; 10 * 1024 * 1024]);
    for byte in 0..10 {
        cache.keep(StateRoot::new(B256::repeat_byte(byte)), &large);
    }
    let held = cache.0.lock().unwrap();
    assert!(held.of.iter().map(|held| held.size).sum::<usize>() <= StateCache::SIZE);
    assert_eq!(held.of.len(), 3);
}

#[test]
fn what_is_not_held_is_missing() {
    let facts = facts(&[1]);
    let mut query = Query::slot(TOKEN, B256::ZERO);
    query.add_code(TOKEN);
    query.add_account(Address::ZERO);
    let missing = facts.missing(&query);
    assert_eq!(missing.slots().keys().copied().collect::<Vec<_>>(), [Address::ZERO, TOKEN]);
    assert!(missing.codes().is_empty());
    assert_eq!(facts.about(&Query::account(Address::ZERO)).query(), Query::default());
    assert_eq!(facts.query().codes().len(), 1);
}

#[test]
fn facts_of_one_account_are_merged() {
    let mut whole = facts(&[1]);
    let mut bare = whole.get(TOKEN).unwrap().clone();
    bare.code = None;
    let slot = bare.account.slot::<Bytes>(B256::ZERO, &[]).unwrap();
    bare.slots.insert(B256::ZERO, crate::proofs::SlotFacts { slot, nodes: Vec::new() });
    bare.provider = ProviderId::new("b").unwrap();
    let bare = Arc::new(bare);
    let before = whole.size();
    whole.add(&bare);
    assert!(whole.size() > before);
    let merged = whole.get(TOKEN).unwrap();
    assert!(merged.code.is_some() && merged.slots.contains_key(&B256::ZERO));
    // The other way round, and nothing is lost by what has less.
    let mut other = Facts::default();
    other.add(&bare);
    assert!(other.get(TOKEN).unwrap().code.is_none());
    other.add_all(&facts(&[1]));
    other.add(&bare);
    let merged = other.get(TOKEN).unwrap();
    assert!(merged.code.is_some() && merged.slots.contains_key(&B256::ZERO));
    let mut query = Query::slot(TOKEN, B256::ZERO);
    query.add_code(TOKEN);
    assert!(other.missing(&query).is_empty());
    assert_eq!(other.query(), query);
    query.add_slot(TOKEN, B256::repeat_byte(1));
    assert_eq!(other.missing(&query), Query::slot(TOKEN, B256::repeat_byte(1)));
}

#[test]
fn what_is_proven_under_another_root_is_not_held() {
    let (cache, facts) = (StateCache::default(), facts(&[1]));
    cache.keep(StateRoot::new(B256::repeat_byte(1)), &facts);
    let query = Query::account(TOKEN);
    assert!(cache.held(StateRoot::new(B256::repeat_byte(1)), &query).missing(&query).is_empty());
    assert_eq!(cache.held(StateRoot::new(B256::repeat_byte(2)), &query).missing(&query), query);
}
