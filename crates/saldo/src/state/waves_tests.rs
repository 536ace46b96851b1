use saldo_beacon::unit::UnixTime;
use saldo_source::Clock;

use super::*;

struct Stopped;

impl Clock for Stopped {
    fn wall(&self) -> UnixTime {
        UnixTime::from_secs(1)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) -> BoxedFuture<'static, ()> {
        unreachable!("nothing here waits")
    }
}

const A: Address = Address::repeat_byte(1);
const B: Address = Address::repeat_byte(2);

fn key(byte: u8) -> B256 {
    B256::repeat_byte(byte)
}

fn query(accounts: &[Address], slots: &[(Address, u8)], codes: &[Address]) -> Query {
    let mut query = Query::default();
    accounts.iter().for_each(|address| query.add_account(*address));
    slots.iter().for_each(|(address, byte)| query.add_slot(*address, key(*byte)));
    codes.iter().for_each(|address| query.add_code(*address));
    query
}

#[test]
fn only_what_another_wave_does_not_bring_is_left() {
    let asked = query(&[A], &[(B, 1), (B, 2)], &[]);
    assert!(beyond(&asked, &asked).is_empty());
    assert_eq!(beyond(&asked, &Query::default()), asked);
    assert!(beyond(&query(&[B], &[], &[]), &asked).is_empty(), "a slot brings its account");
    assert_eq!(beyond(&query(&[], &[(B, 2), (B, 3)], &[]), &asked), query(&[], &[(B, 3)], &[]));
    assert_eq!(beyond(&query(&[A], &[(A, 1)], &[]), &asked), query(&[], &[(A, 1)], &[]));
    assert_eq!(beyond(&query(&[], &[], &[A]), &asked), query(&[], &[], &[A]));
    let of_code = query(&[], &[], &[A]);
    assert!(beyond(&query(&[A], &[], &[A]), &of_code).is_empty(), "a code brings its account");
    assert_eq!(beyond(&query(&[], &[(A, 1)], &[]), &of_code), query(&[], &[(A, 1)], &[]));
}

#[test]
fn nothing_is_added_to_what_was_asked_already() {
    let [early, late] = [1, 2].map(|seconds| Deadline::after(&Stopped, Duration::from_secs(seconds)));
    let wanted = Wanted::new(query(&[A], &[], &[]), early);
    assert!(wanted.add(&query(&[B], &[], &[]), late));
    assert!(wanted.add(&query(&[], &[], &[A]), early), "the latest deadline counts");
    assert_eq!(wanted.beyond(&query(&[A], &[], &[])), query(&[A], &[], &[]), "it is not asked for yet");
    let asked = (query(&[A, B], &[], &[A]), late);
    assert_eq!(wanted.close(), asked);
    assert!(!wanted.add(&query(&[], &[(B, 1)], &[]), late));
    assert_eq!(wanted.close(), asked);
    assert!(wanted.beyond(&query(&[A], &[], &[])).is_empty());
}

/// A block, and another that claims the same hash.
fn blocks() -> [BlockKey; 2] {
    [1, 2].map(|root| (key(9), StateRoot::new(key(root))))
}

fn outcome(failed: BTreeMap<Address, Failed>) -> Outcome {
    Outcome { facts: Facts::default(), failed, deadline: Deadline::after(&Stopped, Duration::ZERO) }
}

#[test]
fn a_wave_is_joined_while_it_brings_something() {
    let waves = Waves::default();
    let [here, other] = blocks();
    let soon = Deadline::after(&Stopped, Duration::from_secs(1));
    let mut begun: Vec<Arc<Wanted>> = Vec::new();
    let mut join = |block, query: &Query, deadline| {
        waves.join(block, (query, deadline), &Stopped, |wanted| {
            begun.push(wanted);
            std::future::pending()
        })
    };
    let of_a = query(&[A], &[], &[]);
    let first = join(here, &of_a, soon);
    let added = join(here, &query(&[B], &[], &[]), soon);
    assert_eq!((first.len(), added.len()), (1, 1));
    assert!(first[0].ptr_eq(&added[0]));
    let elsewhere = join(other, &of_a, soon);
    assert!(!elsewhere[0].ptr_eq(&first[0]));
    begun[0].close();
    let join = |query: &Query| waves.join(here, (query, soon), &Stopped, |_| std::future::pending());
    assert!(join(&of_a)[0].ptr_eq(&first[0]), "it is asked for already");
    let both = join(&query(&[B], &[(A, 1)], &[]));
    assert_eq!(both.len(), 2);
    assert!(both[0].ptr_eq(&first[0]) && !both[1].ptr_eq(&first[0]));
    // Without callers there is no wave.
    drop((first, added, both));
    assert_eq!(join(&of_a).len(), 1);
    assert_eq!(waves.0.lock().unwrap().len(), 2);
}

#[test]
fn a_wave_past_its_deadline_is_not_joined() {
    let (waves, [here, _]) = (Waves::default(), blocks());
    let [over, soon] = [0, 1].map(|seconds| Deadline::after(&Stopped, Duration::from_secs(seconds)));
    let of_a = query(&[A], &[], &[]);
    let join = |deadline| waves.join(here, (&of_a, deadline), &Stopped, |_| std::future::pending());
    let stale = join(over);
    let fresh = join(soon);
    assert!(!fresh[0].ptr_eq(&stale[0]));
    assert!(join(soon)[0].ptr_eq(&fresh[0]));
}

#[test]
fn only_the_failure_of_what_is_missing_counts() {
    let failed = Failed { attempts: Vec::new(), held_back: true };
    let outcome = outcome(BTreeMap::from([(A, failed)]));
    assert!(outcome.failure_of(&query(&[B], &[], &[B])).is_none());
    assert!(outcome.failure_of(&query(&[B], &[(A, 1)], &[])).is_some());
    assert!(outcome.failure_of(&query(&[], &[], &[A])).is_some());
}
