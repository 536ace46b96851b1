//! The pending calls of one handle, which can be ended without ending the client.

use std::pin::pin;
use std::sync::{Mutex, PoisonError};

use futures_channel::oneshot;
use futures_util::FutureExt;
use futures_util::future::{Either, Shared, select};

use crate::ended::Ended;

/// Ends the calls of one handle.
pub(crate) struct Handle {
    /// `None` after the cancellation.
    cancel: Mutex<Option<oneshot::Sender<()>>>,
    cancelled: Shared<oneshot::Receiver<()>>,
}

impl Handle {
    pub(crate) fn new() -> Self {
        let (cancel, cancelled) = oneshot::channel();
        Self { cancel: Mutex::new(Some(cancel)), cancelled: cancelled.shared() }
    }

    /// Ends all pending calls, and each later one before it begins.
    pub(crate) fn cancel(&self) {
        // Dropped without the lock, because that wakes the calls that wait.
        let cancel = self.cancel.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(cancel);
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Begins a call and waits for its result, or for the cancellation: then the call is dropped.
    pub(crate) async fn wait<T, F>(&self, begin: impl FnOnce() -> F) -> Result<T, Ended>
    where
        F: Future<Output = Result<T, Ended>>,
    {
        if self.is_cancelled() {
            return Err(Ended::Closed);
        }
        match select(pin!(begin()), self.cancelled.clone()).await {
            Either::Left((result, _)) => result,
            Either::Right(_) => Err(Ended::Closed),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use futures_util::future::join;

    use super::*;

    #[test]
    fn a_result_passes_and_a_cancellation_ends_what_waits() {
        let handle = Handle::new();
        assert_eq!(handle.wait(|| ready(Ok(7))).now_or_never(), Some(Ok(7)));
        assert_eq!(
            handle.wait(|| ready(Err::<(), _>(Ended::Panicked))).now_or_never(),
            Some(Err(Ended::Panicked))
        );
        let (one, other) =
            (handle.wait(pending::<Result<(), Ended>>), handle.wait(pending::<Result<(), Ended>>));
        let mut both = Box::pin(join(one, other));
        assert_eq!((&mut both).now_or_never(), None);
        handle.cancel();
        assert_eq!(both.now_or_never(), Some((Err(Ended::Closed), Err(Ended::Closed))));
    }

    #[test]
    fn after_the_cancellation_no_call_begins() {
        let handle = Handle::new();
        handle.cancel();
        handle.cancel();
        let mut has_begun = false;
        let call = handle.wait(|| {
            has_begun = true;
            ready(Ok(7))
        });
        assert_eq!(call.now_or_never(), Some(Err(Ended::Closed)));
        assert!(!has_begun);
    }
}
