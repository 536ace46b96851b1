//! Where jobs are put.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Context;

use super::calls::{self, Calls};
use super::job::Job;
#[cfg(not(target_arch = "wasm32"))]
use super::thread::ThreadQueue;

/// Where jobs are put.
#[derive(Clone)]
pub(super) enum Queue {
    /// A thread does them.
    #[cfg(not(target_arch = "wasm32"))]
    Thread(Arc<ThreadQueue>),
    /// The calls of the app do them.
    Calls(Arc<Calls>),
}

impl Queue {
    /// Adds a job. After the end it is dropped.
    pub(super) fn push(&self, job: Job) {
        match self {
            #[cfg(not(target_arch = "wasm32"))]
            Self::Thread(queue) => queue.push(job),
            Self::Calls(calls) => calls.push(job),
        }
    }

    pub(super) fn stop(&self) {
        match self {
            #[cfg(not(target_arch = "wasm32"))]
            Self::Thread(queue) => queue.stop(),
            Self::Calls(calls) => calls.stop(),
        }
    }

    /// Returns how a call of the app waits for a job.
    pub(super) fn caller(&self) -> Caller {
        match self {
            #[cfg(not(target_arch = "wasm32"))]
            Self::Thread(_) => Caller::default(),
            Self::Calls(calls) => Caller { does: Some(calls::Caller::new(calls)) },
        }
    }
}

/// A call of the app that waits for a job. Without a thread, it does the job.
#[derive(Default)]
pub(super) struct Caller {
    does: Option<calls::Caller>,
}

impl Caller {
    /// Does the jobs that can go on, if no thread does them.
    pub(super) fn attend(&mut self, context: &Context<'_>) {
        if let Some(does) = &mut self.does {
            does.attend(context);
        }
    }

    /// Ends the wait, and with it the jobs that were aborted.
    pub(super) fn leave(&mut self) {
        if let Some(does) = self.does.take() {
            does.leave();
        }
    }

    /// Waits for `answer`, which a job gives.
    pub(super) async fn wait<T>(mut self, answer: impl Future<Output = T>) -> T {
        let mut answer = pin!(answer);
        poll_fn(|context| {
            self.attend(context);
            answer.as_mut().poll(context)
        })
        .await
    }
}
