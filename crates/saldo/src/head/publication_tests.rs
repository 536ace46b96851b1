use super::*;

const SLOT: Duration = Duration::from_secs(12);

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A source that publishes at an offset which depends on the slot; `None` where the slot has no block.
struct Source<F> {
    known: Publication,
    publishes: F,
    slot: u64,
}

/// What one slot cost.
#[derive(Debug, PartialEq, Eq)]
struct Cost {
    requests: u32,
    /// How long after its publication the head came.
    delay: Option<Duration>,
}

impl<F: Fn(u64) -> Option<u64>> Source<F> {
    fn new(publishes: F) -> Self {
        Self { known: Publication::default(), publishes, slot: 0 }
    }

    /// Lets one slot pass, in which the source is asked whenever it should be.
    fn pass(&mut self) -> Cost {
        let published = (self.publishes)(self.slot).map(millis);
        let (mut requests, slot) = (0, Slot::new(self.slot));
        self.slot += 1;
        let mut next = self.known.offset(SLOT);
        loop {
            requests += 1;
            let has_head = published.is_some_and(|published| published <= next);
            self.known.record((slot, next), has_head, SLOT);
            if has_head {
                return Cost { requests, delay: published.map(|published| next - published) };
            }
            match self.known.next(SLOT).unwrap() {
                (again, offset) if again == slot => {
                    assert!(offset > next && offset <= latest(SLOT), "{offset:?} after {next:?}");
                    next = offset;
                }
                (following, _) => {
                    assert_eq!(following, slot.saturating_add(1));
                    return Cost { requests, delay: None };
                }
            }
        }
    }

    fn pass_all(&mut self, slots: u32) -> Vec<Cost> {
        (0..slots).map(|_| self.pass()).collect()
    }
}

fn requests(costs: &[Cost]) -> u32 {
    costs.iter().map(|cost| cost.requests).sum()
}

fn longest_delay(costs: &[Cost]) -> Duration {
    costs.iter().filter_map(|cost| cost.delay).max().unwrap()
}

#[test]
fn the_moment_is_learned_within_a_few_slots_and_kept() {
    for publishes in [0, 300, 1_100, 2_000, 3_900, 5_700] {
        let mut source = Source::new(|_| Some(publishes));
        let learning = source.pass_all(8);
        assert!(requests(&learning) <= 18, "{publishes} ms: {learning:?}");
        let steady = source.pass_all(320);
        assert!(longest_delay(&steady) <= SLOT / STEP, "{publishes} ms: {:?}", longest_delay(&steady));
        // One in 32 slots has a second request, which looks whether the source publishes earlier.
        assert!(requests(&steady) <= 320 + 320 / STEADY_SLOTS, "{publishes} ms: {}", requests(&steady));
    }
}

#[test]
fn a_source_that_changes_its_time_is_learned_again() {
    for (before, after) in [(1_000, 3_000), (3_000, 1_000), (500, 5_500), (5_500, 500)] {
        let mut source = Source::new(|slot| Some(if slot < 100 { before } else { after }));
        source.pass_all(100);
        source.pass_all(STEADY_SLOTS + 10);
        let steady = source.pass_all(100);
        assert!(
            longest_delay(&steady) <= SLOT / STEP,
            "{before} to {after} ms: {:?}",
            longest_delay(&steady)
        );
        assert!(requests(&steady) <= 104, "{before} to {after} ms: {}", requests(&steady));
    }
}

#[test]
fn one_late_head_changes_nothing() {
    let mut source = Source::new(|slot| Some(if slot == 50 { 5_000 } else { 1_000 }));
    source.pass_all(50);
    let before = source.known.offset(SLOT);
    let late = source.pass();
    assert!(late.delay.is_some() && late.requests <= 6, "{late:?}");
    assert_eq!(source.known.offset(SLOT), before);
}

#[test]
fn a_slot_without_a_block_changes_nothing() {
    let mut source = Source::new(|slot| (slot % 10 != 9).then_some(1_000));
    source.pass_all(20);
    let offset = source.known.offset(SLOT);
    let costs = source.pass_all(10);
    assert_eq!(source.known.offset(SLOT), offset);
    assert!(costs[..9].iter().all(|cost| cost.requests == 1), "{costs:?}");
    assert!(costs[9].requests <= 7, "{costs:?}");
}

/// Two heads in three come 0.4 s later than the others.
#[test]
fn a_source_whose_time_varies_is_asked_when_most_heads_are_there() {
    let mut source = Source::new(|slot| Some(if slot % 3 == 0 { 1_000 } else { 1_400 }));
    source.pass_all(60);
    let costs = source.pass_all(300);
    assert!(longest_delay(&costs) <= millis(1_000), "{:?}", longest_delay(&costs));
    assert!(requests(&costs) <= 600, "{}", requests(&costs));
}

/// A source cannot be made to be asked often, or late.
#[test]
fn whatever_a_source_answers_it_is_asked_seldom_and_not_late() {
    for seed in 0..200_u64 {
        let random =
            |slot: u64| (slot.wrapping_mul(2_862_933_555_777_941_757) ^ seed.wrapping_mul(0x9e37_79b9)) >> 7;
        let mut source = Source::new(|slot| Some(random(slot) % 14_000));
        for cost in source.pass_all(300) {
            assert!(cost.requests <= 9, "{cost:?}");
        }
        assert!(source.known.offset(SLOT) <= latest(SLOT));
    }
}

#[test]
fn a_source_that_never_has_a_new_head_is_asked_once_in_a_slot() {
    let mut source = Source::new(|_| None);
    source.pass_all(EMPTY_SLOTS + 1);
    assert_eq!(requests(&source.pass_all(50)), 50);
    assert!(source.known.is_known() && !source.known.is_usually_there(SLOT));
    // It comes back.
    let known = source.known;
    let mut source = Source { known, publishes: |_| Some(2_000), slot: source.slot };
    source.pass_all(10);
    assert!(longest_delay(&source.pass_all(50)) <= SLOT / STEP);
}

#[test]
fn a_further_answer_in_the_same_slot_says_nothing() {
    let mut known = Publication::default();
    known.record((Slot::new(1), millis(1_000)), true, SLOT);
    let before = known.offset(SLOT);
    known.record((Slot::new(1), millis(9_000)), true, SLOT);
    known.record((Slot::new(1), millis(9_500)), false, SLOT);
    assert_eq!(known.offset(SLOT), before);
}

#[test]
fn nothing_is_expected_of_a_source_that_was_never_asked() {
    let known = Publication::default();
    assert_eq!((known.next(SLOT), known.is_known()), (None, false));
    assert_eq!(known.offset(SLOT), SLOT / 3);
}
