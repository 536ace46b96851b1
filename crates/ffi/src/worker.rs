//! Where all of a client's work is done: on a thread of its own, or, where there are no threads, in the calls of the app.
//!
//! The bindings poll an exported future on the caller's thread, which is often the thread of the screen. So an exported future only
//! waits for an answer; the work itself is a job on the client's own thread. Dropping the exported future aborts the job there,
//! and with it the app's HTTP call.

mod calls;
mod job;
mod queue;
mod run;
#[cfg(not(target_arch = "wasm32"))]
mod thread;
#[cfg(not(target_arch = "wasm32"))]
mod timers;

use std::sync::Arc;

use tracing::Dispatch;

use crate::maybe_send::MaybeSend;
use queue::Queue;
pub(crate) use run::Run;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use timers::Timers;

/// Runs jobs until it is stopped. Dropping it stops it without waiting.
pub(crate) struct Worker {
    queue: Queue,
    #[cfg(not(target_arch = "wasm32"))]
    thread: Option<thread::Thread>,
}

impl Worker {
    /// Starts a thread. Its events go to `log`.
    ///
    /// # Errors
    /// The system's error if it has no room for a thread.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn start(timers: Arc<Timers>, log: Dispatch) -> std::io::Result<Self> {
        let (queue, thread) = thread::start(timers, log)?;
        Ok(Self { queue: Queue::Thread(queue), thread: Some(thread) })
    }

    /// Runs jobs without a thread: they go on while a call of the app waits. Their events go to `log`.
    pub(crate) fn without_thread(log: Dispatch) -> Self {
        Self {
            queue: Queue::Calls(Arc::new(calls::Calls::new(log))),
            #[cfg(not(target_arch = "wasm32"))]
            thread: None,
        }
    }

    /// Runs `job`. Dropping the result aborts the job.
    pub(crate) fn run<T: MaybeSend + 'static>(
        &self,
        job: impl Future<Output = T> + MaybeSend + 'static,
    ) -> Run<T> {
        run::run(&self.queue, job)
    }

    /// Runs `job` and waits for nothing. Jobs begin in the order in which they are posted.
    pub(crate) fn post(&self, job: impl Future<Output = ()> + MaybeSend + 'static) {
        run::run(&self.queue, job).detach();
    }

    /// Waits for `answer`, which a job gives.
    pub(crate) async fn wait<T>(&self, answer: impl Future<Output = T>) -> T {
        self.queue.caller().wait(answer).await
    }

    /// Returns what puts jobs here that nothing aborts.
    pub(crate) fn poster(&self) -> Poster {
        Poster(self.queue.clone())
    }

    /// Ends all jobs at once. If they have a thread, it waits until that has ended; on the thread itself it waits for nothing.
    pub(crate) async fn stop(&self) {
        self.queue.stop();
        #[cfg(not(target_arch = "wasm32"))]
        if let Some(thread) = &self.thread {
            thread.join().await;
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.queue.stop();
    }
}

/// Puts jobs where a worker's jobs are. It keeps no thread alive.
#[derive(Clone)]
pub(crate) struct Poster(Queue);

impl Poster {
    /// Runs `job`, also if the result is dropped.
    pub(crate) fn run<T: MaybeSend + 'static>(
        &self,
        job: impl Future<Output = T> + MaybeSend + 'static,
    ) -> Run<T> {
        let mut run = run::run(&self.0, job);
        run.keep();
        run
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod calls_tests;
