//! Calls that run at the same time ask together: what each wants at a block goes into one wave of requests.
//!
//! A wave is a future that all its callers share. Each caller that is polled drives it. If all callers are dropped, it is dropped too.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::{Address, B256};
use futures_util::FutureExt;
use futures_util::future::{Either, Shared, WeakShared, select, select_all};
use saldo_proof::StateRoot;
use saldo_reading::Attempt;
use saldo_source::{BoxedFuture, Clock, Deadline, IntoBoxed, MaybeSend};
use saldo_token::Query;

use super::facts::Facts;

/// What a wave brought: the facts, and what failed.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(super) facts: Facts,
    pub(super) failed: BTreeMap<Address, Failed>,
    /// The deadline of its requests.
    pub(super) deadline: Deadline,
}

impl Outcome {
    /// The failure of an account that `missing` asks for.
    pub(super) fn failure_of(&self, missing: &Query) -> Option<&Failed> {
        let is_missing =
            |address: &Address| missing.slots().contains_key(address) || missing.codes().contains(address);
        self.failed.iter().find(|(address, _)| is_missing(address)).map(|(_, failed)| failed)
    }
}

/// Why one account was not proven.
#[derive(Clone, Debug)]
pub(super) struct Failed {
    pub(super) attempts: Vec<Attempt>,
    pub(super) held_back: bool,
}

pub(super) type Wave = Shared<BoxedFuture<'static, Arc<Outcome>>>;
type WeakWave = WeakShared<BoxedFuture<'static, Arc<Outcome>>>;

/// The waves that are under way.
#[derive(Debug, Default)]
pub(crate) struct Waves(Mutex<Vec<UnderWay>>);

/// A block by its hash, and the root that all of it is proven under.
pub(super) type BlockKey = (B256, StateRoot);

#[derive(Debug)]
struct UnderWay {
    block: BlockKey,
    wanted: Arc<Wanted>,
    wave: WeakWave,
}

/// What a wave asks for.
#[derive(Debug)]
pub(super) struct Wanted(Mutex<Asked>);

#[derive(Debug)]
struct Asked {
    query: Query,
    /// The latest deadline of the calls that began it.
    deadline: Deadline,
    /// Whether it was asked for already, so that nothing can be added.
    is_closed: bool,
}

impl Wanted {
    fn new(query: Query, deadline: Deadline) -> Self {
        Self(Mutex::new(Asked { query, deadline, is_closed: false }))
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the query, to which nothing can be added any more, and the deadline.
    pub(super) fn close(&self) -> (Query, Deadline) {
        let mut asked = self.asked();
        asked.is_closed = true;
        (asked.query.clone(), asked.deadline)
    }

    /// Adds `query`, if nothing was asked yet.
    fn add(&self, query: &Query, deadline: Deadline) -> bool {
        let mut asked = self.asked();
        if !asked.is_closed {
            asked.query.merge(query.clone());
            asked.deadline = asked.deadline.max(deadline);
        }
        !asked.is_closed
    }

    /// What `query` asks for beyond what is asked for already; all of it, if nothing was asked yet.
    fn beyond(&self, query: &Query) -> Query {
        let asked = self.asked();
        if asked.is_closed { beyond(query, &asked.query) } else { query.clone() }
    }
}

/// How long a wave waits for calls that begin at the same time.
pub(super) const GATHERING: Duration = Duration::from_millis(2);

impl Waves {
    /// Joins waves that bring what `query` asks for at `block`. What is asked for already is not asked for again; for the rest, `begin`
    /// makes a wave if none can take it.
    pub(super) fn join<F>(
        &self,
        block: BlockKey,
        (query, deadline): (&Query, Deadline),
        clock: &dyn Clock,
        begin: impl FnOnce(Arc<Wanted>) -> F,
    ) -> Vec<Wave>
    where
        F: Future<Output = Outcome> + MaybeSend + 'static,
    {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A wave past its deadline brings nothing more: the calls that it belongs to are no longer polled.
        let is_live = |known: &UnderWay| {
            let is_over = known.wanted.asked().deadline.left(clock).is_zero();
            !is_over && known.wave.upgrade().is_some_and(|wave| wave.peek().is_none())
        };
        under_way.retain(is_live);
        let mut joined = Vec::new();
        let mut rest = query.clone();
        let here = || under_way.iter().filter(|known| known.block == block);
        for known in here() {
            let less = known.wanted.beyond(&rest);
            if let Some(wave) = known.wave.upgrade().filter(|_| less != rest) {
                rest = less;
                joined.push(wave);
            }
        }
        if rest.is_empty() {
            return joined;
        }
        let open =
            here().find_map(|known| known.wave.upgrade().filter(|_| known.wanted.add(&rest, deadline)));
        joined.push(open.unwrap_or_else(|| {
            let wanted = Arc::new(Wanted::new(rest, deadline));
            let asking = begin(Arc::clone(&wanted));
            let wave = async move { Arc::new(asking.await) }.into_boxed().shared();
            if let Some(weak) = wave.downgrade() {
                under_way.push(UnderWay { block, wanted, wave: weak });
            }
            wave
        }));
        joined
    }
}

/// Awaits the first of `waves` that ends, and returns it with the others; `None` if the deadline is earlier. All are polled, because
/// the other calls of a wave may be gone.
pub(super) async fn first(
    waves: Vec<Wave>,
    deadline: Deadline,
    clock: &dyn Clock,
) -> Option<(Arc<Outcome>, Vec<Wave>)> {
    // Requests that end at this very deadline are first: they know which provider failed, and how.
    let late = clock.sleep(deadline.left(clock).saturating_add(GATHERING));
    match select(select_all(waves), late).await {
        Either::Left(((outcome, _, others), _)) => Some((outcome, others)),
        Either::Right(_) => None,
    }
}

/// What `query` asks for beyond `other`.
fn beyond(query: &Query, other: &Query) -> Query {
    let mut rest = Query::default();
    for (address, keys) in query.slots() {
        let held = other.slots().get(address);
        // A question for the code of an account brings its proof too.
        if held.is_none() && !other.codes().contains(address) {
            rest.add_account(*address);
        }
        let is_held = |key: &&B256| held.is_some_and(|held| held.contains(*key));
        keys.iter().filter(|key| !is_held(key)).for_each(|key| rest.add_slot(*address, *key));
    }
    let is_new = |address: &&Address| !other.codes().contains(*address);
    query.codes().iter().filter(is_new).for_each(|address| rest.add_code(*address));
    rest
}

#[cfg(test)]
#[path = "waves_tests.rs"]
mod tests;
