//! The gate checks every reading against the state at the moment when it is handed out.

use std::time::Duration;

use alloy_primitives::Address;
use saldo_beacon::unit::UnixTime;
use saldo_chain::{Chain, Level};
use saldo_reading::gate::{Demand, Found, Present, Refusal, admit, hand_out, last, recorded, withdrawn};
use saldo_reading::{Candidate, Claim, Generation, Mark, Now, Policy, Reading, Record, Why};
use saldo_tests::life::{Moment, life};
use saldo_token::NotAToken;

const FIRST: Generation = Generation::FIRST;
const SLOT: Duration = Duration::from_secs(12);

/// A late moment, when a signed and a finalized block are known.
fn late() -> &'static Moment {
    &life().moments[55]
}

fn signed() -> Candidate {
    late().proven[0].clone()
}

fn finalized() -> Candidate {
    late().proven[1].clone()
}

/// A candidate at an older block that the chain of [`late`] still holds.
fn older() -> Candidate {
    let holds = |candidate: &&Candidate| {
        candidate.anchor().number() < signed().anchor().number()
            && candidate.anchor().assurance().level() == Level::Signed
            && late().headers.agrees(candidate.anchor()) == Some(true)
    };
    life()
        .moments
        .iter()
        .rev()
        .map(|moment| &moment.proven[0])
        .find(holds)
        .expect("an older signed block")
        .clone()
}

/// A candidate whose block the chain of [`late`] excludes.
fn reorganised() -> Candidate {
    let is_gone = |candidate: &&Candidate| candidate.is_withdrawn_by(&late().headers);
    life()
        .moments
        .iter()
        .map(|moment| &moment.proven[0])
        .find(is_gone)
        .expect("three reorganised blocks")
        .clone()
}

fn at(time: UnixTime) -> Now {
    Now::new(time, None, SLOT)
}

/// The state at [`late`], at the time of the newest block.
fn present(record: Option<&Record>) -> Present<'_> {
    let now = at(signed().anchor().timestamp());
    Present {
        generation: FIRST,
        is_faulted: false,
        wrong_chain_id: None,
        chain: &late().headers,
        record,
        now,
    }
}

fn demand() -> Demand {
    Demand { generation: FIRST, level: Level::Signed, policy: Policy::signed() }
}

fn record_of(candidates: &[Candidate]) -> Record {
    let mut record = Record::new();
    for candidate in candidates {
        let _ = record.offer(candidate.clone());
    }
    record
}

#[test]
fn a_valid_candidate_is_let_out_with_its_present_assurance() {
    let record = record_of(&[signed()]);
    let proven = admit(&signed(), &demand(), &present(Some(&record))).unwrap();
    assert_eq!(proven.anchor(), signed().anchor());
    // A candidate shows everything but its amount.
    let shown = format!("{:?}", signed());
    assert!(
        shown.contains("anchor: ") && !shown.contains(&proven.amount().base_units().to_string()),
        "{shown}"
    );
    // It was signed when it was joined, and is final now.
    let later = &life().moments.last().unwrap().headers;
    let is_final = |candidate: &&Candidate| {
        let now = later.anchor_again(candidate.anchor());
        candidate.anchor().assurance().level() == Level::Signed
            && now.is_some_and(|anchor| anchor.assurance().level() == Level::Finalized)
    };
    let finalized_later = life().moments.iter().map(|moment| &moment.proven[0]).find(is_final).unwrap();
    let now = at(finalized_later.anchor().timestamp());
    let present = Present { chain: later, now, ..present(None) };
    let proven = admit(finalized_later, &Demand { level: Level::Finalized, ..demand() }, &present).unwrap();
    assert_eq!(proven.anchor().assurance().level(), Level::Finalized);
}

#[test]
fn nothing_is_let_out_after_trust_was_restarted() {
    let second = FIRST.next();
    let (call_before, all_before) =
        (Demand { generation: FIRST, ..demand() }, Demand { generation: second, ..demand() });
    let present = Present { generation: second, ..present(None) };
    assert_eq!(admit(&signed(), &call_before, &present), Err(Refusal::TrustRestarted));
    // The call began after the restart, but its candidate was joined before.
    assert_eq!(admit(&signed(), &all_before, &present), Err(Refusal::TrustRestarted));
    let record = record_of(&[signed()]);
    let present = Present { record: Some(&record), ..present };
    assert_eq!(last(&present), None);
    assert_eq!(recorded(&all_before, &present), None);
    assert_eq!(withdrawn(&signed(), second), None);
    let reading = hand_out(Found::Candidate(Box::new(signed())), Mark::default(), [], &call_before, &present);
    assert_eq!((reading.why(), reading.latest_proven()), (Some(&Why::TrustRestarted), None));
}

#[test]
fn nothing_is_let_out_after_a_consensus_fault() {
    let record = record_of(&[signed()]);
    let present = Present { is_faulted: true, ..present(Some(&record)) };
    assert_eq!(admit(&signed(), &demand(), &present), Err(Refusal::ConsensusFault));
    assert_eq!(recorded(&demand(), &present), None);
    for found in [Found::Candidate(Box::new(signed())), Found::Nothing(Why::AllUnreachable)] {
        let reading = hand_out(found, Mark::default(), [], &demand(), &present);
        assert_eq!(reading.why(), Some(&Why::ConsensusFault));
        assert!(reading.latest_proven().is_some(), "the screen keeps the last proven amount, with its age");
    }
}

#[test]
fn a_block_that_the_chain_does_not_know_does_not_stand() {
    let nothing = Chain::new();
    let present = Present { chain: &nothing, ..present(None) };
    assert_eq!(admit(&signed(), &demand(), &present), Err(Refusal::NotHeld));
    assert_eq!(admit(&finalized(), &demand(), &present), Err(Refusal::NotHeld));
}

#[test]
fn a_withdrawn_block_is_refused_and_is_not_shown_as_the_last_one() {
    let gone = reorganised();
    let now = at(gone.anchor().timestamp());
    // The record was not reviewed since the chain excluded the block.
    let record = record_of(std::slice::from_ref(&gone));
    let present = Present { now, ..present(Some(&record)) };
    assert_eq!(admit(&gone, &demand(), &present), Err(Refusal::NotHeld));
    assert_eq!(last(&present), None);
    let reading =
        hand_out(Found::Candidate(Box::new(gone.clone())), Mark::default(), [], &demand(), &present);
    assert_eq!((reading.why(), reading.latest_proven()), (Some(&Why::BlockWithdrawn), None));
    // A watch reports which reading no longer holds.
    assert_eq!(withdrawn(&gone, FIRST).unwrap().anchor(), gone.anchor());
}

#[test]
fn a_withdrawn_newest_reading_leaves_the_finalized_one() {
    let (gone, below) = (reorganised(), life().moments.iter().flat_map(|moment| moment.proven.get(1)).next());
    let below = below.unwrap().clone();
    assert!(below.anchor().number() < gone.anchor().number());
    let record = record_of(&[below.clone(), gone]);
    let shown = last(&present(Some(&record))).unwrap();
    assert_eq!(shown.anchor().hash(), below.anchor().hash());
}

#[test]
fn a_signed_block_is_too_weak_for_a_finalized_reading() {
    let demand = Demand { level: Level::Finalized, policy: Policy::finalized(), ..demand() };
    assert_eq!(admit(&signed(), &demand, &present(None)), Err(Refusal::TooWeak));
    let proven = admit(&finalized(), &demand, &present(None)).unwrap();
    assert_eq!(proven.anchor().hash(), finalized().anchor().hash());
}

#[test]
fn a_finalized_reading_may_be_older_than_the_newest_signed_one() {
    let record = record_of(&[signed(), finalized()]);
    let demand = Demand { level: Level::Finalized, policy: Policy::finalized(), ..demand() };
    let proven = admit(&finalized(), &demand, &present(Some(&record))).unwrap();
    assert_eq!(proven.anchor().hash(), finalized().anchor().hash());
}

#[test]
fn a_restored_reading_is_shown_as_the_last_one_and_never_as_proven() {
    let restored = signed().as_restored();
    let record = record_of(std::slice::from_ref(&restored));
    let present = present(Some(&record));
    assert_eq!(admit(&restored, &demand(), &present), Err(Refusal::Restored));
    assert_eq!(recorded(&demand(), &present), None);
    let reading = hand_out(Found::Nothing(Why::AllUnreachable), Mark::default(), [], &demand(), &present);
    assert_eq!(reading.proven(), None);
    assert!(reading.latest_proven().unwrap().is_restored());
}

#[test]
fn the_age_must_be_known_and_within_the_policy() {
    let then = signed().anchor().timestamp();
    let limit = Policy::signed().max_age + SLOT * Now::SLOTS_BEHIND;
    let of_age = |age| Present { now: at(then.saturating_add(age)), ..present(None) };
    assert!(admit(&signed(), &demand(), &of_age(limit)).is_ok());
    let age = limit + Duration::from_secs(1);
    assert_eq!(admit(&signed(), &demand(), &of_age(age)), Err(Refusal::TooOld { age }));
    let clock_off = Now::new(UnixTime::from_secs(1), Some(then), SLOT);
    let present = Present { now: clock_off, ..present(None) };
    assert_eq!(admit(&signed(), &demand(), &present), Err(Refusal::AgeUnknown));
    let reading = hand_out(Found::Candidate(Box::new(signed())), Mark::default(), [], &demand(), &present);
    assert_eq!(reading.why(), Some(&Why::ClockOff));
}

#[test]
fn the_newer_recorded_reading_is_let_out_instead_of_an_older_one() {
    let record = record_of(&[older(), signed()]);
    let proven = admit(&older(), &demand(), &present(Some(&record))).unwrap();
    assert_eq!(proven.anchor().hash(), signed().anchor().hash());
}

#[test]
fn an_older_block_is_not_let_out_if_the_newer_one_is_refused() {
    let record = record_of(&[signed().as_restored()]);
    let present = present(Some(&record));
    let age = present.now.age_of(older().anchor().timestamp()).unwrap();
    assert_eq!(admit(&older(), &demand(), &present), Err(Refusal::OlderThanRecord { age }));
}

/// The record may still hold what storage said of the same block.
#[test]
fn a_restored_reading_of_the_same_block_does_not_stop_a_proven_one() {
    let record = record_of(&[signed().as_restored()]);
    assert!(admit(&signed(), &demand(), &present(Some(&record))).is_ok());
}

#[test]
fn a_reading_that_another_call_proved_meanwhile_is_handed_out() {
    let record = record_of(&[older(), signed()]);
    let nothing = || Found::Nothing(Why::AllUnreachable);
    let present = present(Some(&record));
    let reading = hand_out(nothing(), Mark::of(&older()), [], &demand(), &present);
    assert_eq!(reading.proven().unwrap().anchor().hash(), signed().anchor().hash());
    // It was known before the call began: the call learned nothing.
    let reading = hand_out(nothing(), Mark::of(&signed()), [], &demand(), &present);
    assert_eq!(reading.why(), Some(&Why::AllUnreachable));
    assert_eq!(reading.latest_proven().unwrap().anchor().hash(), signed().anchor().hash());
    // It was restored before, and proven meanwhile.
    let before = Mark::of(&signed().as_restored());
    assert!(hand_out(nothing(), before, [], &demand(), &present).proven().is_some());
}

const NO_CODE: Why = Why::NotAToken { reason: NotAToken::NoCode { address: Address::ZERO } };

/// The call proved that there is no amount at its block. Only what was proven at a later block is newer than that.
#[test]
fn an_older_amount_is_not_handed_out_over_a_proof_that_there_is_none() {
    let record = record_of(&[older(), signed()]);
    let (present, number) = (present(Some(&record)), signed().anchor().number());
    for (number, is_newer) in [(number - 1, true), (number, false), (number + 1, false)] {
        let gone = Found::NoBalance { why: NO_CODE, number };
        let reading = hand_out(gone, Mark::of(&older()), [], &demand(), &present);
        assert_eq!(reading.proven().is_some(), is_newer, "{number}");
        assert_eq!(reading.why().is_some_and(|why| *why == NO_CODE), !is_newer);
        assert_eq!(reading.latest_proven().unwrap().anchor().hash(), signed().anchor().hash());
    }
    // It was known before the call began.
    let gone = Found::NoBalance { why: NO_CODE, number: 0 };
    assert!(hand_out(gone, Mark::of(&signed()), [], &demand(), &present).proven().is_none());
}

#[test]
fn a_claim_carries_the_reading_that_holds_now() {
    let record = record_of(&[signed()]);
    let account = saldo_tests::life::account_at(signed().anchor());
    let claim = Found::Claim {
        claim: Claim::from(&account),
        provider: signed().provider().clone(),
        why: Why::UnsignedTip,
    };
    let reading = hand_out(claim, Mark::of(&signed()), [], &demand(), &present(Some(&record)));
    let Reading::Provisional(claim) = reading else { panic!("{reading:?}") };
    assert_eq!(claim.last().unwrap().anchor().hash(), signed().anchor().hash());
    assert!(claim.unconfirmed_amount().is_some());
}

/// The providers say that the table has the chain id of another chain: no amount is shown under the wrong name, not even an old one.
#[test]
fn nothing_is_let_out_under_a_wrong_chain_id() {
    let record = record_of(&[signed()]);
    let present = Present { wrong_chain_id: Some(7), ..present(Some(&record)) };
    assert_eq!(admit(&signed(), &demand(), &present), Err(Refusal::WrongChainId { expected: 7 }));
    assert_eq!(recorded(&demand(), &present), None);
    assert_eq!(last(&present), None);
    for found in [Found::Candidate(Box::new(signed())), Found::Nothing(Why::AllUnreachable)] {
        let reading = hand_out(found, Mark::default(), [], &demand(), &present);
        assert_eq!(reading.why(), Some(&Why::WrongChain { expected: 7 }));
        assert_eq!(reading.latest_proven(), None);
    }
}
