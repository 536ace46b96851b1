//! Counts the answers about blocks.

use saldo_reading::Why;

use super::proven::NotProven;
use crate::inner::ClientInner;
use crate::meter;

/// What an answer fails with.
pub(super) trait Unanswered {
    /// Why it is not proven; `None` if the call was proven and failed by itself.
    fn why(&self) -> Option<&Why>;
}

impl Unanswered for NotProven {
    fn why(&self) -> Option<&Why> {
        Some(Self::why(self))
    }
}

/// Awaits an answer of one `kind`, and counts how it ended.
pub(super) async fn counted<T, E: Unanswered>(
    inner: &ClientInner,
    kind: &'static str,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let answer = answer.await;
    meter::answer(&inner.env, kind, answer.as_ref().err().and_then(Unanswered::why));
    answer
}
