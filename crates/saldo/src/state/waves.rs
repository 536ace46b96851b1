//! Calls that run at the same time ask together: what each wants at a block goes into one wave of requests.
//!
//! A wave is a future that all its callers share. Whoever is polled drives it; if all are dropped, it is dropped with them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alloy_primitives::{Address, B256};
use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};
use saldo_reading::Attempt;
use saldo_source::{BoxedFuture, IntoBoxed, MaybeSend};
use saldo_token::Query;

use super::facts::Facts;

/// What a wave brought: the facts, and what failed.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(super) facts: Facts,
    pub(super) failed: BTreeMap<Address, Failed>,
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

#[derive(Debug)]
struct UnderWay {
    block: B256,
    wanted: Arc<Wanted>,
    wave: WeakWave,
}

/// What a wave asks for.
#[derive(Debug)]
pub(super) struct Wanted(Mutex<(Query, bool)>);

impl Wanted {
    /// Returns the query, to which nothing can be added any more.
    pub(super) fn close(&self) -> Query {
        let mut wanted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.1 = true;
        wanted.0.clone()
    }

    /// Adds `query`, if nothing was asked yet.
    fn add(&self, query: &Query) -> bool {
        let mut wanted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_open = !wanted.1;
        if is_open {
            wanted.0.merge(query.clone());
        }
        is_open
    }

    /// What `query` asks for beyond what is asked for already; all of it, if nothing was asked yet.
    fn beyond(&self, query: &Query) -> Query {
        let wanted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted.1 { beyond(query, &wanted.0) } else { query.clone() }
    }
}

/// How long a wave waits for calls that begin at the same time.
pub(super) const GATHERING: Duration = Duration::from_millis(2);

impl Waves {
    /// Joins waves that bring what `query` asks for at `block`. What is asked for already is not asked for again; for the rest, `begin`
    /// makes a wave if none can take it.
    pub(super) fn join<F>(
        &self,
        block: B256,
        query: &Query,
        begin: impl FnOnce(Arc<Wanted>) -> F,
    ) -> Vec<Wave>
    where
        F: Future<Output = Outcome> + MaybeSend + 'static,
    {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.retain(|known| known.wave.upgrade().is_some_and(|wave| wave.peek().is_none()));
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
        let open = here().find_map(|known| known.wave.upgrade().filter(|_| known.wanted.add(&rest)));
        joined.push(open.unwrap_or_else(|| {
            let wanted = Arc::new(Wanted(Mutex::new((rest, false))));
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
