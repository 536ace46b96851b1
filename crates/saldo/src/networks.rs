//! The networks of one client, among which calls about holdings are divided. What happens to one of them touches no other.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use saldo_reading::{Holding, NetworkId, Reading};
use saldo_source::{BoxedFuture, Deadline, IntoBoxed, MaybeSend, MaybeSync};

use crate::check::{self, Claim, Verdict};
use crate::inner::ClientInner;
use crate::read::Kind;

/// The networks of one client, at least one.
#[derive(Clone)]
pub(crate) struct Networks(Arc<[Arc<ClientInner>]>);

/// One network, and what is asked of it.
struct Portion<'a, A> {
    inner: &'a Arc<ClientInner>,
    /// The places of the items among all.
    places: Vec<usize>,
    items: Vec<A>,
}

impl<'a, A> Portion<'a, A> {
    fn new(inner: &'a Arc<ClientInner>) -> Self {
        Self { inner, places: Vec::new(), items: Vec::new() }
    }
}

impl Networks {
    pub(crate) fn new(networks: impl IntoIterator<Item = Arc<ClientInner>>) -> Self {
        Self(networks.into_iter().collect())
    }

    pub(crate) fn all(&self) -> &[Arc<ClientInner>] {
        &self.0
    }

    pub(crate) fn find(&self, network: NetworkId) -> Option<&Arc<ClientInner>> {
        self.0.iter().find(|inner| NetworkId::from(&*inner.head.network()) == network)
    }

    /// The L1 of `own`, or `own` itself, and all rollups of it.
    pub(crate) fn on_same_l1(&self, own: &ClientInner) -> impl Iterator<Item = &Arc<ClientInner>> {
        let l1 = own.l1_chain_id();
        self.0.iter().filter(move |inner| inner.l1_chain_id() == l1)
    }

    /// The network of `holding`; `own` if it is none of these.
    pub(crate) fn of<'a>(&'a self, own: &'a Arc<ClientInner>, holding: &Holding) -> &'a Arc<ClientInner> {
        self.find(holding.network()).unwrap_or(own)
    }

    /// Reads `holdings` on their networks, each within the deadline of its policy. The gate hands out all of them at the end.
    pub(crate) async fn read(
        &self,
        own: &Arc<ClientInner>,
        holdings: &[Holding],
        kind: Kind,
    ) -> Vec<Reading> {
        let give = |inner: &ClientInner, part: &[Holding], found| inner.give(part, found);
        self.each(
            own,
            holdings,
            |holding| holding,
            move |inner, part| {
                let deadline = Deadline::after(inner.env.clock(), inner.env.policy.deadline);
                inner.find(part, kind, deadline).into_boxed()
            },
            give,
        )
        .await
    }

    /// Reads `holdings` on their networks as [`ClientInner::read_patiently`] does.
    pub(crate) async fn read_patiently(
        &self,
        own: &Arc<ClientInner>,
        holdings: &[Holding],
        patience: Duration,
    ) -> Vec<Reading> {
        let give = |inner: &ClientInner, part: &[Holding], (readings, generation)| {
            inner.give_again(part, readings, generation)
        };
        self.each(
            own,
            holdings,
            |holding| holding,
            move |inner, part| {
                let read = async move {
                    let readings = inner.read_patiently(part, patience).await;
                    (readings, inner.head.generation())
                };
                read.into_boxed()
            },
            give,
        )
        .await
    }

    /// Reads every holding of all networks that is watched, or was proven before.
    pub(crate) async fn refresh(&self, within: Duration) -> Vec<(Holding, Reading)> {
        let found = join_all(self.0.iter().map(|inner| inner.find_known(within))).await;
        let given = self.0.iter().zip(found).map(|(inner, (holdings, found))| {
            let readings = inner.give(&holdings, found);
            holdings.into_iter().zip(readings)
        });
        given.flatten().collect()
    }

    /// Checks `claims` on their networks.
    pub(crate) async fn check(&self, own: &Arc<ClientInner>, claims: &[Claim]) -> Vec<Verdict> {
        self.each(
            own,
            claims,
            |claim| &claim.holding,
            |inner, part| check::find(inner, part, None).into_boxed(),
            check::judge,
        )
        .await
    }

    /// Checks `claims` on their networks, and again where waiting can settle a claim, until `patience` is over.
    pub(crate) async fn check_patiently(
        &self,
        own: &Arc<ClientInner>,
        claims: &[Claim],
        patience: Duration,
    ) -> Vec<Verdict> {
        self.each(
            own,
            claims,
            |claim| &claim.holding,
            move |inner, part| check::find_patiently(inner, part, patience).into_boxed(),
            check::settle,
        )
        .await
    }

    /// Waits until the storage of all networks was read and has removed what it was asked to remove, at most for `within`.
    pub(crate) async fn settle_storage(&self, within: Duration) {
        let each =
            self.0.iter().map(|inner| inner.settle_storage(Deadline::after(inner.env.clock(), within)));
        join_all(each).await;
    }

    /// Divides `items` by the networks of what they are about. Those of a network that is not among them go to `own`, which says so.
    /// Lets `find` find what is asked on all of them at the same time. Then `give` makes the answers, all at one moment: what one network
    /// found may have been withdrawn while another one was waited for. They come in the order of the items.
    pub(crate) async fn each<A, F, T>(
        &self,
        own: &Arc<ClientInner>,
        items: &[A],
        holding: fn(&A) -> &Holding,
        find: impl for<'b> Fn(&'b Arc<ClientInner>, &'b [A]) -> BoxedFuture<'b, F> + MaybeSend,
        give: impl Fn(&ClientInner, &[A], F) -> Vec<T> + MaybeSend,
    ) -> Vec<T>
    where
        A: Copy + MaybeSend + MaybeSync,
        F: MaybeSend,
        T: MaybeSend,
    {
        let mut parts: Vec<Portion<'_, A>> = vec![Portion::new(own)];
        for (place, item) in items.iter().enumerate() {
            let inner = self.of(own, holding(item));
            let part = parts.iter().position(|part| Arc::ptr_eq(part.inner, inner));
            let part = part.unwrap_or_else(|| {
                parts.push(Portion::new(inner));
                parts.len().saturating_sub(1)
            });
            if let Some(part) = parts.get_mut(part) {
                part.places.push(place);
                part.items.push(*item);
            }
        }
        parts.retain(|part| !part.items.is_empty());
        let asked: Vec<BoxedFuture<'_, F>> = parts.iter().map(|part| find(part.inner, &part.items)).collect();
        let found = join_all(asked).await;
        let mut answers: Vec<(usize, T)> = Vec::with_capacity(items.len());
        for (part, found) in parts.iter().zip(found) {
            answers.extend(part.places.iter().copied().zip(give(part.inner, &part.items, found)));
        }
        answers.sort_by_key(|(place, _)| *place);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }
}
