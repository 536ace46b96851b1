//! What a proposer, a challenger and the guardian do, and what a wallet then finds on L1.

use alloy_primitives::{Address, B256, U256, keccak256};
use saldo_beacon::unit::UnixTime;
use saldo_chain::rollup::{Accepted, Contract, Level, Provers, Refusal, Verdict, WhyProposed, observe};

use super::wallet::{MULTIPROOF, UNTIL_FINAL, accepted, header, newest_verdict, proposed, read, rollup};
use crate::{Chain, Rollup, RollupKind};

/// Proposes blocks of a rollup that checks proofs, and has L1 make that final.
fn with_game() -> (Chain, Rollup, Address) {
    let (l1, rollup) = rollup(MULTIPROOF);
    let game = rollup.propose(60).game();
    rollup.advance(UNTIL_FINAL);
    assert_eq!(accepted(newest_verdict(&l1, &rollup)).game(), game);
    (l1, rollup, game)
}

/// The verdict about the game after `act`, once that is final.
fn after(act: impl FnOnce(&Rollup, Address)) -> Result<Verdict, Refusal> {
    let (l1, rollup, game) = with_game();
    act(&rollup, game);
    assert_eq!(accepted(newest_verdict(&l1, &rollup)).game(), game, "nothing happens before the next block");
    rollup.advance(UNTIL_FINAL);
    newest_verdict(&l1, &rollup)
}

/// The refusal after `act`. It takes the game back.
fn refused(act: impl FnOnce(&Rollup, Address)) -> Refusal {
    let refusal = after(act).unwrap_err();
    assert!(refusal.takes_back(), "{refusal}");
    refusal
}

#[test]
fn a_lost_game_counts_no_more() {
    assert_eq!(refused(|rollup, game| rollup.resolve(game, false)), Refusal::ChallengerWins);
}

#[test]
fn a_countered_game_counts_no_more() {
    assert_eq!(refused(|rollup, game| rollup.counter(game, 2)), Refusal::Countered { index: 2 });
}

#[test]
fn a_blacklisted_game_counts_no_more() {
    assert_eq!(refused(|rollup, game| rollup.blacklist(game)), Refusal::Blacklisted);
    let other = after(|rollup, _| rollup.blacklist(Address::repeat_byte(7)));
    assert_eq!(accepted(other).level(), Level::L1ProofChecked);
}

#[test]
fn games_are_retired_up_to_a_moment() {
    let (l1, rollup) = rollup(MULTIPROOF);
    let created = UnixTime::from_secs(l1.time().as_secs() + 12);
    rollup.propose(60);
    rollup.retire(UnixTime::from_secs(created.as_secs() - 1));
    rollup.advance(UNTIL_FINAL);
    assert_eq!(accepted(newest_verdict(&l1, &rollup)).level(), Level::L1ProofChecked);
    rollup.retire(created);
    rollup.advance(UNTIL_FINAL);
    let retired = Refusal::Retired { created: created.as_secs(), retirement: created.as_secs() };
    assert_eq!(newest_verdict(&l1, &rollup), Err(retired.clone()));
    assert!(retired.takes_back());
    // Later games count.
    let game = rollup.propose(80).game();
    rollup.advance(UNTIL_FINAL);
    assert_eq!(accepted(newest_verdict(&l1, &rollup)).game(), game);
}

#[test]
fn while_the_rollup_is_paused_no_game_counts() {
    assert_eq!(refused(|rollup, _| rollup.pause(true)), Refusal::Paused);
    let (l1, rollup, game) = with_game();
    rollup.pause(true);
    rollup.advance(1);
    rollup.pause(false);
    rollup.advance(UNTIL_FINAL);
    assert_eq!(accepted(newest_verdict(&l1, &rollup)).game(), game);
}

/// The judge of a scenario reads L1's own storage: it does not ask the verifier that it judges.
#[test]
fn what_l1_accepted_is_known_at_each_of_its_blocks() {
    let acts: [fn(&Rollup, Address); 6] = [
        |rollup, game| rollup.resolve(game, false),
        |rollup, game| rollup.counter(game, 0),
        |rollup, game| rollup.blacklist(game),
        |rollup, game| rollup.prove(game, Provers::None),
        |rollup, _| rollup.retire(rollup.chain().now()),
        |rollup, _| rollup.pause(true),
    ];
    for (number, act) in acts.iter().enumerate() {
        let (l1, rollup, game) = with_game();
        let before = l1.tip().hash;
        assert!(rollup.accepts(game, before), "{number}");
        assert!(!rollup.accepts(game, l1.block(0).unwrap().hash), "{number}: there was no game yet");
        assert!(!rollup.accepts(Address::repeat_byte(7), before), "{number}: there is no such game");
        act(&rollup, game);
        rollup.advance(1);
        assert!(!rollup.accepts(game, l1.tip().hash), "{number}");
        assert!(rollup.accepts(game, before), "{number}: what was is not changed");
    }
}

#[test]
fn l1_accepts_a_fault_game_when_it_can_no_longer_be_challenged() {
    let (l1, rollup) = rollup(RollupKind::Fault);
    let game = rollup.propose(60).game();
    rollup.advance(1);
    assert!(!rollup.accepts(game, l1.tip().hash), "anybody may propose");
    rollup.resolve(game, true);
    l1.set_pace(1_000);
    for (slots, is_over) in [(25_000, false), (2_000, true)] {
        l1.advance(slots);
        assert_eq!(rollup.accepts(game, l1.tip().hash), is_over, "after {slots} slots");
    }
}

#[test]
fn a_rollup_that_has_stopped_makes_up_for_its_blocks() {
    let (_, rollup) = rollup(MULTIPROOF);
    let before = rollup.chain().tip().number;
    rollup.chain().stop(true);
    rollup.advance(5);
    assert_eq!(rollup.chain().tip().number, before);
    rollup.chain().stop(false);
    rollup.advance(1);
    let after = rollup.chain().tip();
    assert_eq!(after.number, before + 6 * 12 / 2, "a block is as old as its number says");
    assert_eq!(after.timestamp, rollup.chain().network().slot_start(after.slot));
}

#[test]
fn a_registry_with_other_code_is_unknown() {
    let code = "another registry";
    let refusal = after(|rollup, _| rollup.upgrade_registry(code.into())).unwrap_err();
    assert_eq!(refusal, Refusal::UnknownCode { contract: Contract::Registry, got: keccak256(code) });
    assert!(!refusal.takes_back(), "nothing is known about the game");
}

#[test]
fn provers_are_named_while_they_count() {
    let provers_after = |provers| {
        let (l1, rollup, game) = with_game();
        rollup.prove(game, provers);
        rollup.advance(UNTIL_FINAL);
        let accepted: Accepted = accepted(newest_verdict(&l1, &rollup));
        accepted.open(&header(rollup.chain(), 60), None).unwrap().vouched().provers()
    };
    for provers in [Provers::Tee, Provers::Zk, Provers::Both] {
        assert_eq!(provers_after(provers), provers);
    }
    let none = after(|rollup, game| rollup.prove(game, Provers::None));
    assert_eq!(proposed(none), WhyProposed::NoProof);
}

#[test]
fn the_type_that_counts_can_change() {
    let other = after(|rollup, _| rollup.respect(1));
    assert_eq!(proposed(other), WhyProposed::OtherType { respected: 1 });
    let refusal = refused(|rollup, _| {
        rollup.respect(1);
        rollup.propose(80);
        rollup.respect(621);
    });
    assert_eq!(refusal, Refusal::NotRespected);
    for kind in [MULTIPROOF, RollupKind::Fault] {
        let (l1, rollup) = rollup(kind);
        rollup.respect(kind.game_type() + 1);
        rollup.propose(60);
        rollup.advance(UNTIL_FINAL);
        assert_eq!(newest_verdict(&l1, &rollup), Err(Refusal::NotRespected), "{kind:?}");
    }
}

#[test]
fn a_fault_game_obeys_the_guardian_too() {
    let after = |act: fn(&Rollup, Address)| {
        let (l1, rollup) = rollup(RollupKind::Fault);
        let game = rollup.propose(60).game();
        rollup.advance(1);
        act(&rollup, game);
        rollup.advance(UNTIL_FINAL);
        newest_verdict(&l1, &rollup)
    };
    assert_eq!(proposed(after(|_, _| {})), WhyProposed::InProgress);
    assert_eq!(after(|rollup, game| rollup.resolve(game, false)), Err(Refusal::ChallengerWins));
    assert_eq!(after(|rollup, game| rollup.blacklist(game)), Err(Refusal::Blacklisted));
    assert_eq!(after(|rollup, _| rollup.pause(true)), Err(Refusal::Paused));
    let retired = after(|rollup, _| rollup.retire(rollup.chain().now()));
    assert!(matches!(retired, Err(Refusal::Retired { .. })), "{retired:?}");
    let unknown = after(|rollup, _| rollup.upgrade_registry("another registry".into()));
    assert!(matches!(unknown, Err(Refusal::UnknownCode { contract: Contract::Registry, .. })), "{unknown:?}");
}

#[test]
#[should_panic(expected = "the rollup's games check no proofs")]
fn a_fault_game_has_no_proofs() {
    let (_, rollup) = rollup(RollupKind::Fault);
    let game = rollup.propose(60).game();
    rollup.prove(game, Provers::Tee);
}

/// What a person reads to complete a profile is what the profile of the drill says.
#[test]
fn the_observed_codes_are_those_of_the_profile() {
    let (l1, rollup, game) = with_game();
    let codes = read(&l1, &rollup, |view, _| observe(&view)).unwrap().codes;
    let contracts = codes.iter().map(|code| code.contract).collect::<Vec<_>>();
    use Contract::{Factory, Game, Registry, SuperchainConfig};
    assert_eq!(contracts, [Registry, Factory, Game, SuperchainConfig]);
    assert_eq!((codes[2].address, codes[2].game_type), (game, Some(621)));
    let profile = rollup.profile_toml();
    assert!(codes.iter().all(|code| profile.contains(&code.code_hash.to_string())), "{codes:?}");
}

#[test]
fn l1_names_the_sequencer() {
    let (l1, rollup, _) = with_game();
    let sequencer = read(&l1, &rollup, |view, _| view.sequencer()).unwrap();
    assert!(sequencer.is_some_and(|sequencer| sequencer != Address::ZERO));
    let other = Rollup::new(&l1, RollupKind::Fault);
    rollup.advance(UNTIL_FINAL);
    assert_ne!(read(&l1, &other, |view, _| view.sequencer()).unwrap(), sequencer);
}

/// A game is part of L1's state: what a reorganisation undoes never was.
#[test]
fn a_reorganisation_of_l1_undoes_a_game() {
    let (l1, rollup, first) = with_game();
    let undone = rollup.propose(80).game();
    rollup.advance(2);
    let count = || read(&l1, &rollup, |view, _| view.registry()?.factory()?.count());
    assert_ne!(l1.storage_at(l1.tip().number, undone, B256::ZERO), Some(U256::ZERO));
    l1.reorg(3);
    rollup.advance(UNTIL_FINAL);
    assert_eq!(count(), Ok(1));
    assert_eq!(accepted(newest_verdict(&l1, &rollup)).game(), first);
    let again = rollup.propose(80).game();
    rollup.advance(UNTIL_FINAL);
    assert_eq!((count(), accepted(newest_verdict(&l1, &rollup)).game()), (Ok(2), again));
}
