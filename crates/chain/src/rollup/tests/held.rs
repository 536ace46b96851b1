//! What a chain holds of the blocks that L1 vouches for, and what it loses when L1 takes a game back.

use alloy_primitives::Address;

use super::base::{CREATED_AT, GAME, L1_TIME, LAST, STEP, accepted, block, fork, output_root, world};
use super::world::{slot, status_word};
use crate::rollup::game::At;
use crate::rollup::{Accepted, RollupAnchor};
use crate::{Anchor, Assurance, Chain, ChainError, Contradiction, ExecutionHeader, Level, Standing};

fn newest() -> RollupAnchor {
    accepted(&world()).open(block(LAST), None).unwrap()
}

/// The verdict about another game, in which L1 vouches for the block of this header.
fn other_game(header: &ExecutionHeader, is_final: bool) -> RollupAnchor {
    let roots = vec![(At::Number(header.number()), output_root(header))];
    let mut other = Accepted { roots, ..accepted(&world()) };
    other.vouched.game = Address::repeat_byte(9);
    other.vouched.is_final = is_final;
    other.open(header, None).unwrap()
}

fn standing(chain: &Chain, block: &RollupAnchor) -> Standing {
    chain.standing(block.anchor())
}

#[test]
fn a_block_and_its_ancestors_are_found_by_their_roots() {
    let (mut chain, newest) = (Chain::new(), newest());
    chain.accept(&newest).unwrap();
    let parent = newest.parent(block(LAST - 1)).unwrap();
    chain.accept(&parent).unwrap();
    for held in [&newest, &parent] {
        assert_eq!(chain.anchor_at_root(held.state_root()), Some(held.anchor()));
        assert_eq!(chain.anchor_again(held.anchor()).map(Anchor::hash), Some(held.hash()));
    }
    assert_eq!(chain.newest(Level::L1ProofChecked), Some(newest.anchor()));
    assert_eq!(chain.head(), Some(newest.anchor()));
    for level in [Level::L1Finalized, Level::Signed, Level::Finalized] {
        assert_eq!(chain.newest(level), None, "levels of two families are never compared");
    }
    assert_eq!(chain.games().map(|held| held.game()).collect::<Vec<_>>(), [GAME]);
}

#[test]
fn a_game_that_is_taken_back_takes_all_its_blocks_with_it() {
    let (mut chain, newest) = (Chain::new(), newest());
    let parent = newest.parent(block(LAST - 1)).unwrap();
    let older = other_game(block(LAST - STEP), false);
    for held in [&newest, &parent, &older] {
        chain.accept(held).unwrap();
    }
    chain.take_back(GAME);
    assert_eq!(
        [&newest, &parent, &older].map(|held| standing(&chain, held)),
        [Standing::Withdrawn, Standing::Withdrawn, Standing::Stands]
    );
    assert_eq!(chain.head(), Some(older.anchor()));
    // L1 can change its mind: a pause ends.
    chain.accept(&newest).unwrap();
    assert_eq!(standing(&chain, &newest), Standing::Stands);
    assert_eq!(chain.anchor_at_root(parent.state_root()), None);
}

#[test]
fn blocks_that_exclude_each_other_do_not_count_until_l1_decides() {
    let branch = fork(1);
    let forked = branch.last().unwrap();
    let games = [Address::repeat_byte(9), GAME];
    let other_child = &branch[branch.len() - 2];
    for other in [other_game(forked, false), other_game(other_child, false)] {
        for [first, second] in [[&newest(), &other], [&other, &newest()]] {
            let mut chain = Chain::new();
            chain.accept(first).unwrap();
            let refusal = chain.accept(second).unwrap_err();
            assert!(games.iter().all(|game| refusal.games.contains(game)), "{refusal}");
            assert_eq!((chain.head(), standing(&chain, first)), (None, Standing::Withdrawn));
        }
    }
}

#[test]
fn a_final_block_stays_over_one_that_can_be_challenged() {
    let branch = fork(1);
    let last = other_game(branch.last().unwrap(), true);
    for [first, second] in [[&newest(), &last], [&last, &newest()]] {
        let mut chain = Chain::new();
        chain.accept(first).unwrap();
        let refusal = chain.accept(second).err();
        let expected = Contradiction { games: [GAME, last.vouched().game()] };
        assert_eq!(refusal, (second.hash() != last.hash()).then_some(expected));
        assert_eq!(chain.head(), Some(last.anchor()));
        assert_eq!(standing(&chain, &newest()), Standing::Withdrawn);
    }
}

/// Only `accept` decides between two games. A header that is linked below one of them takes nothing from the other.
#[test]
fn a_parent_that_is_linked_drops_no_block_of_another_game() {
    let branch = fork(1);
    let at = |number: u64| &branch[branch.len() - 1 - usize::try_from(LAST - number).unwrap()];
    for is_final in [true, false] {
        let other = other_game(at(LAST - 2), is_final);
        let mut chain = Chain::new();
        chain.accept(&other).unwrap();
        chain.accept(&newest()).unwrap();
        let refused = chain.attach(block(LAST - 1)).unwrap_err();
        let (number, held, got) = (LAST - 2, other.hash(), block(LAST - 2).hash());
        assert_eq!(refused, ChainError::Vouched { number, held, got });
        assert_eq!([&other, &newest()].map(|held| standing(&chain, held)), [Standing::Stands; 2]);
        assert_eq!(chain.held_at(LAST - 2), Some(other.anchor()));
    }
}

#[test]
fn a_later_verdict_raises_all_blocks_of_the_game() {
    let (mut chain, newest) = (Chain::new(), newest());
    let parent = newest.parent(block(LAST - 1)).unwrap();
    chain.accept(&newest).unwrap();
    chain.accept(&parent).unwrap();
    let mut later = world();
    later.set(GAME, slot(0), status_word(CREATED_AT, L1_TIME, 2, true));
    later.time += 60;
    later.now += 60;
    chain.vouch(&accepted(&later));
    assert_eq!(chain.newest(Level::L1Finalized).map(Anchor::hash), Some(newest.hash()));
    let held = chain.anchor_again(parent.anchor()).unwrap();
    assert_eq!(held.assurance(), Assurance::Rollup(accepted(&later).vouched()));
    // What an earlier verdict said does not lower it.
    chain.accept(&parent).unwrap();
    assert_eq!(chain.anchor_again(parent.anchor()).unwrap().assurance().level(), Level::L1Finalized);
}

#[test]
fn a_stored_block_of_a_rollup_is_the_same_block() {
    let parent = newest().parent(block(LAST - 1)).unwrap();
    let last = other_game(block(LAST), true);
    for anchor in [newest().anchor(), parent.anchor(), last.anchor()] {
        let bytes = anchor.to_bytes();
        let loaded = Anchor::load(&bytes, anchor.chain_id()).unwrap();
        assert_eq!((&loaded, loaded.to_bytes()), (anchor, bytes));
    }
}

#[test]
fn the_number_of_held_blocks_is_bounded() {
    let (mut chain, mut at) = (Chain::new(), newest());
    chain.accept(&at).unwrap();
    for number in (LAST - 400..LAST).rev() {
        at = at.parent(block(number)).unwrap();
        chain.accept(&at).unwrap();
    }
    assert_eq!(chain.head(), Some(newest().anchor()));
    let held = (LAST - 400..=LAST).filter(|number| chain.anchor_at_hash(block(*number).hash()).is_some());
    assert_eq!(held.count(), Chain::CAPACITY);
}
