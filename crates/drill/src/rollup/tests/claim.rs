//! True and false claims, and where a wallet finds them.

use saldo_chain::rollup::{GameClaim, OpenError, Refusal, Verdict, WhyProposed, intermediate_roots};

use super::wallet::{
    MULTIPROOF, UNTIL_FINAL, accepted, header, newest_claim, newest_verdict, proposed, read, rollup, verdict,
};
use crate::{Proposal, RollupKind};

#[test]
fn the_list_of_the_factory_leads_to_every_claim() {
    for kind in [MULTIPROOF, RollupKind::Fault] {
        let (l1, rollup) = rollup(kind);
        let proposals = [20, 40, 60].map(|number| rollup.propose(number));
        rollup.advance(UNTIL_FINAL);
        let listed = read(&l1, &rollup, |view, _| {
            let factory = view.registry()?.factory()?;
            (0..factory.count()?).map(|number| factory.listed(number)).collect::<Result<Vec<_>, _>>()
        });
        let listed = listed.unwrap();
        let games = |proposals: &[Proposal]| proposals.iter().map(Proposal::game).collect::<Vec<_>>();
        assert_eq!(listed.iter().map(|id| id.address()).collect::<Vec<_>>(), games(&proposals));
        assert!(listed.iter().all(|id| id.game_type() == kind.game_type()));
        let newest = read(&l1, &rollup, |view, state| newest_claim(kind, view.registry()?, state));
        assert_eq!(newest.as_ref(), Ok(proposals[2].claim()));
        for proposal in &proposals {
            let verdict = verdict(&l1, &rollup, proposal.claim()).unwrap();
            let game = match verdict {
                Verdict::Accepted(accepted) => accepted.game(),
                Verdict::Proposed(proposed) => proposed.game(),
            };
            assert_eq!(game, proposal.game());
        }
    }
}

#[test]
fn a_factory_has_a_claim_once() {
    let (l1, rollup) = rollup(RollupKind::Fault);
    let count = || read(&l1, &rollup, |view, _| view.registry()?.factory()?.count()).unwrap();
    let first = rollup.propose(60);
    assert_eq!(rollup.propose(60), first, "in the same block");
    rollup.advance(UNTIL_FINAL);
    let before = read(&l1, &rollup, |view, _| view.registry()?.factory()?.listed(0)).unwrap();
    assert_eq!(rollup.propose(60), first);
    rollup.advance(UNTIL_FINAL);
    let after = read(&l1, &rollup, |view, _| view.registry()?.factory()?.listed(0)).unwrap();
    assert_eq!((count(), after), (1, before));
}

/// The parent is part of the extra data, so the same blocks can be proposed again.
#[test]
fn a_game_with_proofs_names_the_one_before_it() {
    let (l1, rollup) = rollup(MULTIPROOF);
    let proposals = [rollup.propose(60), rollup.propose(60)];
    let parent = |proposal: &Proposal| proposal.claim().extra_data[32..52].to_vec();
    assert_eq!(parent(&proposals[0]), rollup.profile().registry().as_slice());
    assert_eq!(parent(&proposals[1]), proposals[0].game().as_slice());
    let GameClaim { root_claim, extra_data, .. } = proposals[1].claim();
    let roots = intermediate_roots(extra_data, *root_claim, 20, 5).unwrap();
    assert_eq!(roots.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [45, 50, 55, 60]);
    rollup.advance(UNTIL_FINAL);
    assert_eq!(accepted(newest_verdict(&l1, &rollup)).game(), proposals[1].game());
}

/// The prover failed: L1 vouches for a claim that no block of the rollup fulfils. So no header opens it.
#[test]
fn a_false_claim_opens_no_block() {
    let (l1, rollup) = rollup(MULTIPROOF);
    rollup.propose_false(60);
    rollup.advance(UNTIL_FINAL);
    let accepted = accepted(newest_verdict(&l1, &rollup));
    for number in [45, 50, 55, 60] {
        let refusal = accepted.open(&header(rollup.chain(), number), None).unwrap_err();
        assert!(matches!(refusal, OpenError::OutputRoot { .. }), "{refusal}");
    }
}

#[test]
fn a_claim_about_a_fork_opens_only_blocks_of_the_fork() {
    let (l1, rollup) = rollup(MULTIPROOF);
    let fork = rollup.chain().split();
    rollup.advance(4);
    fork.advance_to(l1.now());
    rollup.propose_of(&fork, 80);
    rollup.advance(UNTIL_FINAL);
    let accepted = accepted(newest_verdict(&l1, &rollup));
    let own = header(rollup.chain(), 80);
    assert!(matches!(accepted.open(&own, None), Err(OpenError::OutputRoot { .. })));
    let other = accepted.open(&header(&fork, 80), None).unwrap();
    assert_eq!(other.hash(), fork.block(80).unwrap().hash);
    assert_ne!(other.hash(), own.hash());
}

#[test]
fn anybody_can_propose_a_false_claim_where_no_proof_is_checked() {
    let (l1, rollup) = rollup(RollupKind::Fault);
    let proposal = rollup.propose_false(60);
    rollup.advance(UNTIL_FINAL);
    assert_eq!(proposed(newest_verdict(&l1, &rollup)), WhyProposed::InProgress);
    rollup.resolve(proposal.game(), false);
    rollup.advance(UNTIL_FINAL);
    assert_eq!(newest_verdict(&l1, &rollup), Err(Refusal::ChallengerWins));
}

#[test]
fn a_claim_that_was_not_proposed_is_no_game() {
    let (l1, rollup) = rollup(MULTIPROOF);
    let mut claim = rollup.propose(60).claim().clone();
    rollup.advance(UNTIL_FINAL);
    claim.root_claim.0[0] ^= 1;
    assert_eq!(verdict(&l1, &rollup, &claim), Err(Refusal::NoSuchGame));
}

#[test]
#[should_panic(expected = "no game is about block 61")]
fn no_game_is_about_a_part_of_an_interval() {
    rollup(MULTIPROOF).1.propose(61);
}

#[test]
#[should_panic(expected = "only blocks that exist are proposed")]
fn no_game_is_about_a_block_that_does_not_exist() {
    rollup(MULTIPROOF).1.propose(80);
}

#[test]
#[should_panic(expected = "a step of 3 blocks does not divide 20")]
fn the_roots_of_a_game_are_at_even_distances() {
    rollup(RollupKind::Multiproof { interval: 20, step: 3 }).1.propose(20);
}
