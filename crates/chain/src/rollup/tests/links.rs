//! Blocks below an accepted one: by parent hashes, and by the rollup's own record of block hashes.

use std::collections::BTreeMap;

use crate::{HISTORY_CODE_HASH, HISTORY_CONTRACT, HistoryError, Path, history_key};
use alloy_primitives::{Address, B256, U256, keccak256};
use saldo_proof::{Account, StateRoot, Verified, verify_account};

use super::base::{
    FACTORY, GAME, LAST, STEP, VERIFIER, accepted, block, claim, fork, output_root, true_roots, world,
    world_with,
};
use super::vectors::{bytes, hash, nodes, number, vector};
use super::world::{FACTORY_IMPLEMENTATION, REGISTRY_IMPLEMENTATION, header, slot, status_word, trie};
use crate::rollup::{Accepted, Hints, Level, LinkError, Obstacle, OpenError, RollupAnchor, Verdict};

fn newest() -> RollupAnchor {
    accepted(&world()).open(block(LAST), None).unwrap()
}

/// With right hints one round of proofs is enough; a false hint costs rounds and nothing else.
#[test]
fn hints_save_rounds() {
    let right = Hints {
        factory: Some(FACTORY),
        game: Some(GAME),
        implementations: vec![REGISTRY_IMPLEMENTATION, FACTORY_IMPLEMENTATION, VERIFIER],
    };
    assert!(matches!(world().verdict_in_one_round(&right), Ok(Verdict::Accepted(_))));
    for wrong in [
        Hints { game: Some(Address::repeat_byte(1)), ..right.clone() },
        Hints { factory: Some(Address::repeat_byte(1)), ..right },
        Hints::default(),
    ] {
        let verdict = world().verdict_in_one_round(&wrong);
        assert!(matches!(verdict, Err(Obstacle::Missing(_))), "{verdict:?}");
    }
}

/// A proof that was taken at the rollup's head is proven once L1 accepts a root above it: at most 29 headers on Base.
#[test]
fn parents_lead_from_an_accepted_root_to_an_older_block() {
    let at = LAST - STEP + 1;
    let headers: Vec<_> = (at..LAST).rev().map(block).collect();
    let older = newest().ancestor(headers.iter().copied()).unwrap();
    assert_eq!(
        (older.number(), older.hash(), older.path()),
        (at, block(at).hash(), Path::Ancestor { depth: 29 })
    );
    assert_eq!((older.state_root(), older.timestamp()), (block(at).state_root(), block(at).timestamp()));
    assert_eq!(
        (older.level(), older.vouched().game(), older.vouched().l1()),
        (Level::L1ProofChecked, GAME, newest().vouched().l1())
    );
    assert_eq!(older.parent_hash(), block(at - 1).hash());
}

#[test]
fn a_header_that_is_not_the_parents_is_refused() {
    let branch = fork(1);
    let expected = block(LAST - 1).hash();
    // Another branch's block with the parent's number, and an older block that is sent again.
    for other in [&branch[branch.len() - 2], block(LAST - 2), block(LAST)] {
        let refusal = LinkError::NotTheParent { got: other.hash(), expected };
        assert_eq!(newest().parent(other), Err(refusal));
    }
    assert_eq!(
        newest().ancestor([block(LAST - 1), block(LAST - 3)]).unwrap_err(),
        LinkError::NotTheParent { got: block(LAST - 3).hash(), expected: block(LAST - 2).hash() }
    );
}

/// Opens a made block, whose output root a game claims.
fn opened(block: &crate::ExecutionHeader) -> RollupAnchor {
    let roots = vec![(crate::rollup::game::At::Number(block.number()), output_root(block))];
    Accepted { roots, ..accepted(&world()) }.open(block, None).unwrap()
}

#[test]
fn numbers_go_down_by_one_and_links_end() {
    let make = |parent, number| header(parent, number, number, B256::ZERO, Some(B256::ZERO));
    let (parent, first) = (make(B256::ZERO, 7), make(B256::ZERO, 0));
    let refusal = LinkError::Number { got: 7, expected: 9 };
    assert_eq!(opened(&make(parent.hash(), 10)).parent(&parent), Err(refusal));
    let refusal = LinkError::Number { got: 0, expected: 0 };
    assert_eq!(opened(&make(first.hash(), 0)).parent(&first), Err(refusal));

    let mut line = vec![make(B256::ZERO, 1)];
    for number in 2..=RollupAnchor::MAX_LINK + 2 {
        let parent = line.last().map_or(B256::ZERO, crate::ExecutionHeader::hash);
        line.push(make(parent, number));
    }
    let newest = opened(line.last().unwrap());
    let most = usize::try_from(RollupAnchor::MAX_LINK).unwrap();
    let last = newest.ancestor(line.iter().rev().skip(1).take(most)).unwrap();
    assert_eq!((last.number(), last.path()), (2, Path::Ancestor { depth: RollupAnchor::MAX_LINK }));
    assert_eq!(last.parent(&line[0]), Err(LinkError::TooDeep));
}

/// A later verdict about the same game raises the level; one about another game says nothing.
#[test]
fn a_later_verdict_raises_the_level() {
    let mut later = world();
    later.set(GAME, slot(0), status_word(super::base::CREATED_AT, super::base::L1_TIME, 2, true));
    later.time += 60;
    later.now += 60;
    let verdict = accepted(&later);
    let raised = newest().vouched_by(&verdict).unwrap();
    assert_eq!((raised.level(), raised.hash()), (Level::L1Finalized, newest().hash()));
    assert!(raised.level() > newest().level() && raised.vouched().l1().2 > newest().vouched().l1().2);
    let mut other = verdict.clone();
    other.vouched.game = FACTORY;
    assert_eq!(newest().vouched_by(&other), None);
    assert_eq!(newest().vouched_by(&Accepted { chain_id: 8_453, ..verdict }), None);
}

#[test]
fn a_root_that_is_not_claimed_opens_nothing() {
    let mut roots = true_roots();
    roots[3] = B256::ZERO;
    let holed = accepted(&world_with(claim(&roots)));
    let fourth = block(LAST - 16 * STEP);
    assert_eq!(holed.open(fourth, None), Err(OpenError::OutputRoot { got: output_root(fourth) }));
}

/// The state of OP Mainnet records the hashes of its blocks: real proofs, one step and two.
#[test]
fn a_real_record_of_block_hashes_leads_to_an_older_block() {
    for (name, steps) in [("eip2935_header_by_number", 1), ("eip2935_multi_iteration", 2)] {
        let Some(set) = vector(&format!("l2/op-mainnet-eip2935/{name}.json")) else { return };
        let head = bytes(&set, "/safe_head_header_rlp");
        let head = crate::ExecutionHeader::from_rlp(&head, keccak256(&head)).unwrap();
        assert_eq!(head.number(), number(&set, "/safe_head_number"));
        let mut at = opened(&head);
        for step in 0..steps {
            let path = |name: &str| format!("/steps/{step}/{name}");
            let rlp = bytes(&set, &path("resolved_block_header_rlp"));
            let older = crate::ExecutionHeader::from_rlp(&rlp, hash(&set, &path("resolved_block_hash")));
            let older = older.unwrap();
            let account =
                verify_account(at.state_root(), HISTORY_CONTRACT, &nodes(&set, &path("account_proof")));
            let account = account.unwrap();
            let Account::Present(state) = account.leaf() else { panic!("the contract is there") };
            assert_eq!(state.code_hash, HISTORY_CODE_HASH);
            let proof = nodes(&set, &path("storage_proof"));
            let held = account.slot(history_key(older.number()), &proof).unwrap();
            let under = at.number();
            let next = at.recorded(&account, &held, &older).unwrap();
            assert_eq!((next.number(), next.path()), (older.number(), Path::History { under }));
            // The same record says nothing about another block of that number, or under another block.
            let other = header(B256::ZERO, older.number(), 1, B256::ZERO, None);
            let expected = older.hash();
            let refusal = HistoryError::OtherBlock { number: older.number(), got: other.hash(), expected };
            assert_eq!(at.recorded(&account, &held, &other), Err(refusal));
            let refusal = next.recorded(&account, &held, &older).unwrap_err();
            assert!(matches!(refusal, HistoryError::StateRoot { .. }), "{refusal}");
            at = next;
        }
        assert_eq!(
            (at.number(), at.hash()),
            (number(&set, "/target_block_number"), hash(&set, "/target_block_hash"))
        );
        assert_eq!(at.chain_id(), 84_532, "as the made game's");
    }
}

/// The history contract of a made state, with one recorded hash.
fn record(
    code_hash: B256,
    number: u64,
    hash: B256,
) -> (B256, Verified<Account>, Vec<alloy_primitives::Bytes>) {
    let word = U256::from_be_bytes(hash.0);
    let slots = BTreeMap::from([(keccak256(history_key(number)), alloy_rlp::encode(word))]);
    let (storage_root, proof) = trie(&slots, Some(keccak256(history_key(number))));
    let leaf = super::world::account_leaf(storage_root, code_hash);
    let key = keccak256(HISTORY_CONTRACT);
    let (root, nodes) = trie(&BTreeMap::from([(key, leaf)]), Some(key));
    (root, verify_account(StateRoot::new(root), HISTORY_CONTRACT, &nodes).unwrap(), proof)
}

#[test]
fn a_record_outside_its_window_or_of_other_code_is_refused() {
    let window = crate::HISTORY_WINDOW;
    let recorded = |code_hash: B256, under: u64, number: u64| {
        let older = header(B256::ZERO, number, 1, B256::ZERO, None);
        let (root, account, proof) = record(code_hash, number, older.hash());
        let at = opened(&header(B256::ZERO, under, 2, root, Some(B256::ZERO)));
        let held = account.slot(history_key(number), &proof).unwrap();
        at.recorded(&account, &held, &older).map(|anchor| anchor.number())
    };
    assert_eq!(recorded(HISTORY_CODE_HASH, 10_000, 10_000 - window), Ok(10_000 - window));
    let number = 10_000 - window - 1;
    let outside = HistoryError::OutsideWindow { number, oldest: number + 1, newest: 9_999 };
    assert_eq!(recorded(HISTORY_CODE_HASH, 10_000, number), Err(outside));
    let other = B256::repeat_byte(3);
    assert_eq!(recorded(other, 10_000, 9_000), Err(HistoryError::Code { got: Some(other) }));
}

/// What a block of a rollup records is taken back with the block.
#[test]
fn a_record_is_taken_back_with_its_game() {
    let older = header(B256::ZERO, 9_000, 1, B256::repeat_byte(5), None);
    let (root, account, proof) = record(HISTORY_CODE_HASH, 9_000, older.hash());
    let at = opened(&header(B256::ZERO, 10_000, 2, root, Some(B256::ZERO)));
    let held = account.slot(history_key(9_000), &proof).unwrap();
    let mut chain = crate::Chain::new();
    chain.accept(&at).unwrap();
    let recorded = chain.attach_history(at.anchor(), &account, &held, &older).unwrap().clone();
    assert_eq!(recorded.assurance().vouched(), Some(at.vouched()));
    assert!(chain.anchor_again(&recorded).is_some());
    chain.take_back(GAME);
    assert_eq!((chain.anchor_again(&recorded), chain.anchor_at_root(older.state_root())), (None, None));
    assert_eq!(chain.standing(&recorded), crate::Standing::Withdrawn);
}
