//! The networks of one client, among which calls about holdings are divided. What happens to one of them touches no other.

use std::sync::Arc;

use futures_util::future::join_all;
use saldo_reading::{Holding, NetworkId, Reading};
use saldo_source::{BoxedFuture, Deadline, IntoBoxed, MaybeSend, MaybeSync};

use crate::inner::ClientInner;
use crate::read::Kind;

/// The networks of one client, at least one.
#[derive(Clone)]
pub(crate) struct Networks(Arc<[Arc<ClientInner>]>);

/// One network, and its items with their places.
type Portion<'a, A> = (&'a Arc<ClientInner>, Vec<(usize, A)>);

impl Networks {
    pub(crate) fn new(networks: impl IntoIterator<Item = ClientInner>) -> Self {
        Self(networks.into_iter().map(Arc::new).collect())
    }

    pub(crate) fn all(&self) -> &[Arc<ClientInner>] {
        &self.0
    }

    pub(crate) fn find(&self, network: NetworkId) -> Option<&Arc<ClientInner>> {
        self.0.iter().find(|inner| NetworkId::from(&*inner.head.network()) == network)
    }

    /// The network of `holding`; `own` if it is none of these.
    pub(crate) fn of<'a>(&'a self, own: &'a Arc<ClientInner>, holding: &Holding) -> &'a Arc<ClientInner> {
        self.find(holding.network()).unwrap_or(own)
    }

    /// Reads `holdings` on their networks, each within the deadline of its policy.
    pub(crate) async fn read<'a>(
        &'a self,
        own: &'a Arc<ClientInner>,
        holdings: &'a [Holding],
        kind: Kind,
    ) -> Vec<Reading> {
        let read = move |inner: &'a Arc<ClientInner>, part: Vec<Holding>| -> BoxedFuture<'a, Vec<Reading>> {
            let deadline = Deadline::after(inner.env.clock(), inner.env.policy.deadline);
            async move { inner.read(&part, kind, deadline).await }.into_boxed()
        };
        self.each(own, holdings, |holding| holding, read).await
    }

    /// Divides `items` by the networks of what they are about. Those of a network that is not among them go to `own`, which says so.
    /// Asks all of them at the same time, and returns the answers in the order of the items.
    pub(crate) async fn each<'a, A, T, O, F>(
        &'a self,
        own: &'a Arc<ClientInner>,
        items: &'a [A],
        holding: fn(&A) -> &Holding,
        ask: F,
    ) -> Vec<T>
    where
        A: Copy + MaybeSend + MaybeSync,
        T: MaybeSend,
        F: Fn(&'a Arc<ClientInner>, Vec<A>) -> BoxedFuture<'a, O> + MaybeSend,
        O: IntoIterator<Item = T> + MaybeSend,
    {
        let mut parts: Vec<Portion<'_, A>> = vec![(own, Vec::new())];
        for (place, item) in items.iter().enumerate() {
            let inner = self.of(own, holding(item));
            match parts.iter_mut().find(|(of, _)| Arc::ptr_eq(of, inner)) {
                Some((_, part)) => part.push((place, *item)),
                None => parts.push((inner, vec![(place, *item)])),
            }
        }
        parts.retain(|(_, part)| !part.is_empty());
        let asked =
            parts.iter().map(|(inner, part)| ask(inner, part.iter().map(|(_, item)| *item).collect()));
        let answers = join_all(asked.collect::<Vec<_>>()).await;
        let places = parts.iter().flat_map(|(_, part)| part.iter().map(|(place, _)| *place));
        let mut answers: Vec<(usize, T)> = places.zip(answers.into_iter().flatten()).collect();
        answers.sort_by_key(|(place, _)| *place);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }
}
