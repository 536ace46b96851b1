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
use saldo_source::{BoxedFuture, Deadline, IntoBoxed};
use saldo_token::Query;

use super::FoundBlock;
use super::facts::Facts;
use crate::inner::ClientInner;
use crate::proofs::AccountNeed;

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

type Wave = Shared<BoxedFuture<'static, Arc<Outcome>>>;
type WeakWave = WeakShared<BoxedFuture<'static, Arc<Outcome>>>;

/// The waves that are under way.
#[derive(Debug, Default)]
pub(crate) struct Waves(Mutex<Vec<UnderWay>>);

#[derive(Debug)]
struct UnderWay {
    block: B256,
    wanted: Arc<Mutex<Wanted>>,
    wave: WeakWave,
}

/// What a wave asks for.
#[derive(Debug, Default)]
struct Wanted {
    query: Query,
    /// Whether it was asked for already, so that nothing can be added.
    is_asked: bool,
}

/// How long a wave waits for calls that begin at the same time.
const GATHERING: Duration = Duration::from_millis(2);

/// Joins waves that bring what `query` asks for at the block `found`. What is asked for already is not asked for again.
pub(super) fn join(inner: &Arc<ClientInner>, found: &FoundBlock, query: &Query) -> Vec<Wave> {
    let block = found.anchor.hash();
    let mut under_way = inner.waves.0.lock().unwrap_or_else(PoisonError::into_inner);
    under_way.retain(|known| known.wave.upgrade().is_some_and(|wave| wave.peek().is_none()));
    let mut joined = Vec::new();
    let mut open = None;
    let mut rest = query.clone();
    for known in under_way.iter().filter(|known| known.block == block) {
        let Some(wave) = known.wave.upgrade() else { continue };
        let wanted = known.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if !wanted.is_asked {
            open = Some((Arc::clone(&known.wanted), wave));
            continue;
        }
        let less = beyond(&rest, &wanted.query);
        if less != rest {
            rest = less;
            joined.push(wave);
        }
    }
    if rest.is_empty() {
        return joined;
    }
    if let Some((wanted, wave)) = open {
        wanted.lock().unwrap_or_else(PoisonError::into_inner).query.merge(rest);
        joined.push(wave);
        return joined;
    }
    let wanted = Arc::new(Mutex::new(Wanted { query: rest, is_asked: false }));
    let wave = begin(inner, found, &wanted);
    if let Some(weak) = wave.downgrade() {
        under_way.push(UnderWay { block, wanted, wave: weak });
    }
    joined.push(wave);
    joined
}

fn begin(inner: &Arc<ClientInner>, found: &FoundBlock, wanted: &Arc<Mutex<Wanted>>) -> Wave {
    let (inner, found, wanted) = (Arc::clone(inner), found.clone(), Arc::clone(wanted));
    let wave = async move {
        inner.env.clock().sleep(GATHERING).await;
        let query = {
            let mut wanted = wanted.lock().unwrap_or_else(PoisonError::into_inner);
            wanted.is_asked = true;
            wanted.query.clone()
        };
        let deadline = Deadline::after(inner.env.clock(), inner.env.policy.deadline);
        let outcome = inner.ask_at(&found, &AccountNeed::of(&query), deadline).await;
        inner.states.keep(found.anchor.hash(), &outcome.facts);
        Arc::new(outcome)
    };
    wave.into_boxed().shared()
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
