//! What a wallet holds on to.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::Address;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use saldo_beacon::{AdoptError, Checkpoint, ConsensusFault, Network};
use saldo_reading::{Holding, Now, Policy, Proven, Reading, Role, Why, gate};
use saldo_source::{Deadline, Diversity, Endpoint};

use crate::account::AccountReading;
use crate::health::Health;
use crate::inner::ClientInner;
use crate::pace::Pace;
use crate::proofs::Evidence;
use crate::read::Kind;
use crate::storage::StorageFault;
use crate::watch::Watch;

/// Reads what addresses hold, and proves it. Cheap to clone; all clones know the same.
///
/// Every future may be dropped at any point: no work is left behind, and nothing that was verified is lost. Futures are
/// boxed, so that an app does not compile what happens inside them.
#[derive(Clone)]
pub struct Client {
    inner: Arc<ClientInner>,
}

impl Client {
    pub(crate) fn new(inner: ClientInner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// Reads the native balance of `owner`. Returns at the policy's deadline at the latest.
    ///
    /// A provisional reading is finished by the next call, once the committee has signed its block.
    #[inline(never)]
    pub fn balance(&self, owner: Address) -> BoxFuture<'_, Reading> {
        let balance = async move {
            let holding = Holding::native(owner);
            self.read(&[holding]).await.pop().unwrap_or(gate::unknown(Why::InternalFault))
        };
        balance.boxed()
    }

    /// Reads the account of `owner`: the balance, and the nonce that the same proof shows.
    #[inline(never)]
    pub fn account(&self, owner: Address) -> BoxFuture<'_, AccountReading> {
        self.balance(owner).map(AccountReading::new).boxed()
    }

    /// Reads all `holdings`, in the same order. Returns at the policy's deadline at the latest.
    #[inline(never)]
    pub fn read<'a>(&'a self, holdings: &'a [Holding]) -> BoxFuture<'a, Vec<Reading>> {
        let read = async move {
            let deadline = Deadline::after(self.inner.env.clock(), self.inner.env.policy.deadline);
            self.inner.read(holdings, Kind::Newest, deadline).await
        };
        read.boxed()
    }

    /// Reads all `holdings` again and again until each is proven, or waiting will not help, or `patience` is over.
    ///
    /// What helps is the next signed head, which a provisional reading waits for: one slot later, or two.
    #[inline(never)]
    pub fn read_patiently<'a>(
        &'a self,
        holdings: &'a [Holding],
        patience: Duration,
    ) -> BoxFuture<'a, Vec<Reading>> {
        self.inner.read_patiently(holdings, patience).boxed()
    }

    /// Reads the newest amount of each of the `holdings` at a *finalized* block, in the same order, whatever assurance the
    /// policy asks for. Returns at the policy's deadline at the latest.
    ///
    /// What was proven at a signed block becomes final when finality reaches that block, some 13 to 20 minutes later on
    /// mainnet. It is raised the cheapest way that works: without a request where the blocks in between are known; by one
    /// proof of the chain's own record of block hashes (EIP-2935), which names no address; by the headers in between; and
    /// if nothing was proven at a block that is final by now, by a proof at the finalized block. A reading at an older
    /// finalized block is given as long as it is no older than the policy, or [`Policy::finalized`], allows.
    ///
    /// Where no finalized amount can be proven the reading is [`Reading::Unknown`], with the reason and the last proven
    /// amount of any assurance.
    #[inline(never)]
    pub fn finalized<'a>(&'a self, holdings: &'a [Holding]) -> BoxFuture<'a, Vec<Reading>> {
        let read = async move {
            let deadline = Deadline::after(self.inner.env.clock(), self.inner.env.policy.deadline);
            self.inner.read(holdings, Kind::Finalized, deadline).await
        };
        read.boxed()
    }

    /// Keeps the readings of `holdings` up, for as long as it is polled: what is known at once, then each change. How much it
    /// asks is said by [`Client::set_pace`]; each holding counts once.
    pub fn watch(&self, holdings: impl IntoIterator<Item = Holding>) -> Watch {
        Watch::new(Arc::clone(&self.inner), holdings)
    }

    /// Sets how much the watches of this client may ask, from now on: call it when the app comes to the front or leaves it.
    pub fn set_pace(&self, pace: Pace) {
        self.inner.hub.set_pace(pace);
    }

    /// Reads everything that is watched, was proven before, or was restored from [storage](crate::ClientBuilder::storage), and keeps
    /// it there: for the background jobs that a phone grants now and then. Returns `within` this time at the latest. It writes
    /// at its end, in one piece: an app that is killed at any point loses nothing that was there.
    #[inline(never)]
    pub fn refresh(&self, within: Duration) -> BoxFuture<'_, Vec<(Holding, Reading)>> {
        self.inner.refresh(within).boxed()
    }

    /// Drops all that is known of `holding`, in [storage](crate::ClientBuilder::storage) too, and which operators know its address:
    /// for an account that the user removes. Providers that have seen the address may remember it. A watch or a read of it
    /// that is under way brings it back.
    ///
    /// The storage is told at once, and before anything else is written. Where it is not ready at once, the next call that
    /// awaits goes on with it, or a watch. If the app is killed before that, the holding is there at the next start.
    pub fn forget(&self, holding: &Holding) {
        self.inner.forget(holding);
    }

    /// The reading of `holding` that was proven last, from memory. Show it with its age, which
    /// [`Proven::freshness`] gives for [`Client::now`].
    pub fn last(&self, holding: &Holding) -> Option<Proven> {
        self.inner.last(holding)
    }

    /// The reading of `holding` that the chain took back, if none has been proven since: its block was reorganised away.
    /// [`Client::last`] then gives the best finalized one.
    pub fn withdrawn(&self, holding: &Holding) -> Option<Proven> {
        self.inner.withdrawn(holding)
    }

    /// What was dropped from the [storage](crate::ClientBuilder::storage) because it does not hold, and whether something could not
    /// be written. Nothing is wrong with the rest.
    pub fn storage_faults(&self) -> Vec<StorageFault> {
        self.inner.readings.storage_faults()
    }

    /// The time by the wall clock and the newest signed block, for working out ages.
    pub fn now(&self) -> Now {
        self.inner.head.now()
    }

    /// The contradiction for which every read is `consensus_fault`, with the signed updates on both sides:
    /// [`ConsensusFault::to_json`] gives them for others to check.
    ///
    /// It goes away by [`Client::start_again`] alone.
    pub fn consensus_fault(&self) -> Option<ConsensusFault> {
        self.inner.head.fault()
    }

    /// Starts again from `checkpoint`, on the caller's own word: after a [`Client::consensus_fault`], from a block that
    /// many agree on.
    ///
    /// Nothing that followed from the start before is kept, no reading either: [`Client::last`] is empty until the next
    /// one is proven. Reads that are under way prove nothing from the old start any more. With
    /// [storage](crate::ClientBuilder::storage), the next start of the app begins from `checkpoint` as well.
    ///
    /// The storage is told at once, and before anything else is written. Where it is not ready at once, the next call that
    /// awaits goes on with it, or a watch. If the app is killed before that, the next start finds what was there before.
    pub fn start_again(&self, checkpoint: impl Into<Checkpoint>) {
        self.inner.restart_from(checkpoint.into());
    }

    /// Says that the device's network changed, and whether there is one now: call it when the system says so.
    ///
    /// Whoever did not answer over the old network is asked as if nothing had happened. While there is none, nobody is worse
    /// for not being reached, and readings that find nobody are `device_offline`; all are asked nevertheless, and the
    /// first answer shows that there is a network.
    pub fn network_changed(&self, online: bool) {
        self.inner.env.dispatcher.network_changed(online);
        if online {
            self.inner.hub.wake();
        }
    }

    /// The newest proofs that were false under the very block they were asked for. A provider that sends two of them is asked
    /// for proofs only when nobody else is left, for the client's life.
    pub fn evidence(&self) -> Vec<Evidence> {
        self.inner.proofs.evidence()
    }

    /// What stands behind the providers, the beacon sources and the checkpoint sources: how many operators and declared
    /// hosting companies, and whose failure alone would stop it. It is what was declared, nothing is looked up.
    pub fn diversity(&self) -> Vec<Diversity> {
        let inner = &self.inner;
        let sources: &[Endpoint] = match inner.head.trust_start().agreement() {
            Some(agreement) => &agreement.sources,
            None => &[],
        };
        let kinds = [
            (Role::Execution, inner.env.execution.as_slice()),
            (Role::Beacon, inner.env.beacon.as_slice()),
            (Role::Checkpoint, sources),
        ];
        let there = kinds.into_iter().filter(|(_, endpoints)| !endpoints.is_empty());
        there.map(|(role, endpoints)| Diversity::of(role, endpoints)).collect()
    }

    /// How the client is, for a status screen: who can be asked, and how far the light client has come. From memory; nobody is
    /// asked for it.
    pub fn health(&self) -> Health {
        self.inner.health()
    }

    /// The table of the chain that is read.
    pub fn network(&self) -> Arc<Network> {
        self.inner.head.network()
    }

    /// Takes a newer table of the same chain, as when the time of a fork has become known after this version of saldo was
    /// built: no restart is needed, and what is proven stays. Reads that are under way may still end by the old one.
    ///
    /// # Errors
    /// [`AdoptError`] if it is of another chain, or contradicts what signatures have shown. Nothing changes then.
    pub fn adopt(&self, network: impl Into<Arc<Network>>) -> Result<(), AdoptError> {
        self.inner.head.adopt(network.into())
    }

    /// What a reading must reach.
    pub fn policy(&self) -> &Policy {
        &self.inner.env.policy
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("chain_id", &self.inner.head.network().chain_id())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What runs on any executor, from any thread: that this compiles is the test.
    #[test]
    fn clients_and_their_futures_can_be_sent() {
        fn is_shared<T: Clone + Send + Sync + 'static>() {}
        fn is_sent<T: Send>(_: &T) {}
        fn futures(client: &Client, owner: Address, holdings: &[Holding]) {
            is_sent(&client.balance(owner));
            is_sent(&client.account(owner));
            is_sent(&client.read(holdings));
            is_sent(&client.finalized(holdings));
            is_sent(&client.read_patiently(holdings, Duration::ZERO));
            is_sent(&client.refresh(Duration::ZERO));
            is_sent(&client.watch([]));
        }
        is_shared::<Client>();
        let _ = futures;
    }
}
