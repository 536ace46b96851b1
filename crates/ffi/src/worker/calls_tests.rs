//! Jobs without a thread: who does them, when they end, and the clock of the app.

use std::future::{pending, poll_fn};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::FutureExt;

use super::*;
use crate::app_clock::{AppClock, Clock};
use crate::ended::Ended;

fn worker() -> Worker {
    Worker::without_thread(Dispatch::none())
}

/// Counts how often it was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A call of the app, which the test polls by hand.
struct Call<T> {
    run: Run<T>,
    woken: Arc<Woken>,
}

impl<T> Call<T> {
    fn new(run: Run<T>) -> Self {
        Self { run, woken: Arc::default() }
    }

    fn poll(&mut self) -> Poll<Result<T, Ended>> {
        self.run.poll_unpin(&mut Context::from_waker(&Waker::from(Arc::clone(&self.woken))))
    }

    fn was_woken(&self) -> bool {
        self.woken.0.swap(0, Ordering::SeqCst) > 0
    }
}

/// Says when it is dropped.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_job_is_done_by_the_call_that_waits_for_it() {
    let worker = worker();
    let begun = Arc::new(AtomicBool::new(false));
    let own = Arc::clone(&begun);
    let mut call = Call::new(worker.run(async move {
        own.store(true, Ordering::SeqCst);
        thread::current().id()
    }));
    assert!(!begun.load(Ordering::SeqCst));
    assert_eq!(call.poll(), Poll::Ready(Ok(thread::current().id())));
}

#[test]
fn what_wakes_a_job_wakes_the_calls_and_any_of_them_does_it() {
    let worker = worker();
    let (sender, receiver) = oneshot::channel::<u32>();
    let (mut one, mut other) = (Call::new(worker.run(receiver)), Call::new(worker.run(pending::<()>())));
    assert!(one.poll().is_pending() && other.poll().is_pending());
    let _ = (one.was_woken(), other.was_woken());
    sender.send(7).unwrap();
    assert!(one.was_woken() && other.was_woken());
    assert!(other.poll().is_pending());
    // Its job is done, so it is woken again and has its result.
    assert!(one.was_woken());
    assert_eq!(one.poll(), Poll::Ready(Ok(Ok(7))));
}

#[test]
fn dropping_the_result_drops_the_job_though_no_other_call_waits() {
    let worker = worker();
    let dropped = Arc::new(AtomicBool::new(false));
    let guard = Dropped(Arc::clone(&dropped));
    let mut call = Call::new(worker.run(async move {
        let _guard = guard;
        pending::<()>().await;
    }));
    assert!(call.poll().is_pending());
    assert!(!dropped.load(Ordering::SeqCst));
    drop(call);
    assert!(dropped.load(Ordering::SeqCst));
}

#[test]
fn a_job_that_a_job_adds_begins_in_the_same_call() {
    let worker = worker();
    let (poster, begun) = (worker.poster(), Arc::new(AtomicBool::new(false)));
    let own = Arc::clone(&begun);
    let mut call = Call::new(worker.run(async move {
        drop(poster.run(async move { own.store(true, Ordering::SeqCst) }));
    }));
    assert_eq!(call.poll(), Poll::Ready(Ok(())));
    assert!(begun.load(Ordering::SeqCst), "no later call may come");
}

#[test]
fn a_job_can_wait_for_one_that_it_adds() {
    let worker = worker();
    let poster = worker.poster();
    let mut call = Call::new(worker.run(async move { poster.run(async { 5 }).await }));
    let mut polls = 0;
    while call.poll().is_pending() {
        assert!(call.was_woken(), "nothing would poll it again");
        polls += 1;
        assert!(polls < 10);
    }
}

#[test]
fn posted_jobs_begin_in_their_order_with_the_next_call() {
    let worker = worker();
    let order = Arc::new(Mutex::new(Vec::new()));
    for number in 0..100 {
        let order = Arc::clone(&order);
        worker.post(async move { order.lock().unwrap().push(number) });
    }
    assert!(order.lock().unwrap().is_empty());
    assert_eq!(Call::new(worker.run(async {})).poll(), Poll::Ready(Ok(())));
    assert_eq!(*order.lock().unwrap(), (0..100).collect::<Vec<_>>());
}

#[test]
fn a_panic_ends_only_its_own_job() {
    let worker = worker();
    let mut waiting = Call::new(worker.run(pending::<()>()));
    assert!(waiting.poll().is_pending());
    assert_eq!(
        Call::new(worker.run(async { panic!("a fault") })).poll(),
        Poll::Ready(Err::<(), _>(Ended::Panicked))
    );
    let later = poll_fn(|_| -> Poll<()> { panic!("a fault in a poll") });
    assert_eq!(Call::new(worker.run(later)).poll(), Poll::Ready(Err(Ended::Panicked)));
    assert!(waiting.poll().is_pending());
    assert_eq!(Call::new(worker.run(async { 8 })).poll(), Poll::Ready(Ok(8)));
}

#[test]
fn the_end_ends_pending_jobs_and_refuses_new_ones() {
    let worker = worker();
    let dropped = Arc::new(AtomicBool::new(false));
    let guard = Dropped(Arc::clone(&dropped));
    let mut waiting = Call::new(worker.run(async move {
        let _guard = guard;
        pending::<()>().await;
    }));
    assert!(waiting.poll().is_pending());
    assert_eq!(worker.stop().now_or_never(), Some(()));
    assert!(dropped.load(Ordering::SeqCst) && waiting.was_woken());
    assert_eq!(waiting.poll(), Poll::Ready(Err(Ended::Closed)));
    assert_eq!(Call::new(worker.run(async {})).poll(), Poll::Ready(Err(Ended::Closed)));
}

/// A callback of the app may shut the client down.
#[test]
fn a_job_can_end_all_jobs() {
    let worker = Arc::new(worker());
    let dropped = Arc::new(AtomicBool::new(false));
    let (own, guard) = (Arc::clone(&worker), Dropped(Arc::clone(&dropped)));
    let mut other = Call::new(worker.run(async move {
        let _guard = guard;
        pending::<()>().await;
    }));
    assert!(other.poll().is_pending());
    assert_eq!(Call::new(worker.run(async move { own.stop().await })).poll(), Poll::Ready(Ok(())));
    assert!(dropped.load(Ordering::SeqCst) && other.was_woken());
    assert_eq!(other.poll(), Poll::Ready(Err(Ended::Closed)));
}

/// Jobs hold what puts jobs there: the end of the client must break that circle.
#[test]
fn a_dropped_worker_drops_its_jobs() {
    let worker = worker();
    let dropped = Arc::new(AtomicBool::new(false));
    let (poster, guard) = (worker.poster(), Dropped(Arc::clone(&dropped)));
    worker.post(async move {
        let _both = (poster, guard);
        pending::<()>().await;
    });
    assert!(Call::new(worker.run(pending::<()>())).poll().is_pending());
    drop(worker);
    assert!(dropped.load(Ordering::SeqCst));
}

/// On a platform with threads, calls may wait on several. No wake-up may be lost between them.
#[test]
fn calls_on_several_threads_do_each_others_jobs() {
    let worker = worker();
    let done = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let mut turns = 0;
                    let job = poll_fn(move |context| {
                        context.waker().wake_by_ref();
                        turns += 1;
                        if turns > 3 { Poll::Ready(()) } else { Poll::Pending }
                    });
                    super::tests::wait(worker.run(job)).unwrap();
                    done.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(done.load(Ordering::SeqCst), 800);
}

/// A clock that goes on by hand. Its sleeps end after half of their time.
#[derive(Default)]
struct Hasty {
    now: AtomicU64,
    asked: Mutex<Vec<u64>>,
}

#[async_trait::async_trait]
impl Clock for Hasty {
    fn wall_ms(&self) -> u64 {
        1_700_000_000_123
    }

    fn monotonic_ms(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }

    async fn sleep(&self, milliseconds: u64) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(milliseconds);
        self.now.fetch_add(milliseconds.div_ceil(2), Ordering::SeqCst);
    }
}

#[test]
fn a_sleep_that_ends_early_is_continued() {
    let hasty = Arc::new(Hasty::default());
    let clock = AppClock::new(hasty.clone());
    assert_eq!(clock.clone().sleep(Duration::from_millis(100)).now_or_never(), Some(()));
    assert!(hasty.monotonic_ms() >= 100);
    assert_eq!(hasty.asked.lock().unwrap()[..3], [100, 50, 25]);
    assert_eq!(clock.wall().as_secs(), 1_700_000_000);
    assert_eq!(clock.sleep(Duration::ZERO).now_or_never(), Some(()));
}

/// A timer of JavaScript that is given more than 24 days fires at once.
#[test]
fn a_long_sleep_is_cut_into_hours_and_an_endless_one_never_ends() {
    let hasty = Arc::new(Hasty::default());
    let clock = AppClock::new(hasty.clone());
    let week = Duration::from_secs(7 * 24 * 3_600);
    assert_eq!(clock.clone().sleep(week).now_or_never(), Some(()));
    assert!(hasty.asked.lock().unwrap().iter().all(|asked| (1..=3_600_000).contains(asked)));
    assert!(Duration::from_millis(hasty.monotonic_ms()) >= week);
    assert_eq!(clock.sleep(Duration::MAX).now_or_never(), None);
}
