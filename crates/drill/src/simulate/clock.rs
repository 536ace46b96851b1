//! Time that passes only when every future waits.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::future::BoxFuture;
use saldo_beacon::unit::UnixTime;
use saldo_source::Clock;

/// The clock of a simulated device. A handle: clones are the same clock.
#[derive(Clone, Debug)]
pub struct VirtualClock {
    time: Arc<Mutex<Time>>,
}

#[derive(Debug)]
struct Time {
    start: UnixTime,
    /// Since the start, without the time asleep.
    now: Duration,
    /// How long the device slept.
    asleep: Duration,
    /// What the device's wall clock shows.
    wall: Wall,
    /// Who waits, by when and in the order they came.
    timers: BTreeMap<(Duration, u64), Waker>,
    /// Numbers the timers.
    timer: u64,
}

/// By how much a wall clock is wrong.
#[derive(Clone, Copy, Debug)]
enum Wall {
    Ahead(Duration),
    Behind(Duration),
}

impl VirtualClock {
    /// A clock that is right, at that moment.
    pub(super) fn starting_at(start: UnixTime) -> Self {
        let wall = Wall::Ahead(Duration::ZERO);
        let (now, asleep) = (Duration::ZERO, Duration::ZERO);
        let time = Time { start, now, asleep, wall, timers: BTreeMap::new(), timer: 0 };
        Self { time: Arc::new(Mutex::new(time)) }
    }

    /// From now on the wall clock is this much ahead of the truth; the monotonic one does not notice.
    pub fn set_ahead(&self, duration: Duration) {
        self.time().wall = Wall::Ahead(duration);
    }

    /// From now on the wall clock is this much behind the truth; the monotonic one does not notice.
    pub fn set_behind(&self, duration: Duration) {
        self.time().wall = Wall::Behind(duration);
    }

    /// The device sleeps for so long: the world goes on and the wall clock with it, while the monotonic clock stands
    /// still, as it does on phones. Futures that wait on it do not notice.
    pub fn sleep_device(&self, duration: Duration) {
        let mut time = self.time();
        time.asleep = time.asleep.saturating_add(duration);
    }

    /// What time it really is.
    pub fn true_time(&self) -> UnixTime {
        let time = self.time();
        time.start.saturating_add(time.now).saturating_add(time.asleep)
    }

    /// Completes when `duration` has passed.
    pub(super) fn timer(&self, duration: Duration) -> Timer {
        let due = self.time().now.saturating_add(duration);
        Timer { clock: self.clone(), due, key: None }
    }

    /// Goes to the next moment that a future waits for and wakes all that wait for it; `None` if none waits.
    pub(super) fn jump(&self) -> Option<Duration> {
        let mut time = self.time();
        let (due, _) = *time.timers.first_key_value()?.0;
        time.now = time.now.max(due);
        let later = time.timers.split_off(&(due, u64::MAX));
        let woken = std::mem::replace(&mut time.timers, later);
        let now = time.now;
        drop(time);
        woken.into_values().for_each(Waker::wake);
        Some(now)
    }

    fn time(&self) -> MutexGuard<'_, Time> {
        // A test that panicked while it held the clock has said what it had to say.
        self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for VirtualClock {
    fn wall(&self) -> UnixTime {
        let wall = self.time().wall;
        let truth = self.true_time();
        match wall {
            Wall::Ahead(duration) => truth.saturating_add(duration),
            Wall::Behind(duration) => {
                UnixTime::from_millis(millis(truth.saturating_sub(UnixTime::from_millis(millis(duration)))))
            }
        }
    }

    fn monotonic(&self) -> Duration {
        self.time().now
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self.timer(duration))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A wait. A dropped one is removed, so that time does not pass for it.
#[derive(Debug)]
pub(super) struct Timer {
    clock: VirtualClock,
    due: Duration,
    key: Option<(Duration, u64)>,
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let due = self.due;
        let clock = self.clock.clone();
        let mut time = clock.time();
        if time.now >= due {
            return Poll::Ready(());
        }
        let number = time.timer;
        let key = *self.key.get_or_insert((due, number));
        time.timer = number.saturating_add(1);
        time.timers.insert(key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.clock.time().timers.remove(&key);
        }
    }
}
