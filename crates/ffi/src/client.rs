//! The client: the object that an app keeps and calls.

use std::sync::Arc;
use std::time::Duration;

use saldo::NetworkId;

use crate::address;
use crate::block::level_named;
use crate::change::Change;
use crate::claim::{Claim, Verdict};
use crate::clock::Timer;
use crate::config::{Checkpoint, Pace, Policy};
use crate::ended::Ended;
use crate::fault::{ConsensusFault, Evidence, StorageFault};
use crate::handle::Handle;
use crate::health::{Diversity, Health};
use crate::holding::Holding;
use crate::maybe_send::MaybeSend;
use crate::network::Named;
use crate::reading::{AccountReading, Freshness, HeldReading, Now, Proven, Reading};
use crate::setup::SetupError;
use crate::token::{TokenList, TokenReading};
use crate::total::{Statements, Total};
use crate::watch::Watch;
use crate::why::Why;
use crate::worker::Worker;

/// Reads what addresses hold and proves it, on one network or on several.
///
/// No method computes on the caller's thread, and no read throws.
#[derive(uniffi::Object)]
pub struct SaldoClient {
    core: Arc<Core>,
    state: Arc<State>,
    handle: Handle,
    network_id: u64,
    policy: Policy,
}

/// What a client and its watches share. The thread ends when the last of them is dropped.
pub(crate) struct Core {
    pub(crate) worker: Worker,
    pub(crate) timer: Timer,
}

/// What jobs work on: the client, for calls about one of its networks. It keeps no thread alive.
pub(crate) struct State {
    pub(crate) client: saldo::Client,
    /// Of all networks.
    pub(crate) statements: Arc<Statements>,
}

impl State {
    pub(crate) fn new(client: saldo::Client) -> Self {
        Self { client, statements: Arc::default() }
    }

    /// The same for calls about another network of the client.
    fn on(&self, network: NetworkId) -> Option<Self> {
        Some(Self { client: self.client.on(network)?, statements: Arc::clone(&self.statements) })
    }

    /// Waits until the storage was read, at most for the policy's deadline.
    async fn opened(&self) -> &saldo::Client {
        self.client.settle_storage(self.client.policy().deadline).await;
        &self.client
    }
}

/// Which reading of some holdings a call asks for.
#[derive(Clone, Copy)]
enum Kind {
    Newest,
    Finalized,
    Patient(Duration),
}

#[uniffi::export]
impl SaldoClient {
    /// Returns the holding of the network's own coin by `owner`.
    pub fn native(&self, owner: String) -> Holding {
        Holding { network_id: self.network_id, owner, token: None }
    }

    /// Returns the chain id of the network that calls which name none are about: the first one, or that of `on`.
    pub fn network_id(&self) -> u64 {
        self.network_id
    }

    /// Returns the chain ids of all networks of the client, in the order in which they were given.
    pub fn networks(&self) -> Vec<u64> {
        self.state.client.networks().iter().map(|client| client.network_id().chain_id()).collect()
    }

    /// Returns this client for calls about the network with that chain id; none if it is none of its networks. It is no second client:
    /// `shutdown` of either ends both.
    pub fn on(&self, network_id: u64) -> Option<Arc<Self>> {
        let state = self.state.on(NetworkId::new(network_id))?;
        Some(Self::view(Arc::clone(&self.core), Arc::new(state)))
    }

    /// Returns the policy: what a reading must satisfy.
    pub fn policy(&self) -> Policy {
        self.policy.clone()
    }

    /// Reads the native balance of `owner`, in wei. Returns at the policy's deadline at the latest.
    pub async fn balance(&self, owner: String) -> Reading {
        self.readings(vec![self.native(owner)], Kind::Newest).await.pop().unwrap_or_else(fault)
    }

    /// Reads the account of `owner`: the balance, and the nonce that the same proof shows.
    pub async fn account(&self, owner: String) -> AccountReading {
        let balance = self.balance(owner).await;
        let nonce = match &balance {
            Reading::Proven { proven } => proven.nonce,
            Reading::Provisional { .. } | Reading::Unknown { .. } => None,
        };
        AccountReading { balance, nonce }
    }

    /// Reads all `holdings` and returns their readings in the same order. Returns at the policy's deadline at the latest.
    pub async fn read(&self, holdings: Vec<Holding>) -> Vec<Reading> {
        self.readings(holdings, Kind::Newest).await
    }

    /// Reads all `holdings` repeatedly until each is proven, waiting cannot help, or `patience_ms` is over.
    pub async fn read_patiently(&self, holdings: Vec<Holding>, patience_ms: u64) -> Vec<Reading> {
        self.readings(holdings, Kind::Patient(Duration::from_millis(patience_ms))).await
    }

    /// Reads the newest amount of each of the `holdings` at a finalized block, 13 to 20 minutes old on mainnet.
    pub async fn finalized(&self, holdings: Vec<Holding>) -> Vec<Reading> {
        self.readings(holdings, Kind::Finalized).await
    }

    /// Looks at the token whose contract is `token`: its code, its proxy, and how its balances can be proven, or why not. Returns at
    /// the policy's deadline at the latest. The requests name no owner.
    pub async fn token(&self, token: String) -> TokenReading {
        let Some(address) = address::parse(&token) else {
            return TokenReading::unknown(token, Why::malformed_address());
        };
        let look = move |state: Arc<State>| async move { state.client.token(address).await };
        match self.ask(look).await {
            Ok(reading) => TokenReading::of(address.to_checksum(None), &reading),
            Err(ended) => TokenReading::unknown(token, ended.into()),
        }
    }

    /// Reads a token list in the Uniswap schema: the tokens of this client's network, with what the list declares of each. At most
    /// 8 MB and 50,000 entries. It proves nothing, and it says nothing about tokens that are not listed.
    ///
    /// # Errors
    /// [`SetupError`] if it is no such list, or the client was shut down.
    pub async fn token_list(&self, json: Vec<u8>) -> Result<TokenList, SetupError> {
        let network_id = self.network_id;
        self.ask(move |_| async move { TokenList::read(&json, network_id) }).await?
    }

    /// Checks amounts that the app has from elsewhere, and returns a verdict for each, in the same order. Returns at twice the
    /// policy's deadline at the latest. A claim that cannot be checked is never confirmed, a claimed zero neither.
    pub async fn check(&self, claims: Vec<Claim>) -> Vec<Verdict> {
        self.verdicts(claims, None).await
    }

    /// Checks `claims` repeatedly until each is settled, waiting cannot help, or `patience_ms` is over. A claim without a block is
    /// different only by a block that is not older than the call.
    pub async fn check_patiently(&self, claims: Vec<Claim>, patience_ms: u64) -> Vec<Verdict> {
        self.verdicts(claims, Some(Duration::from_millis(patience_ms))).await
    }

    /// Returns the last proven amount of `holding`, from memory or the storage; none is not zero. Makes no request.
    pub async fn last(&self, holding: Holding) -> Option<Proven> {
        let holding = holding.read()?;
        self.look(None, move |client| client.last(&holding).as_ref().map(Proven::from)).await
    }

    /// Returns the withdrawn amount of `holding`, if none has been proven since: a reorganisation removed its block.
    pub async fn withdrawn(&self, holding: Holding) -> Option<Proven> {
        let holding = holding.read()?;
        self.look(None, move |client| client.withdrawn(&holding).as_ref().map(Proven::from)).await
    }

    /// Watches `holdings`. A holding that is named twice counts once.
    pub fn watch(&self, holdings: Vec<Holding>) -> Arc<Watch> {
        Arc::new(Watch::new(Arc::clone(&self.core), &self.state, holdings))
    }

    /// Reads every holding that is watched, was proven before, or was stored, and stores the results. For the short background
    /// jobs that a phone allows. Returns after `within_ms` at the latest.
    pub async fn refresh(&self, within_ms: u64) -> Vec<HeldReading> {
        let within = Duration::from_millis(within_ms);
        let refresh = move |state: Arc<State>| async move {
            let readings = state.client.refresh(within).await;
            let held = |(holding, reading): &(saldo::Holding, saldo::Reading)| {
                state.statements.note(*holding, reading);
                HeldReading { holding: holding.into(), reading: reading.into() }
            };
            readings.iter().map(held).collect()
        };
        self.ask(refresh).await.unwrap_or_default()
    }

    /// Adds up what is known of `holdings` by network and asset. Makes no request. An amount counts as proven while the newest
    /// reading of its holding proved it and it is fresh; otherwise it is remembered.
    pub async fn totals(&self, holdings: Vec<Holding>) -> Vec<Total> {
        let totals = |state: Arc<State>| async move {
            state.opened().await;
            state.statements.totals(&state.client, &holdings)
        };
        self.ask(totals).await.unwrap_or_default()
    }

    /// Returns the state of the client for a status screen. Makes no request.
    pub async fn health(&self) -> Health {
        self.look(Health::closed(), |client| Health::from(&client.health())).await
    }

    /// Returns the newest proofs that were false under the exact block of the request.
    pub async fn evidence(&self) -> Vec<Evidence> {
        self.look(Vec::new(), |client| client.evidence().iter().map(Evidence::from).collect()).await
    }

    /// Returns how many operators and hosting companies are behind the endpoints, as declared.
    pub async fn diversity(&self) -> Vec<Diversity> {
        self.look(Vec::new(), |client| client.diversity().iter().map(Diversity::from).collect()).await
    }

    /// Lists what was dropped from the storage because it did not verify, and what could not be written.
    pub async fn storage_faults(&self) -> Vec<StorageFault> {
        self.look(Vec::new(), |client| client.storage_faults().iter().map(StorageFault::from).collect()).await
    }

    /// Returns the contradiction that makes every reading `consensus_fault`. Only `start_again` removes it.
    pub async fn consensus_fault(&self) -> Option<ConsensusFault> {
        self.look(None, |client| client.consensus_fault().as_ref().map(ConsensusFault::from)).await
    }

    /// Returns the time that the protocol uses; none after `shutdown`.
    pub async fn now(&self) -> Option<Now> {
        self.look(None, |client| Some(client.now().into())).await
    }

    /// Returns how old a block of that network, time (seconds since 1970) and level is, by the network's policy for blocks of that level:
    /// give the `chain_id`, `timestamp` and `assurance.level` of a `Block`. Of another network, or another level, the age is unknown.
    pub async fn freshness(&self, network_id: u64, timestamp: u64, level: String) -> Freshness {
        let of = move |client: &saldo::Client| {
            let client = client.on(NetworkId::new(network_id))?;
            let policy = client.policy().at(level_named(&level)?);
            Some(saldo::Freshness::of(saldo::UnixTime::from_secs(timestamp), client.now(), &policy))
        };
        self.look(None, of).await.unwrap_or(saldo::Freshness::Unknown).into()
    }

    /// Tells the client that the device's network changed. Returns at once.
    pub fn network_changed(&self, is_online: bool) {
        self.tell(move |client| client.network_changed(is_online));
    }

    /// Sets how many requests the watches of this client may make from now on. Returns at once.
    pub fn set_pace(&self, pace: Pace) {
        self.tell(move |client| client.set_pace(pace.into()));
    }

    /// Drops all data about `holding`, in the storage too. Call it when the user removes an account. Returns when the storage has
    /// removed it, or refuses.
    pub async fn forget(&self, holding: Holding) {
        let Some(holding) = holding.read() else { return };
        let forget = move |state: Arc<State>| async move {
            state.client.forget(&holding);
            state.statements.forget(&holding);
            state.opened().await;
        };
        // After the end there is nothing to forget but what the next start finds.
        let _ = self.ask(forget).await;
    }

    /// Restarts trust from `checkpoint`, which the app vouches for. Every reading is dropped. Returns when the storage has removed
    /// the old data, or refuses.
    ///
    /// # Errors
    /// [`SetupError`] if the checkpoint is malformed, or the client was shut down.
    pub async fn start_again(&self, checkpoint: Checkpoint) -> Result<(), SetupError> {
        let checkpoint = checkpoint.read()?;
        let start = move |state: Arc<State>| async move {
            state.client.start_again(checkpoint);
            state.statements.clear();
            state.opened().await;
        };
        Ok(self.ask(start).await?)
    }

    /// Takes a newer table of the same chain: a built-in name, or the text of a network file.
    ///
    /// # Errors
    /// [`SetupError`] if the table cannot be read or is of another chain, or the client was shut down. Nothing changes then.
    pub async fn adopt(&self, network: String) -> Result<(), SetupError> {
        let adopt =
            move |state: Arc<State>| async move { Ok(state.client.adopt(Named::read_network(&network)?)?) };
        self.ask(adopt).await?
    }

    /// Returns another handle of this client, whose calls can be ended without ending the client: for a language in which a
    /// cancelled task does not cancel its call.
    pub fn handle(&self) -> Arc<Self> {
        Self::view(Arc::clone(&self.core), Arc::clone(&self.state))
    }

    /// Ends the pending calls of this handle at once and cancels the HTTP calls that only they need. Later calls of this handle end at
    /// once as well, as after `shutdown`: readings are `closed`. Other handles and watches go on.
    pub fn cancel_calls(&self) {
        self.handle.cancel();
    }

    /// Ends the client: pending calls end at once, and its thread has ended when this returns. Every later reading is `closed`.
    pub async fn shutdown(&self) {
        self.core.worker.stop().await;
    }
}

impl SaldoClient {
    pub(crate) fn of(core: Core, client: saldo::Client) -> Arc<Self> {
        Self::view(Arc::new(core), Arc::new(State::new(client)))
    }

    /// A handle with calls of its own.
    fn view(core: Arc<Core>, state: Arc<State>) -> Arc<Self> {
        let network_id = state.client.network_id().chain_id();
        let policy = state.client.policy().into();
        Arc::new(Self { core, state, handle: Handle::new(), network_id, policy })
    }

    /// Waits for a job, or until the calls of this handle are cancelled.
    async fn ask<T, F>(&self, job: impl FnOnce(Arc<State>) -> F + MaybeSend + 'static) -> Result<T, Ended>
    where
        T: MaybeSend + 'static,
        F: Future<Output = T> + MaybeSend + 'static,
    {
        let state = Arc::clone(&self.state);
        self.handle.wait(|| self.core.worker.run(async move { job(state).await })).await
    }

    async fn readings(&self, holdings: Vec<Holding>, kind: Kind) -> Vec<Reading> {
        let asked = holdings.len();
        let job = move |state: Arc<State>| async move {
            let read: Vec<Option<saldo::Holding>> = holdings.iter().map(Holding::read).collect();
            let known: Vec<saldo::Holding> = read.iter().flatten().copied().collect();
            let readings = match kind {
                _ if known.is_empty() => Vec::new(),
                Kind::Newest => state.client.read(&known).await,
                Kind::Finalized => state.client.finalized(&known).await,
                Kind::Patient(patience) => state.client.read_patiently(&known, patience).await,
            };
            known
                .iter()
                .zip(&readings)
                .for_each(|(holding, reading)| state.statements.note(*holding, reading));
            let mut readings = readings.iter().map(Reading::from);
            let reading = |holding: Option<saldo::Holding>| match holding {
                Some(_) => readings.next().unwrap_or_else(fault),
                None => Reading::unknown(Why::malformed_address()),
            };
            read.into_iter().map(reading).collect()
        };
        let ended = |ended| vec![Reading::ended(ended); asked];
        self.ask(job).await.unwrap_or_else(ended)
    }

    async fn verdicts(&self, claims: Vec<Claim>, patience: Option<Duration>) -> Vec<Verdict> {
        let asked = claims.len();
        let job = move |state: Arc<State>| async move {
            let read: Vec<Option<saldo::Claim>> = claims.iter().map(Claim::read).collect();
            let known: Vec<saldo::Claim> = read.iter().flatten().copied().collect();
            let verdicts = match patience {
                _ if known.is_empty() => Vec::new(),
                Some(patience) => state.client.check_patiently(&known, patience).await,
                None => state.client.check(&known).await,
            };
            for (claim, verdict) in known.iter().zip(&verdicts) {
                if let Some(proven) = verdict.proven() {
                    state.statements.note(claim.holding, &saldo::Reading::Proven(proven.clone()));
                }
            }
            let mut verdicts = verdicts.iter().map(Verdict::from);
            let verdict = |claim: Option<saldo::Claim>| match claim {
                Some(_) => verdicts.next().unwrap_or_else(|| Verdict::ended(Ended::Panicked)),
                None => Verdict::not_checked(Why::malformed_address()),
            };
            read.into_iter().map(verdict).collect()
        };
        let ended = |ended| vec![Verdict::ended(ended); asked];
        self.ask(job).await.unwrap_or_else(ended)
    }

    /// Looks at the client on its thread, when the storage was read.
    async fn look<T: MaybeSend + 'static>(
        &self,
        ended: T,
        look: impl FnOnce(&saldo::Client) -> T + MaybeSend + 'static,
    ) -> T {
        self.ask(|state| async move { look(state.opened().await) }).await.unwrap_or(ended)
    }

    /// Tells the client something, in the order of the calls, without waiting for it.
    fn tell(&self, tell: impl FnOnce(&saldo::Client) + MaybeSend + 'static) {
        let state = Arc::clone(&self.state);
        self.core.worker.post(async move { tell(&state.client) });
    }
}

/// A result that is missing though it cannot be.
fn fault() -> Reading {
    Reading::ended(Ended::Panicked)
}

/// Notes what a change of a watch says about its holding.
pub(crate) fn note_change(state: &State, change: &saldo::Change) -> Change {
    state.statements.note_change(change);
    change.into()
}
