//! The thread of a client: jobs, panics, timers and the end.

use std::future::{pending, poll_fn};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use super::*;
use crate::ended::Ended;

fn worker() -> (Worker, Arc<Timers>) {
    let timers = Arc::new(Timers::default());
    (Worker::start(Arc::clone(&timers), Dispatch::none()).unwrap(), timers)
}

/// Waits for `future` by parking this thread, as no runtime is here.
pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = Box::pin(future);
    loop {
        match future.as_mut().poll(&mut std::task::Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
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
fn jobs_run_on_the_workers_thread() {
    let (worker, _) = worker();
    let name = wait(worker.run(async { thread::current().name().map(ToOwned::to_owned) }));
    assert_eq!(name, Ok(Some("saldo".to_owned())));
    assert_ne!(wait(worker.run(async { thread::current().id() })), Ok(thread::current().id()));
}

#[test]
fn a_panic_ends_only_its_own_job() {
    let (worker, timers) = worker();
    let slow = worker.run(async move {
        timers.sleep(Duration::from_millis(50)).await;
        7
    });
    assert_eq!(wait(worker.run(async { panic!("a fault") })), Err::<(), _>(Ended::Panicked));
    let later = poll_fn(|_| -> Poll<()> { panic!("a fault in a poll") });
    assert_eq!(wait(worker.run(later)), Err(Ended::Panicked));
    assert_eq!(wait(slow), Ok(7));
    assert_eq!(wait(worker.run(async { 8 })), Ok(8));
}

/// What a job owns may panic when it is dropped.
#[test]
fn a_panic_while_dropping_does_not_end_the_thread() {
    struct Grenade;
    impl Drop for Grenade {
        fn drop(&mut self) {
            panic!("a fault while dropping");
        }
    }
    let (worker, _) = worker();
    let run = worker.run(async {
        let _grenade = Grenade;
        pending::<()>().await;
    });
    assert_eq!(wait(worker.run(async { 1 })), Ok(1));
    drop(run);
    assert_eq!(wait(worker.run(async { 2 })), Ok(2));
    worker.post(async {
        let _grenade = Grenade;
        pending::<()>().await;
    });
    assert_eq!(wait(worker.run(async { 3 })), Ok(3));
    wait(worker.stop());
}

#[test]
fn dropping_the_result_drops_the_job() {
    let (worker, _) = worker();
    let dropped = Arc::new(AtomicBool::new(false));
    let (guard, (started, has_started)) = (Dropped(Arc::clone(&dropped)), mpsc::channel());
    let run = worker.run(async move {
        let _guard = guard;
        started.send(()).unwrap();
        pending::<()>().await;
    });
    has_started.recv().unwrap();
    drop(run);
    // The job before this one is dropped first.
    wait(worker.run(async {})).unwrap();
    assert!(dropped.load(Ordering::SeqCst));
}

#[test]
fn a_posted_job_goes_on_without_its_result() {
    let (worker, timers) = worker();
    let (sender, receiver) = mpsc::channel();
    let run = worker.poster().run(async move {
        timers.sleep(Duration::from_millis(20)).await;
        sender.send(()).unwrap();
    });
    drop(run);
    receiver.recv_timeout(Duration::from_secs(5)).unwrap();
}

#[test]
fn posted_jobs_begin_in_their_order() {
    let (worker, _) = worker();
    let (sender, receiver) = mpsc::channel();
    for number in 0..100 {
        let sender = sender.clone();
        worker.post(async move { sender.send(number).unwrap() });
    }
    let order: Vec<u32> = (0..100).map(|_| receiver.recv().unwrap()).collect();
    assert!(order.is_sorted());
}

#[test]
fn timers_end_in_their_order_and_not_early() {
    let (worker, timers) = worker();
    let began = Instant::now();
    let sleep = |millis| {
        let timers = Arc::clone(&timers);
        worker.run(async move {
            timers.sleep(Duration::from_millis(millis)).await;
            Instant::now()
        })
    };
    let (late, early, never) = (sleep(60), sleep(20), timers.sleep(Duration::MAX));
    let (late, early) = (wait(late).unwrap(), wait(early).unwrap());
    assert!(early - began >= Duration::from_millis(20) && late - began >= Duration::from_millis(60));
    assert!(early < late);
    drop(never);
}

/// A timer that another thread waits for wakes the worker, which waits for a later moment.
#[test]
fn a_timer_of_another_thread_is_not_late() {
    let (worker, timers) = worker();
    let own = Arc::clone(&timers);
    worker.post(async move { own.sleep(Duration::from_secs(3_600)).await });
    wait(worker.run(async {})).unwrap();
    let began = Instant::now();
    wait(timers.sleep(Duration::from_millis(20)));
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[test]
fn the_end_ends_pending_jobs_and_refuses_new_ones() {
    let (worker, timers) = worker();
    let dropped = Arc::new(AtomicBool::new(false));
    let guard = Dropped(Arc::clone(&dropped));
    let waiting = worker.run(async move {
        let _guard = guard;
        timers.sleep(Duration::from_secs(3_600)).await;
    });
    wait(worker.run(async {})).unwrap();
    wait(worker.stop());
    assert!(dropped.load(Ordering::SeqCst));
    assert_eq!(wait(waiting), Err(Ended::Closed));
    assert_eq!(wait(worker.run(async {})), Err(Ended::Closed));
    // Stopping twice, and dropping afterwards, is allowed.
    wait(worker.stop());
}

/// A callback of the app may shut the client down. It must not wait for itself.
#[test]
fn a_job_can_end_its_own_thread() {
    let (worker, _) = worker();
    let worker = Arc::new(worker);
    let own = Arc::clone(&worker);
    assert_eq!(wait(worker.run(async move { own.stop().await })), Ok(()));
    wait(worker.stop());
}

#[test]
fn a_dropped_worker_ends_its_thread() {
    let (worker, _) = worker();
    let dropped = Arc::new(AtomicBool::new(false));
    let guard = Dropped(Arc::clone(&dropped));
    worker.post(async move {
        let _guard = guard;
        pending::<()>().await;
    });
    wait(worker.run(async {})).unwrap();
    drop(worker);
    let end = Instant::now() + Duration::from_secs(60);
    while !dropped.load(Ordering::SeqCst) {
        assert!(Instant::now() < end, "the job is still there");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn many_jobs_wake_each_other() {
    let (worker, timers) = worker();
    let done = Arc::new(AtomicUsize::new(0));
    let jobs: Vec<_> = (0..200_u64)
        .map(|number| {
            let (timers, done) = (Arc::clone(&timers), Arc::clone(&done));
            worker.run(async move {
                for step in 0..5 {
                    timers.sleep(Duration::from_micros(number * 10 + step)).await;
                }
                done.fetch_add(1, Ordering::SeqCst);
            })
        })
        .collect();
    jobs.into_iter().for_each(|job| wait(job).unwrap());
    assert_eq!(done.load(Ordering::SeqCst), 200);
}

#[test]
fn a_timer_fires_while_another_job_keeps_waking_itself() {
    let (worker, timers) = worker();
    let _busy = worker.run(poll_fn(|context| {
        context.waker().wake_by_ref();
        Poll::<()>::Pending
    }));
    let began = Instant::now();
    let slept = worker.run(async move { timers.sleep(Duration::from_millis(20)).await });
    assert_eq!(wait(slept), Ok(()));
    assert!(began.elapsed() >= Duration::from_millis(20));
}
