//! A wait for the next change is cancelled at every point, also when the changes are already on the way. None is lost.

mod common;

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use common::Scene;
use saldo_ffi::{Change, Changes, Reading, Watch};

struct Nothing;

impl Wake for Nothing {
    fn wake(self: Arc<Self>) {}
}

/// How many times the balance changes, each a minute of the world after the one before.
const CHANGES: u32 = 8;

fn world() -> String {
    let change =
        |number: u32| format!("[[event]]\nat = \"{number}m\"\nchain = {{ balance = \"{}\" }}\n", number + 1);
    (1..=CHANGES).map(change).fold("slot = \"1s\"\n".to_owned(), |world, event| world + &event)
}

/// What a screen shows that sees only the batches that arrive.
#[derive(Default)]
struct Screen {
    received: u64,
    amount: Option<String>,
    /// The last batch that was lost, until the next one arrives.
    lost: Option<Changes>,
    times_lost: usize,
}

/// The kind of a change, without what may differ when it is made again.
fn kind(change: &Change) -> &'static str {
    match change {
        Change::Remembered { .. } | Change::Reading { .. } => "holding",
        Change::Withdrawn { .. } => "withdrawn",
        Change::Storage { .. } => "storage",
        Change::Activity { .. } => "activity",
        Change::Other { .. } => "other",
    }
}

impl Screen {
    fn lose(&mut self, changes: Changes) {
        self.times_lost += 1;
        self.lost = Some(changes);
    }

    fn show(&mut self, changes: Changes) {
        if let Some(lost) = self.lost.take() {
            assert_ne!(changes.number, lost.number);
            let mut kinds = changes.changes.iter().map(kind);
            for change in &lost.changes {
                assert!(kinds.any(|kind_| kind_ == kind(change)), "{change:?} is not in {changes:?}");
            }
        }
        self.received = changes.number;
        for change in changes.changes {
            match change {
                Change::Reading { reading: Reading::Proven { proven }, .. } => {
                    self.amount = Some(proven.amount.as_str().to_owned());
                }
                Change::Withdrawn { last, .. } => {
                    self.amount = last.map(|last| last.amount.as_str().to_owned());
                }
                Change::Remembered { last, .. } => {
                    self.amount = last.map(|last| last.amount.as_str().to_owned());
                }
                _ => {}
            }
        }
    }
}

/// Polls a new wait `times` times and then drops it. Returns what it gave, if it gave something.
fn attempt(watch: &Watch, received: u64, times: u32) -> Option<Changes> {
    let waker = Waker::from(Arc::new(Nothing));
    let mut next = Box::pin(watch.next_all(received));
    for _ in 0..times {
        if let Poll::Ready(changes) = next.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(changes);
        }
        std::thread::sleep(Duration::from_micros(700));
    }
    None
}

#[test]
fn a_thousand_cancelled_waits_lose_nothing() {
    let scene = Scene::new(&world());
    let client = scene.client();
    let watch = client.watch(vec![scene.holding.clone()]);
    let mut screen = Screen::default();
    for round in 0..1_000_u32 {
        if round % 100 == 99 && round / 100 < CHANGES {
            scene.happen(&format!("{}m", round / 100 + 1));
        }
        let Some(changes) = attempt(&watch, screen.received, round % 23) else { continue };
        // Each batch is lost on the way when it comes first, some several times.
        if screen.lost.is_none() || round % 5 < 2 { screen.lose(changes) } else { screen.show(changes) }
    }
    assert!(screen.times_lost > 4, "{} batches were lost", screen.times_lost);
    let last = format!("{}000000000000000000", CHANGES + 1);
    let end = Instant::now() + Duration::from_secs(60);
    while screen.amount.as_ref() != Some(&last) {
        assert!(Instant::now() < end, "the screen shows {:?}", screen.amount);
        if let Some(changes) = attempt(&watch, screen.received, 200) {
            screen.show(changes);
        }
    }
    println!("{} batches were lost", screen.times_lost);
}
