//! The thread that writes the file, so that no other thread waits for the disk.

use std::io;
use std::pin::Pin;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle};

use super::{StorageError, Version, Write};

/// Writes one batch after another, in the order in which they were handed over. Dropping it waits for the last one.
pub(super) struct Writer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

struct Job {
    changes: Vec<Write>,
    expected: Version,
    done: Reply,
}

type Written = Result<Version, StorageError>;

impl Writer {
    /// Starts the thread. It runs `write` for each batch.
    ///
    /// # Errors
    /// [`StorageError::Io`] if the system gives no thread.
    pub(super) fn start(
        write: impl Fn(Vec<Write>, Version) -> Written + Send + 'static,
    ) -> Result<Self, StorageError> {
        let (jobs, queue) = channel::<Job>();
        let run = move || {
            for Job { changes, expected, done } in queue {
                done.complete(write(changes, expected));
            }
        };
        let thread = thread::Builder::new().name("saldo-storage".to_owned()).spawn(run)?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Hands a batch over. The thread writes it, also if the reply is dropped.
    pub(super) fn write(&self, changes: Vec<Write>, expected: Version) -> Reply {
        let reply = Reply::default();
        let job = Job { changes, expected, done: reply.clone() };
        if self.jobs.as_ref().is_none_or(|jobs| jobs.send(job).is_err()) {
            reply.complete(Err(StorageError::Io { kind: io::ErrorKind::BrokenPipe }));
        }
        reply
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        let Some(thread) = self.thread.take() else { return };
        // Waking a task can drop the last clone on the writing thread itself. It ends with its queue then.
        if thread.thread().id() != thread::current().id() {
            let _ = thread.join();
        }
    }
}

/// The result of a batch, as soon as it is known.
#[derive(Clone, Default)]
pub(super) struct Reply(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    written: Option<Written>,
    waker: Option<Waker>,
}

impl Reply {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn complete(&self, written: Written) {
        let waker = {
            let mut state = self.state();
            state.written = Some(written);
            state.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }
}

impl Future for Reply {
    type Output = Written;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Written> {
        let mut state = self.state();
        match state.written {
            Some(written) => Poll::Ready(written),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use futures_util::FutureExt;

    use super::*;

    fn write(name: &str) -> Vec<Write> {
        vec![Write { name: name.to_owned(), value: None }]
    }

    #[test]
    fn dropping_it_waits_for_every_batch_that_was_handed_over() {
        let written = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&written);
        let writer = Writer::start(move |_, expected| {
            thread::sleep(Duration::from_millis(20));
            assert_eq!(count.fetch_add(1, Ordering::SeqCst), expected.get(), "in their order");
            Ok(expected.next())
        })
        .unwrap();
        // The first reply is dropped at once, and the last is never polled.
        for number in 0..5 {
            drop(writer.write(write("a"), Version::new(number)));
        }
        drop(writer);
        assert_eq!(written.load(Ordering::SeqCst), 5);
    }

    #[test]
    fn the_caller_does_not_wait_for_the_disk() {
        let (disk, is_free) = channel::<()>();
        let is_free = Mutex::new(is_free);
        let writer = Writer::start(move |_, expected| {
            is_free.lock().unwrap().recv().unwrap();
            Ok(expected.next())
        })
        .unwrap();
        let mut reply = writer.write(write("a"), Version::FIRST);
        assert!((&mut reply).now_or_never().is_none());
        disk.send(()).unwrap();
        let (done, is_done) = channel();
        let wake = futures_util::task::waker(Arc::new(Tell(Mutex::new(done))));
        let mut context = Context::from_waker(&wake);
        while reply.poll_unpin(&mut context).is_pending() {
            is_done.recv_timeout(Duration::from_secs(60)).expect("it wakes the task");
        }
        assert_eq!(reply.now_or_never(), Some(Ok(Version::new(1))));
    }

    struct Tell(Mutex<Sender<()>>);

    impl futures_util::task::ArcWake for Tell {
        fn wake_by_ref(this: &Arc<Self>) {
            let _ = this.0.lock().unwrap().send(());
        }
    }

    /// A task that is woken may hold the last clone of the storage, and drop it on the writing thread.
    #[test]
    fn the_writing_thread_does_not_wait_for_itself() {
        let (ended, has_ended) = channel();
        let slot: Arc<Mutex<Option<Writer>>> = Arc::default();
        let held = Arc::clone(&slot);
        let writer = Writer::start(move |_, expected| {
            drop(held.lock().unwrap().take());
            ended.send(()).unwrap();
            Ok(expected.next())
        })
        .unwrap();
        let mut filled = slot.lock().unwrap();
        drop(writer.write(write("a"), Version::FIRST));
        *filled = Some(writer);
        drop(filled);
        has_ended.recv_timeout(Duration::from_secs(60)).expect("the thread goes on");
    }
}
