//! The client: the object that a wallet keeps and calls.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::Address;
use futures_util::FutureExt;
use saldo_beacon::{AdoptError, Checkpoint, ConsensusFault, Network};
use saldo_chain::Anchor;
#[cfg(feature = "execute")]
use saldo_execute::Call;
use saldo_proof_file::{BalanceProof, Form};
use saldo_reading::{Holding, NetworkId, Now, Policy, Proven, Reading, Why, gate};
use saldo_source::{BoxedFuture, Deadline, Diversity, IntoBoxed};
use saldo_token::Query;

use crate::account::AccountReading;
use crate::check::{Claim, Verdict};
use crate::health::Health;
use crate::inner::ClientInner;
#[cfg(feature = "last-answers")]
use crate::last_answers::LastAnswer;
use crate::networks::Networks;
use crate::pace::Pace;
use crate::proof_file::ProofFileError;
use crate::proofs::Evidence;
use crate::read::Kind;
use crate::state::{self, BlockId, BlockState, NotProven, ProvenBlock, ProvenHeader, TokenReading};
#[cfg(feature = "execute")]
use crate::state::{CallError, CallReading, GasReading};
use crate::storage::StorageFault;
use crate::watch::Watch;

/// Reads what addresses hold and proves it. Cheap to clone; all clones share one state.
///
/// It reads one network, or several ([`ClientBuilder::and`](crate::ClientBuilder::and)). Calls about holdings take those of all of
/// them; the other calls are about one network, the first, unless [`Client::on`] or [`Client::networks`] chose another.
///
/// Every future may be dropped at any point. It leaves no work behind, and verified data is not lost. Futures
/// are boxed, so that an app does not compile saldo's state machines in its own crate.
#[derive(Clone)]
pub struct Client {
    /// The network of calls that name no holding.
    pub(crate) inner: Arc<ClientInner>,
    pub(crate) networks: Networks,
}

impl Client {
    /// A client of these networks; `None` without any.
    pub(crate) fn new(networks: Networks) -> Option<Self> {
        let inner = networks.all().first().cloned()?;
        Some(Self { inner, networks })
    }

    /// Returns the holding of the coin of this client's network by `owner`.
    pub fn native(&self, owner: Address) -> Holding {
        Holding::native(self.network_id(), owner)
    }

    /// Reads the native balance of `owner`, in wei. Returns at the policy's deadline at the latest.
    ///
    /// If the reading is provisional, the next call can prove it: the committee has then signed its block.
    #[inline(never)]
    pub fn balance(&self, owner: Address) -> BoxedFuture<'_, Reading> {
        let balance = async move {
            let holding = self.native(owner);
            self.read(&[holding]).await.pop().unwrap_or(gate::unknown(Why::InternalFault))
        };
        balance.into_boxed()
    }

    /// Reads the account of `owner`: the balance, and the nonce that the same proof shows.
    #[inline(never)]
    pub fn account(&self, owner: Address) -> BoxedFuture<'_, AccountReading> {
        self.balance(owner).map(AccountReading::new).into_boxed()
    }

    /// Reads all `holdings` and returns their readings in the same order. Returns at the policy's deadline at
    /// the latest; with several networks, at the longest of their deadlines.
    #[inline(never)]
    pub fn read<'a>(&'a self, holdings: &'a [Holding]) -> BoxedFuture<'a, Vec<Reading>> {
        self.networks.read(&self.inner, holdings, Kind::Newest).into_boxed()
    }

    /// Looks at the token whose contract is at `token`: its code, its proxy, and how its balances can be proven, or why not. Returns
    /// at the policy's deadline at the latest. The requests name no owner, and go to as many operators as the policy allows for one
    /// address.
    #[inline(never)]
    pub fn token(&self, token: Address) -> BoxedFuture<'_, TokenReading> {
        state::token(&self.inner, token).into_boxed()
    }

    /// Checks amounts that the wallet has from elsewhere, and returns a verdict for each, in the same order. It makes as few requests as
    /// [`Client::read`], and some more for each block that claims name where another amount is proven. Returns at twice the policy's
    /// deadline at the latest.
    ///
    /// A claim that cannot be checked is [`Verdict::NotChecked`], a claimed zero too.
    #[inline(never)]
    pub fn check<'a>(&'a self, claims: &'a [Claim]) -> BoxedFuture<'a, Vec<Verdict>> {
        self.networks.check(&self.inner, claims).into_boxed()
    }

    /// Checks `claims` as [`Client::check`] does, and again where waiting can settle a claim, until `patience` is over: a block that
    /// the committee has not signed yet is signed a slot or two later.
    ///
    /// A claim without a block is [`Verdict::Different`] only by a block that is not older than the call. Until there is one, the
    /// amount may be one that changed a moment ago: the claim is [`Verdict::NotChecked`].
    #[inline(never)]
    pub fn check_patiently<'a>(
        &'a self,
        claims: &'a [Claim],
        patience: Duration,
    ) -> BoxedFuture<'a, Vec<Verdict>> {
        self.networks.check_patiently(&self.inner, claims, patience).into_boxed()
    }

    /// Finds the block that `block` names, as a trusted block, or says why there is none. It is never another block. Returns at the
    /// policy's deadline at the latest.
    ///
    /// # Errors
    /// [`NotProven`].
    #[inline(never)]
    pub fn block(&self, block: BlockId) -> BoxedFuture<'_, Result<Anchor, NotProven>> {
        state::block(&self.inner, block).into_boxed()
    }

    /// Finds the block that `block` names, with its whole header. Where the header is asked of providers, no address is in the question.
    /// Returns at the policy's deadline at the latest.
    ///
    /// # Errors
    /// [`NotProven`].
    #[inline(never)]
    pub fn header(&self, block: BlockId) -> BoxedFuture<'_, Result<ProvenHeader, NotProven>> {
        state::header(&self.inner, block).into_boxed()
    }

    /// Finds the block that `block` names, with its header, the hashes of its transactions, and its withdrawals. Returns at the policy's
    /// deadline at the latest.
    ///
    /// Providers send the whole transactions, about a megabyte for a block of mainnet: only those rebuild the root in the header.
    ///
    /// # Errors
    /// [`NotProven`]; always for a rollup ([`Why::UnknownFork`]), because the rules of its blocks are not built in.
    #[inline(never)]
    pub fn full_block(&self, block: BlockId) -> BoxedFuture<'_, Result<ProvenBlock, NotProven>> {
        state::full(&self.inner, block).into_boxed()
    }

    /// Returns whether the chain is known to have withdrawn `block`, by another block that was signed in its place.
    pub fn is_withdrawn(&self, block: &Anchor) -> bool {
        self.inner.head.is_withdrawn(block)
    }

    /// Keeps `answer`, which was proven at the block `anchor` of this client, as the last answer to `question`. At most 8,192 are kept,
    /// with 8 MiB of text, and none above 64 KiB; none is stored. [`Client::start_again`] and [`Client::forget`] drop all of them.
    #[cfg(feature = "last-answers")]
    pub fn keep_answer(&self, question: &str, answer: &str, anchor: &Anchor) {
        self.inner.answers.keep(&self.inner.head, question, answer, anchor);
    }

    /// Returns the last proven answer to `question`: show it with its age. `None` if none is kept, or if the chain withdrew its block.
    #[cfg(feature = "last-answers")]
    pub fn last_answer(&self, question: &str) -> Option<LastAnswer> {
        self.inner.answers.last(&self.inner.head, question)
    }

    /// Proves the accounts, slots and codes that `query` names, as they were at `block`. Returns at the policy's deadline at the
    /// latest.
    ///
    /// What calls at one time ask about one block goes to the providers together, and what was proven of the last blocks is not asked
    /// for again. Each address is shown to as many operators as the policy allows. Nothing of it is recorded or stored: for amounts
    /// that a wallet shows, and watches, use [`Client::read`].
    ///
    /// # Errors
    /// [`NotProven`] if anything of it is not proven.
    #[inline(never)]
    pub fn state<'a>(
        &'a self,
        block: BlockId,
        query: &'a Query,
    ) -> BoxedFuture<'a, Result<BlockState, NotProven>> {
        state::at(&self.inner, block, query).into_boxed()
    }

    /// Runs `call` over the proven state of `block`, as `eth_call` does. All that the code reads is proven first: a contract that asks
    /// for more than providers prove, or than saldo's limits allow, gives no result at all. Returns at the policy's deadline at the
    /// latest.
    ///
    /// # Errors
    /// [`CallError`]. A call that reverts is no error: see [`CallReading::output`].
    #[cfg(feature = "execute")]
    #[inline(never)]
    pub fn call<'a>(
        &'a self,
        block: BlockId,
        call: &'a Call,
    ) -> BoxedFuture<'a, Result<CallReading, CallError>> {
        state::call(&self.inner, block, call).into_boxed()
    }

    /// Estimates how much gas a transaction that makes `call` needs, by running it over the proven state of `block`, as
    /// `eth_estimateGas` does. Returns at the policy's deadline at the latest.
    ///
    /// # Errors
    /// [`CallError`]. A transaction that fails is no error: see [`GasReading::estimate`].
    #[cfg(feature = "execute")]
    #[inline(never)]
    pub fn estimate_gas<'a>(
        &'a self,
        block: BlockId,
        call: &'a Call,
    ) -> BoxedFuture<'a, Result<GasReading, CallError>> {
        state::gas(&self.inner, block, call).into_boxed()
    }

    /// Reads all `holdings` repeatedly until each is proven, waiting cannot help, or `patience` is over.
    ///
    /// Waiting helps a provisional reading: it is proven once the next head is signed, one or two slots later. It also helps where
    /// servers limit the rate: the next read follows after the pause that they ask for, or after pauses that grow from 1 s to 30 s.
    #[inline(never)]
    pub fn read_patiently<'a>(
        &'a self,
        holdings: &'a [Holding],
        patience: Duration,
    ) -> BoxedFuture<'a, Vec<Reading>> {
        self.networks.read_patiently(&self.inner, holdings, patience).into_boxed()
    }

    /// Reads the newest amount of each of the `holdings` at a *finalized* block and returns the readings in the
    /// same order. The assurance that the policy asks for does not matter. Returns at the policy's deadline at
    /// the latest.
    ///
    /// An amount that was proven at a signed block becomes final when finality reaches that block, about 13 to
    /// 20 minutes later on mainnet. This call takes the cheapest way that works, in this order: no request,
    /// where the blocks in between are known; one proof of the chain's own record of block hashes (EIP-2935),
    /// which names no address; the headers in between; a new proof at the finalized block. A reading at an
    /// older finalized block is returned while the policy, or [`Policy::finalized`], allows its age.
    ///
    /// If no finalized amount can be proven, the reading is [`Reading::Unknown`]. It has the reason and the
    /// last proven amount of any assurance.
    #[inline(never)]
    pub fn finalized<'a>(&'a self, holdings: &'a [Holding]) -> BoxedFuture<'a, Vec<Reading>> {
        self.networks.read(&self.inner, holdings, Kind::Finalized).into_boxed()
    }

    /// Watches `holdings`: yields what is known at once, and then each change, for as long as the watch is
    /// polled. [`Client::set_pace`] limits its requests. A holding that is named twice counts once.
    pub fn watch(&self, holdings: impl IntoIterator<Item = Holding>) -> Watch {
        Watch::new(&self.inner, &self.networks, holdings)
    }

    /// Sets how many requests the watches of this client may make from now on. Call it when the app moves to
    /// the foreground or to the background.
    pub fn set_pace(&self, pace: Pace) {
        self.networks.all().iter().for_each(|inner| inner.hub.set_pace(pace));
    }

    /// Reads every holding that is watched, was proven before, or was restored from
    /// [storage](crate::ClientBuilder::storage), and stores the results. It is made for the short background
    /// jobs that a phone allows. Returns after `within` at the latest.
    ///
    /// It writes once, at its end. If the app is killed at any point, the data stored before is not lost.
    #[inline(never)]
    pub fn refresh(&self, within: Duration) -> BoxedFuture<'_, Vec<(Holding, Reading)>> {
        self.networks.refresh(within).into_boxed()
    }

    /// Drops all data about `holding`, in [storage](crate::ClientBuilder::storage) too, and the disclosure set
    /// of its address. Call it when the user removes an account. Providers that have seen the address may still
    /// remember it. A watch or a read of the holding that is in progress creates the data again.
    ///
    /// The storage is asked to remove the data at once, before any other write. If the storage is not ready, a
    /// watch or the next call that awaits continues the removal. If the app is killed before that, the holding
    /// is still there at the next start.
    pub fn forget(&self, holding: &Holding) {
        self.inner_of(holding).forget(holding);
    }

    /// Waits until the storage was read and has removed what it was asked to remove, at most for `within`. It makes no request, and
    /// writes nothing else. Call it before [`Client::last`] if the storage was not ready when the client was built.
    #[inline(never)]
    pub fn settle_storage(&self, within: Duration) -> BoxedFuture<'_, ()> {
        self.networks.settle_storage(within).into_boxed()
    }

    /// Returns the last proven reading of `holding`, from memory. Show it with its age: [`Proven::freshness`]
    /// takes [`Client::now`].
    pub fn last(&self, holding: &Holding) -> Option<Proven> {
        self.inner_of(holding).last(holding)
    }

    /// Returns the withdrawn reading of `holding`, if none has been proven since. A reorganisation removed its
    /// block from the chain. [`Client::last`] then returns the best finalized reading.
    pub fn withdrawn(&self, holding: &Holding) -> Option<Proven> {
        self.inner_of(holding).withdrawn(holding)
    }

    /// Lists what was dropped from the [storage](crate::ClientBuilder::storage) because it did not verify, and
    /// any data that could not be written. All other data is valid.
    pub fn storage_faults(&self) -> Vec<StorageFault> {
        self.networks.all().iter().flat_map(|inner| inner.readings.storage_faults()).collect()
    }

    /// Returns the time by the wall clock and the time of the newest signed block. Use it to compute ages.
    pub fn now(&self) -> Now {
        self.inner.head.now()
    }

    /// Returns the contradiction that makes every reading `consensus_fault`, with the signed updates of both
    /// sides. [`ConsensusFault::to_json`] exports it, so that others can check it.
    ///
    /// Only [`Client::start_again`] removes it.
    pub fn consensus_fault(&self) -> Option<ConsensusFault> {
        self.inner.head.fault()
    }

    /// Restarts trust from `checkpoint`, which the caller vouches for. Call it after a
    /// [`Client::consensus_fault`], with a block that many independent sources name.
    ///
    /// A rollup has no trust start of its own: on it, that of its L1 is restarted, with all rollups of that L1.
    ///
    /// Everything that followed from the earlier trust start is dropped, readings too: [`Client::last`] is
    /// `None` until the next reading is proven. Reads in progress prove nothing from the earlier trust start.
    /// With [storage](crate::ClientBuilder::storage), the next start of the app uses `checkpoint` too.
    ///
    /// The storage is asked to remove the old data at once, before any other write. If the storage is not
    /// ready, a watch or the next call that awaits continues the removal. If the app is killed before that, the
    /// next start finds the old data.
    pub fn start_again(&self, checkpoint: impl Into<Checkpoint>) {
        let checkpoint = checkpoint.into();
        self.networks.on_same_l1(&self.inner).for_each(|inner| inner.restart_from(checkpoint));
    }

    /// Tells the client that the device's network changed, and whether the device is online now. Call it when
    /// the operating system reports a change.
    ///
    /// Providers that did not answer over the old network are asked again without a backoff. While the device
    /// is offline, an unreachable provider is not ranked lower, and readings that reach no provider are
    /// `device_offline`. Requests are still sent: the first answer shows that the device is online.
    pub fn network_changed(&self, online: bool) {
        for inner in self.networks.all() {
            inner.env.dispatcher.network_changed(online);
            if online {
                inner.hub.wake();
            }
        }
    }

    /// Returns the newest proofs that were false under the exact block of the request. A provider that sends
    /// two of them is in quarantine for the client's life: it is asked for proofs only when no other provider
    /// is left.
    pub fn evidence(&self) -> Vec<Evidence> {
        self.networks.all().iter().flat_map(|inner| inner.proofs.evidence()).collect()
    }

    /// Makes a file of `proven`, which anyone checks offline ([`saldo_proof_file::verify`]). All readings must be of one block; those
    /// of one [`Client::read`] are.
    ///
    /// The proofs are asked for again at that block, from providers that know of the addresses already. A complete file begins
    /// at this client's checkpoint, whose bootstrap is fetched again. So make it soon after the reading: providers prove
    /// only newer blocks, and each block between the reading's and the newest signed one adds a header to the file.
    /// Returns at the policy's deadline at the latest.
    ///
    /// # Errors
    /// [`ProofFileError`] if the file cannot be made now. A file that is returned was verified.
    #[inline(never)]
    pub fn proof<'a>(
        &'a self,
        proven: &'a [Proven],
        form: Form,
    ) -> BoxedFuture<'a, Result<BalanceProof, ProofFileError>> {
        let proof = async move {
            let inner = proven.first().map_or(&self.inner, |proven| self.inner_of(proven.holding()));
            let deadline = Deadline::after(inner.env.clock(), inner.env.policy.deadline);
            inner.proof(proven, form, deadline).await
        };
        proof.into_boxed()
    }

    /// Returns how many operators and declared hosting companies are behind the providers, the beacon sources
    /// and the checkpoint sources, and which single failure would stop each kind. It uses declared facts only;
    /// it makes no request.
    pub fn diversity(&self) -> Vec<Diversity> {
        self.inner.diversity()
    }

    /// Returns the state of the client for a status screen: the state of each endpoint and the progress of the
    /// light client. It reads memory and makes no request.
    pub fn health(&self) -> Health {
        self.inner.health()
    }

    /// Returns the network that this client reads. It is part of every [`Holding`].
    pub fn network_id(&self) -> NetworkId {
        NetworkId::from(&*self.network())
    }

    /// Returns the table of the chain that this client reads.
    pub fn network(&self) -> Arc<Network> {
        self.inner.head.network()
    }

    /// Takes a newer table of the same chain, for example when a fork time is published after this version of
    /// saldo was built. No restart is needed, and proven readings stay. Reads in progress may still use the old
    /// table.
    ///
    /// # Errors
    /// [`AdoptError`] if the table is of another chain, or contradicts what signatures have shown. Nothing
    /// changes then.
    pub fn adopt(&self, network: impl Into<Arc<Network>>) -> Result<(), AdoptError> {
        self.inner.head.adopt(network.into())
    }

    /// Returns the policy: what a reading must satisfy.
    pub fn policy(&self) -> &Policy {
        &self.inner.env.policy
    }

    /// Returns this client once for each of its networks, in the order in which [`ClientBuilder::and`](crate::ClientBuilder::and)
    /// added them. All share one state. Calls that name no holding are about the network of the one that is asked.
    pub fn networks(&self) -> Vec<Self> {
        self.networks.all().iter().map(|inner| self.of(inner)).collect()
    }

    /// Returns this client for calls about `network`; `None` if it is none of its networks.
    pub fn on(&self, network: NetworkId) -> Option<Self> {
        self.networks.find(network).map(|inner| self.of(inner))
    }

    fn of(&self, inner: &Arc<ClientInner>) -> Self {
        Self { inner: Arc::clone(inner), networks: self.networks.clone() }
    }

    fn inner_of(&self, holding: &Holding) -> &Arc<ClientInner> {
        self.networks.of(&self.inner, holding)
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
#[path = "client_tests.rs"]
mod tests;
