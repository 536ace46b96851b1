//! Promise 3: a shown reading was proven. It is never replaced by one of an older block, or by a weaker one of the
//! same block, except by a withdrawal that says so.

use alloy_primitives::B256;
use proptest::prelude::*;
use saldo_chain::{Anchor, Chain as Headers, Level, Standing};
use saldo_reading::{Candidate, Change, Record};
use saldo_tests::gate::let_out;
use saldo_tests::life::{Moment, life, life_of, prove};
use saldo_tests::stored::payload_root;

/// Whether both have the same amount, which only the gate shows.
fn same_amount(one: &Candidate, other: &Candidate) -> bool {
    let chain = |candidate: &Candidate| {
        let holds = |moment: &&Moment| moment.headers.agrees(candidate.anchor()) == Some(true);
        life().moments.iter().find(holds).map(|moment| let_out(candidate, &moment.headers).amount())
    };
    chain(one).is_some() && chain(one) == chain(other)
}

#[derive(Clone, Debug)]
enum Event {
    /// A reading arrives that was proven at that moment, perhaps long ago.
    Offer { moment: usize, which: usize },
    /// The light client has reached that moment.
    Review { moment: usize },
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        3 => (0_usize..60, 0_usize..2).prop_map(|(moment, which)| Event::Offer { moment, which }),
        1 => (0_usize..60).prop_map(|moment| Event::Review { moment }),
    ];
    proptest::collection::vec(event, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn no_order_of_events_replaces_a_stronger_reading(events in events()) {
        let life = life();
        let mut record = Record::new();
        let mut offered: Vec<&Candidate> = Vec::new();
        for event in events {
            let before = record.last().cloned();
            let change = match event {
                Event::Offer { moment, which } => {
                    let moment = &life.moments[moment];
                    let proven = &moment.proven[which % moment.proven.len()];
                    offered.push(proven);
                    record.offer(proven.clone())
                }
                Event::Review { moment } => record.review(&life.moments[moment].headers),
            };
            let Some(after) = record.last() else {
                // No reading is shown only before the first offer, or after a withdrawal without a final reading to
                // return to.
                prop_assert!(before.is_none() || matches!(change, Change::Withdrawn { .. }), "lost");
                continue;
            };
            // The shown reading is always one that was proven, unchanged.
            let same = |proven: &&Candidate| {
                proven.anchor().hash() == after.anchor().hash() && same_amount(proven, after)
            };
            prop_assert!(offered.iter().any(same));
            let Some(before) = before else { continue };
            match change {
                Change::Withdrawn { withdrawn } => {
                    prop_assert_eq!(*withdrawn, before);
                    prop_assert_eq!(after.anchor().assurance().level(), Level::Finalized);
                }
                Change::Replaced | Change::Kept => {
                    let (was, is) = (before.anchor(), after.anchor());
                    prop_assert!(is.number() >= was.number(), "from an older block");
                    if is.number() == was.number() {
                        prop_assert!(is.assurance().level() >= was.assurance().level(), "weaker");
                    }
                    if matches!(change, Change::Kept) {
                        prop_assert_eq!(&before, after);
                    }
                }
            }
        }
    }
}

/// A reading of a block that the chain excludes is withdrawn, and the best finalized reading returns.
#[test]
fn a_reorganised_block_is_withdrawn() {
    let life = life();
    let mut withdrawn = 0;
    for pair in life.moments.windows(2) {
        let [earlier, later] = pair else { continue };
        let mut record = Record::new();
        let signed = &earlier.proven[0];
        for proven in earlier.proven.iter().rev() {
            let _ = record.offer(proven.clone());
        }
        let change = record.review(&later.headers);
        match later.headers.standing(signed.anchor()) {
            Standing::Stands => assert!(!matches!(change, Change::Withdrawn { .. })),
            Standing::Withdrawn => {
                withdrawn += 1;
                assert_eq!(change, Change::Withdrawn { withdrawn: Box::new(signed.clone()) });
                assert_eq!(record.last(), earlier.proven.get(1), "the finalized one returns");
            }
        }
    }
    assert_eq!(withdrawn, 3, "three reorganisations, each seen once");
}

/// When finality reaches the block, the same reading becomes final.
#[test]
fn finality_strengthens_a_reading_in_place() {
    let life = life();
    let mut surer = 0;
    for (index, moment) in life.moments.iter().enumerate() {
        let mut record = Record::new();
        let signed = &moment.proven[0];
        let _ = record.offer(signed.clone());
        for later in &life.moments[index..] {
            let _ = record.review(&later.headers);
        }
        if let Some(last) = record.last()
            && last.anchor().hash() == signed.anchor().hash()
            && last.anchor().assurance().level() == Level::Finalized
        {
            assert!(same_amount(last, signed));
            surer += 1;
        }
    }
    assert!(surer > 20, "{surer}");
}

/// A signed and a finalized reading of the same moment, and a signed reading at the finalized block's number, from
/// when that block was the head.
fn signed_finalized_and_before() -> (Candidate, Candidate, Candidate) {
    let moments = &life().moments;
    let [signed, finalized] = &moments[55].proven[..] else { panic!("both are known at that moment") };
    let number = finalized.anchor().number();
    let was_head = |proven: &&Candidate| {
        proven.anchor().number() == number && proven.anchor().assurance().level() == Level::Signed
    };
    let before =
        moments.iter().flat_map(|moment| &moment.proven).find(was_head).expect("each head was signed");
    (signed.clone(), finalized.clone(), before.clone())
}

fn awaiting(record: &Record) -> Vec<u64> {
    record.awaiting_finality().iter().map(|proven| proven.anchor().number()).collect()
}

#[test]
fn the_same_reading_again_changes_nothing() {
    let (signed, finalized, _) = signed_finalized_and_before();
    for reading in [signed, finalized] {
        let mut record = Record::new();
        assert!(matches!(record.offer(reading.clone()), Change::Replaced));
        assert!(matches!(record.offer(reading), Change::Kept));
    }
}

#[test]
fn a_block_unknown_to_the_chain_stays() {
    let (signed, ..) = signed_finalized_and_before();
    let mut record = Record::new();
    assert!(matches!(record.offer(signed.clone()), Change::Replaced));
    assert!(matches!(record.review(&Headers::new()), Change::Kept));
    assert_eq!(record.last(), Some(&signed));
    assert_eq!(awaiting(&record), [signed.anchor().number()]);
}

#[test]
fn only_what_is_above_the_finalized_block_waits_for_finality() {
    let (signed, finalized, before) = signed_finalized_and_before();
    let mut record = Record::new();
    assert!(matches!(record.offer(finalized.clone()), Change::Replaced));
    assert!(matches!(record.offer(before.clone()), Change::Kept));
    assert!(matches!(record.offer(signed.clone()), Change::Replaced));
    assert_eq!(awaiting(&record), [signed.anchor().number()]);

    // A reading at the number of a final block is no longer waiting.
    let mut record = Record::new();
    assert!(matches!(record.offer(before.clone()), Change::Replaced));
    assert_eq!(awaiting(&record), [before.anchor().number()]);
    assert!(matches!(record.offer(finalized.clone()), Change::Replaced));
    assert!(matches!(record.review(&Headers::new()), Change::Kept));
    assert!(awaiting(&record).is_empty());
    assert_eq!((record.last(), record.finalized()), (Some(&finalized), Some(&finalized)));
}

fn offered(proven: Candidate) -> Record {
    let mut record = Record::new();
    assert_eq!(record.offer(proven), Change::Replaced);
    record
}

/// Storage can contain anything: here a block of another chain, as final or as signed.
#[test]
fn a_restored_reading_of_a_foreign_block_is_dropped() {
    let own = life();
    let [foreign_head, foreign] = &life_of(4).moments[55].proven[..] else {
        panic!("both are known at that moment")
    };
    let number = foreign.anchor().number();
    assert_eq!(foreign.anchor().assurance().level(), Level::Finalized);
    let headers = |moment: usize| &own.moments[moment].headers;
    assert!(headers(5).newest(Level::Signed).unwrap().number() < number);

    let restored = foreign.clone().as_restored();
    let mut record = offered(restored.clone());
    // A chain that restarted from an older block decides nothing.
    assert_eq!(record.review(headers(5)), Change::Kept);
    assert_eq!((record.last(), record.finalized()), (Some(&restored), Some(&restored)));
    let change = record.review(headers(55));
    assert_eq!(change, Change::Withdrawn { withdrawn: Box::new(restored) });
    assert_eq!((record.last(), record.finalized()), (None, None));

    // A reading that this client proved is not withdrawn: the chain's other block is a consensus fault.
    let mut record = offered(foreign.clone());
    assert_eq!(record.review(headers(55)), Change::Kept);
    assert_eq!((record.last(), record.finalized()), (Some(foreign), Some(foreign)));

    // A chain that has advanced as far can decide.
    let newest = headers(55).newest(Level::Signed).unwrap();
    assert_eq!(newest.timestamp(), foreign_head.anchor().timestamp());
    let restored = foreign_head.clone().as_restored();
    let change = offered(restored.clone()).review(headers(55));
    assert_eq!(change, Change::Withdrawn { withdrawn: Box::new(restored) });
}

/// A true block hash with another state, which can be stored before Gloas. The chain has that block, and its state
/// decides.
#[test]
fn a_restored_reading_with_another_state_is_dropped() {
    let (own, other) = (life(), life_of(4));
    let (own_final, foreign) = (&own.moments[55].proven[1], &other.moments[55].proven[1]);
    let (own_anchor, foreign) = (own_final.anchor(), foreign.anchor());
    let replaced = |bytes: Vec<u8>, part: B256, by: B256| {
        let place = bytes.windows(32).position(|window| window == part).unwrap();
        [&bytes[..place], by.as_slice(), &bytes[place + 32..]].concat()
    };
    let bytes = foreign.to_bytes();
    let edited = replaced(bytes.clone(), foreign.hash(), own_anchor.hash());
    let edited = replaced(edited.clone(), payload_root(&bytes), payload_root(&edited));
    let planted = Anchor::load(&edited, own_anchor.chain_id()).unwrap();
    assert_eq!((planted.number(), planted.hash()), (own_anchor.number(), own_anchor.hash()));
    assert_ne!(planted.state_root(), own_anchor.state_root());
    let mut record = offered(prove(&other.chain, &planted).as_restored());
    assert_eq!(own.moments[55].headers.standing(&planted), Standing::Stands);
    let _ = record.review(&own.moments[55].headers);
    assert_eq!((record.last(), record.finalized()), (None, None));
}
