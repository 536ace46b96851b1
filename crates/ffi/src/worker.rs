//! The thread of a client, on which all of its work is done.
//!
//! The bindings poll an exported future on the caller's thread, which is often the thread of the screen. So an exported future only
//! waits for an answer; the work itself is a job on the client's own thread. Dropping the exported future aborts the job there,
//! and with it the app's HTTP call.

mod run;
mod thread;
mod timers;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, ThreadId};

use futures_channel::oneshot;
use futures_util::FutureExt;
use tracing::Dispatch;

pub(crate) use run::Run;
use thread::Queue;
pub(crate) use timers::Timers;

/// A thread that runs jobs until it is stopped. Dropping it stops the thread without waiting for it.
pub(crate) struct Worker {
    queue: Arc<Queue>,
    id: ThreadId,
    thread: Mutex<Option<JoinHandle<()>>>,
    ended: futures_util::future::Shared<oneshot::Receiver<()>>,
}

impl Worker {
    /// Starts the thread. Its events go to `log`.
    ///
    /// # Errors
    /// The system's error if it has no room for a thread.
    pub(crate) fn start(timers: Arc<Timers>, log: Dispatch) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::new(timers));
        let (sender, ended) = oneshot::channel();
        let own = Arc::clone(&queue);
        let thread = std::thread::Builder::new().name("saldo".to_owned()).spawn(move || {
            tracing::dispatcher::with_default(&log, || own.work());
            // The receiver may be gone.
            let _ = sender.send(());
        })?;
        Ok(Self { queue, id: thread.thread().id(), thread: Mutex::new(Some(thread)), ended: ended.shared() })
    }

    /// Runs `job` on the thread. Dropping the result aborts the job.
    pub(crate) fn run<T: Send + 'static>(&self, job: impl Future<Output = T> + Send + 'static) -> Run<T> {
        run::run(&self.queue, job)
    }

    /// Runs `job` on the thread and waits for nothing. Jobs begin in the order in which they are posted.
    pub(crate) fn post(&self, job: impl Future<Output = ()> + Send + 'static) {
        run::run(&self.queue, job).detach();
    }

    /// Returns what puts jobs on this thread that nothing aborts.
    pub(crate) fn poster(&self) -> Poster {
        Poster(Arc::clone(&self.queue))
    }

    /// Ends all jobs at once and waits until the thread has ended. On the thread itself it waits for nothing.
    pub(crate) async fn stop(&self) {
        self.queue.stop();
        if std::thread::current().id() == self.id {
            return;
        }
        let _ = self.ended.clone().await;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // It has nothing left to do but to end. It catches every panic.
        let _ = thread.map(JoinHandle::join);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.queue.stop();
    }
}

/// Puts jobs on a worker's thread. It keeps no thread alive.
#[derive(Clone)]
pub(crate) struct Poster(Arc<Queue>);

impl Poster {
    /// Runs `job` on the thread, also if the result is dropped.
    pub(crate) fn run<T: Send + 'static>(&self, job: impl Future<Output = T> + Send + 'static) -> Run<T> {
        let mut run = run::run(&self.0, job);
        run.keep();
        run
    }
}

#[cfg(test)]
mod tests;
