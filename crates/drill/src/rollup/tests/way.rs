//! From L1 to a balance, for both kinds of games.

use std::time::Duration;

use alloy_primitives::{Address, B256, U256};
use saldo_chain::Path;
use saldo_chain::rollup::{Accepted, Level, Pause, Profile, Provers, RollupAnchor, WhyProposed};

use super::wallet::{
    MULTIPROOF, UNTIL_FINAL, accepted, account, balance, header, newest_verdict, proposed, rollup, slot_of,
};
use crate::simulate::Simulation;
use crate::{Chain, HISTORY_CONTRACT, Rollup, RollupKind};

const ALICE: Address = Address::repeat_byte(0xa1);

/// Opens every block of a claim, and checks it and a balance under it against the truth.
fn open_all(rollup: &Rollup, accepted: &Accepted) -> Vec<RollupAnchor> {
    let open = |number: u64| {
        let anchor = accepted.open(&header(rollup.chain(), number), None).unwrap();
        let block = rollup.chain().block(number).unwrap();
        assert_eq!((anchor.number(), anchor.hash()), (number, block.hash));
        assert_eq!((anchor.state_root().get(), anchor.timestamp()), (block.state_root, block.timestamp));
        assert_eq!(
            (anchor.chain_id(), anchor.vouched().pause()),
            (rollup.profile().chain_id(), Pause::NotPaused)
        );
        let truth = rollup.chain().balance_at(number, ALICE).unwrap();
        assert_eq!(balance(rollup.chain(), number, anchor.state_root(), ALICE), truth);
        anchor
    };
    accepted.block_numbers().map(open).collect()
}

#[test]
fn a_checked_proof_leads_from_l1_to_balances() {
    let (l1, rollup) = rollup(MULTIPROOF);
    rollup.chain().set_balance(ALICE, U256::from(125));
    rollup.advance(1);
    rollup.chain().set_balance(ALICE, U256::from(150));
    rollup.advance(3);
    let proposal = rollup.propose(80);
    rollup.advance(UNTIL_FINAL);

    let accepted = accepted(newest_verdict(&l1, &rollup));
    assert_eq!((accepted.level(), accepted.game()), (Level::L1ProofChecked, proposal.game()));
    assert_eq!(accepted.block_numbers().collect::<Vec<_>>(), [65, 70, 75, 80]);
    let anchors = open_all(&rollup, &accepted);
    for vouched in anchors.iter().map(RollupAnchor::vouched) {
        assert_eq!((vouched.provers(), vouched.game_type()), (Provers::Tee, 621));
    }
    let truth = [65, 70].map(|number| rollup.chain().balance_at(number, ALICE));
    assert_eq!(truth, [Some(U256::from(125)), Some(U256::from(150))]);
}

/// A provider that serves proofs only at its head gave one for block 78 when that was the head.
#[test]
fn headers_and_the_history_contract_link_older_blocks() {
    let (l1, rollup) = rollup(MULTIPROOF);
    rollup.advance(4);
    rollup.propose(80);
    rollup.advance(UNTIL_FINAL);
    let accepted = accepted(newest_verdict(&l1, &rollup));
    let last = open_all(&rollup, &accepted).pop().unwrap();
    let headers = [79, 78].map(|number| header(rollup.chain(), number));
    let linked = last.ancestor(&headers).unwrap();
    assert_eq!((linked.number(), linked.path()), (78, Path::Ancestor { depth: 2 }));
    assert_eq!(linked.state_root().get(), rollup.chain().block(78).unwrap().state_root);

    let key = B256::from(U256::from(3));
    let (contract, slot) = (
        account(rollup.chain(), 80, last.state_root(), HISTORY_CONTRACT),
        slot_of(rollup.chain(), 80, last.state_root(), HISTORY_CONTRACT, key),
    );
    let recorded = last.recorded(&contract, &slot, &header(rollup.chain(), 3)).unwrap();
    assert_eq!((recorded.number(), recorded.path()), (3, Path::History { under: 80 }));
}

#[test]
fn a_fault_game_leads_to_a_balance_after_days() {
    let (l1, rollup) = rollup(RollupKind::Fault);
    rollup.chain().set_balance(ALICE, U256::from(125));
    rollup.advance(1);
    let proposal = rollup.propose(66);
    rollup.advance(UNTIL_FINAL);
    assert_eq!(proposed(newest_verdict(&l1, &rollup)), WhyProposed::InProgress);

    rollup.resolve(proposal.game(), true);
    let resolved_at = l1.time().as_secs() + 12;
    rollup.advance(UNTIL_FINAL);
    let until = resolved_at + 302_400;
    assert_eq!(proposed(newest_verdict(&l1, &rollup)), WhyProposed::DelayNotOver { until });

    // 3.5 days, with a block of either chain now and then.
    l1.set_pace(200);
    rollup.chain().set_pace(1_200);
    rollup.advance(302_400 / 12);
    l1.set_pace(1);
    rollup.advance(UNTIL_FINAL);
    let accepted = accepted(newest_verdict(&l1, &rollup));
    assert_eq!((accepted.level(), accepted.game()), (Level::L1Finalized, proposal.game()));
    let anchors = open_all(&rollup, &accepted);
    assert_eq!((anchors.len(), anchors[0].number(), anchors[0].vouched().provers()), (1, 66, Provers::None));
    assert_eq!(rollup.chain().balance_at(66, ALICE), Some(U256::from(125)));
}

#[test]
fn a_game_that_ended_is_final_where_proofs_are_checked() {
    let (l1, rollup) = rollup(MULTIPROOF);
    let proposal = rollup.propose(60);
    rollup.advance(1);
    rollup.resolve(proposal.game(), true);
    rollup.advance(UNTIL_FINAL);
    let accepted = accepted(newest_verdict(&l1, &rollup));
    assert_eq!(accepted.level(), Level::L1Finalized);
    assert_eq!(open_all(&rollup, &accepted).len(), 4);
}

#[test]
fn rollups_with_chains_of_their_own_share_an_l1() {
    let (l1, base) = rollup(MULTIPROOF);
    let fault = Rollup::new(&l1, RollupKind::Fault);
    let chain = Chain::builder(9).chain_id(8453).genesis_time(l1.now()).slot_duration(Duration::from_secs(3));
    let other = Rollup::with_chain(&l1, &chain.build(), RollupKind::Multiproof { interval: 4, step: 2 });
    let games = [base.propose(40), fault.propose(40), other.propose(8)].map(|proposal| proposal.game());
    l1.advance(UNTIL_FINAL);

    let of = |rollup: &Rollup| accepted(newest_verdict(&l1, rollup));
    assert_eq!((of(&base).game(), of(&base).block_number()), (games[0], Some(40)));
    assert_eq!(proposed(newest_verdict(&l1, &fault)), WhyProposed::InProgress);
    assert_eq!((of(&other).game(), of(&other).block_number()), (games[2], Some(8)));
    assert_eq!(open_all(&other, &of(&other)).len(), 2);
    assert_eq!((other.profile().chain_id(), other.profile().block_time()), (8453, Some(3)));
}

#[test]
fn the_profile_names_chain_and_clock() {
    for kind in [MULTIPROOF, RollupKind::Multiproof { interval: 600, step: 30 }, RollupKind::Fault] {
        let (l1, rollup) = rollup(kind);
        let profile = rollup.profile();
        assert_eq!(Profile::from_toml(&rollup.profile_toml()), Ok(profile.clone()));
        assert!(profile.is_pinned());
        assert_eq!((profile.chain_id(), profile.l1_chain_id()), (kind.chain_id(), l1.network().chain_id()));
        let tip = rollup.chain().tip();
        assert_eq!(tip.timestamp, l1.now());
        assert_eq!(profile.block_at(tip.timestamp), Some(tip.number));
    }
}

#[test]
fn in_virtual_time_the_rollup_goes_on_with_l1() {
    let (l1, rollup) = rollup(MULTIPROOF);
    let mut simulation = Simulation::new(1, &l1);
    simulation.follow(rollup.chain());
    let before = (l1.tip().number, rollup.chain().tip().number);
    simulation.pass(Duration::from_secs(60));
    assert_eq!((l1.tip().number, rollup.chain().tip().number), (before.0 + 5, before.1 + 30));
    rollup.chain().set_pace(u64::MAX);
    simulation.pass(Duration::from_secs(60));
    assert_eq!((l1.tip().number, rollup.chain().tip().number), (before.0 + 10, before.1 + 30));
}
