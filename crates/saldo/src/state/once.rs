//! Asks once for what belongs to the hash of a block, however many calls want it at one time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use alloy_primitives::B256;
use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};
use saldo_chain::{Body, ExecutionHeader};
use saldo_reading::Attempt;
use saldo_source::{BoxedFuture, MaybeSend, MaybeSync};

/// The headers of the last blocks that were asked for.
pub(crate) type Headers = Once<ExecutionHeader>;
/// The bodies of the last blocks that were asked for.
pub(crate) type Bodies = Once<Body>;

/// What was asked for, or the requests that failed.
pub(crate) type Answer<T> = Result<Arc<T>, Vec<Attempt>>;
type Asking<T> = Shared<BoxedFuture<'static, Answer<T>>>;
type WeakAsking<T> = WeakShared<BoxedFuture<'static, Answer<T>>>;

/// The memory that an answer takes.
pub(crate) trait Weigh {
    /// In bytes.
    fn weight(&self) -> usize;
}

impl Weigh for ExecutionHeader {
    fn weight(&self) -> usize {
        self.rlp().len()
    }
}

impl Weigh for Body {
    fn weight(&self) -> usize {
        self.size()
    }
}

/// Keeps the answers about the last blocks, and the questions that are under way. An answer belongs to a hash, so it stays right.
pub(crate) struct Once<T>(Mutex<Known<T>>);

struct Known<T> {
    held: VecDeque<(B256, Arc<T>)>,
    asked: Vec<(B256, WeakAsking<T>)>,
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self(Mutex::new(Known { held: VecDeque::new(), asked: Vec::new() }))
    }
}

impl<T: Weigh + MaybeSend + MaybeSync + 'static> Once<T> {
    /// The most blocks.
    const BLOCKS: usize = 64;
    /// The most memory, in bytes. The newest answer is kept, however large it is.
    const SIZE: usize = 32 << 20;

    /// The answer for `hash`: the one that is held, that of a question under way, or that of the question that `ask` makes.
    pub(crate) async fn get(
        &self,
        hash: B256,
        ask: impl FnOnce() -> BoxedFuture<'static, Answer<T>>,
    ) -> Answer<T> {
        let asking = match self.held_or_asked(hash, ask) {
            Ok(held) => return Ok(held),
            Err(asking) => asking,
        };
        let answer = asking.await;
        if let Ok(found) = &answer {
            self.keep(hash, found);
        }
        answer
    }

    fn held_or_asked(
        &self,
        hash: B256,
        ask: impl FnOnce() -> BoxedFuture<'static, Answer<T>>,
    ) -> Result<Arc<T>, Asking<T>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, held)) = known.held.iter().find(|(of, _)| *of == hash) {
            return Ok(Arc::clone(held));
        }
        known.asked.retain(|(_, asking)| asking.upgrade().is_some_and(|asking| asking.peek().is_none()));
        let under_way = known.asked.iter().find(|(of, _)| *of == hash);
        if let Some(asking) = under_way.and_then(|(_, asking)| asking.upgrade()) {
            return Err(asking);
        }
        let asking = ask().shared();
        if let Some(weak) = asking.downgrade() {
            known.asked.push((hash, weak));
        }
        Err(asking)
    }

    fn keep(&self, hash: B256, found: &Arc<T>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.held.iter().any(|(of, _)| *of == hash) {
            return;
        }
        known.held.push_back((hash, Arc::clone(found)));
        let size = |known: &Known<T>| known.held.iter().map(|(_, held)| held.weight()).sum::<usize>();
        while known.held.len() > Self::BLOCKS || (known.held.len() > 1 && size(&known) > Self::SIZE) {
            known.held.pop_front();
        }
    }
}
