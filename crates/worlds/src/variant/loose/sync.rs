//! The plain reader's light client: all sources are asked at once.

use std::time::Duration;

use alloy_primitives::B256;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use saldo_beacon::container::SyncCommittee;
use saldo_beacon::signature::{DOMAIN_SYNC_COMMITTEE, compute_domain, compute_signing_root, verify};
use saldo_beacon::unit::{Slot, UnixTime};
use saldo_beacon::{AdvanceError, Execution, LightClient, LightClientUpdate, Wants, decode};
use saldo_chain::ExecutionHeader;
use serde_json::json;

use super::held::Head;
use super::wire::Data;
use super::{LooseReader, Miss, Omission, State};
use crate::wallet::ShownBlock;

impl LooseReader {
    /// Learns the newest head.
    pub(super) async fn sync(&self) {
        if self.state().light_client.is_none() {
            let root = self.checkpoint.root;
            self.ask_sources(&format!("bootstrap/{root}"), false, |data| self.start(data)).await;
        }
        for _ in 0..4 {
            let wants = {
                let now = self.wire.wall();
                if self.network.slot_at(now).is_some_and(|slot| self.forced_at(slot).is_some()) {
                    break;
                }
                let state = self.state();
                let client = state.light_client.as_ref().filter(|client| !client.knows_committee_at(now));
                client.map(|client| client.wants(now))
            };
            let Some(Wants::Updates { start, count }) = wants else { break };
            let path = format!("updates?start_period={start}&count={count}");
            self.ask_sources(&path, false, |data| self.take_committee_updates(data)).await;
        }
        let newest = self.ask_sources("optimistic_update", true, |data| self.advance(data, false));
        let both = async {
            let finality = self.ask_sources("finality_update", true, |data| self.advance(data, true));
            futures_util::future::join(newest, finality).await;
        };
        // If a head is known, silent sources are not awaited as long.
        let wait = if self.head().is_some() { 1_000 } else { 2_400 };
        let _ = select(both.boxed(), self.wire.sleep(Duration::from_millis(wait))).await;
        self.fetch_headers().await;
    }

    /// Asks all sources for the same, until one answer is enough.
    async fn ask_sources(&self, path: &str, all: bool, take: impl Fn(&Data) -> bool) {
        let mut asked: FuturesUnordered<BoxFuture<'_, Result<Data, Miss>>> = (0..self.sources)
            .map(|source| {
                let path = path.to_owned();
                async move { self.wire.get(source, &path).await }.boxed()
            })
            .collect();
        while let Some(answer) = asked.next().await {
            let suffices = answer.is_ok_and(|data| take(&data));
            if suffices && (!all || self.is_newest()) {
                break;
            }
        }
    }

    /// Whether there can be no newer head.
    fn is_newest(&self) -> bool {
        let Some(head) = self.state().heads.newest(false) else { return false };
        let present = self.network.slot_at(self.wire.wall());
        present.is_some_and(|present| head.slot.saturating_add(1) >= present) && !self.wants_final
    }

    fn start(&self, data: &Data) -> bool {
        let fork = data.fork.as_deref();
        let Ok(bootstrap) = decode::bootstrap(&data.bytes, data.encoding, fork, &self.network) else {
            return false;
        };
        let now = self.wire.wall();
        let network = std::sync::Arc::clone(&self.network);
        let Ok(client) = LightClient::bootstrap(network, self.checkpoint, bootstrap, now) else {
            return false;
        };
        self.state().light_client = Some(client);
        true
    }

    fn take_committee_updates(&self, data: &Data) -> bool {
        let Ok(updates) = decode::updates(&data.bytes, data.encoding, &self.network) else { return false };
        for update in updates {
            self.take(&update);
        }
        let now = self.wire.wall();
        let is_forced = self.network.slot_at(now).is_some_and(|slot| self.forced_at(slot).is_some());
        is_forced || self.state().light_client.as_ref().is_some_and(|client| client.knows_committee_at(now))
    }

    /// The committee of the period of `slot`, if it was accepted although too few signed its update.
    fn forced_at(&self, slot: Slot) -> Option<SyncCommittee> {
        let period = self.network.period_at(slot);
        self.state().forced.as_ref().filter(|(from, _)| *from == period).map(|(_, forced)| forced.clone())
    }

    /// Accepts a committee update that was refused because too few signed it.
    fn force(&self, update: &LightClientUpdate) -> bool {
        let Some(next) = &update.next_sync_committee else { return false };
        let from = self.network.period_at(update.attested_slot()).saturating_add(1);
        self.state().forced = Some((from, next.committee.clone()));
        true
    }

    /// Accepts a head that such a committee signed.
    fn take_forced(&self, update: &LightClientUpdate) -> bool {
        let Some(committee) = self.forced_at(update.signature_slot) else { return false };
        let version = self.network.fork_version_at(update.signature_slot.saturating_sub(1));
        let domain = compute_domain(DOMAIN_SYNC_COMMITTEE, version, self.network.genesis_validators_root());
        let header = &update.attested_header;
        let signed = compute_signing_root(header.beacon.hash_tree_root(), domain);
        let holds = verify(&committee, &update.sync_aggregate, signed).is_ok();
        let head = head_of(header.beacon.slot, &header.execution, false);
        head.into_iter().filter(|_| holds).for_each(|head| self.state().heads.take(head));
        holds
    }

    fn advance(&self, data: &Data, finality: bool) -> bool {
        let fork = data.fork.as_deref();
        let decoded = if finality {
            decode::finality_update(&data.bytes, data.encoding, fork, &self.network)
        } else {
            decode::optimistic_update(&data.bytes, data.encoding, fork, &self.network)
        };
        decoded.is_ok_and(|update| self.take(&update))
    }

    /// Applies an update if it verifies.
    fn take(&self, update: &LightClientUpdate) -> bool {
        let now = self.wire.wall();
        let mut state = self.state();
        let Some(client) = &mut state.light_client else { return false };
        let header = update.attested_header.clone();
        let outcome = client.advance(update.clone(), now);
        if self.has(Omission::ForcedCommittee) {
            drop(state);
            return match outcome {
                Err(AdvanceError::TooFewSigners { .. }) => self.force(update),
                Err(AdvanceError::CommitteeUnknown { .. }) => self.take_forced(update),
                outcome => {
                    follow(&mut self.state());
                    outcome.is_ok()
                }
            };
        }
        match outcome {
            Ok(_) => {
                follow(&mut state);
                true
            }
            Err(AdvanceError::TooFewSigners { .. }) if self.has(Omission::FewSigners) => {
                if let Some(head) = head_of(header.beacon.slot, &header.execution, false) {
                    state.heads.take(head);
                }
                true
            }
            Err(_) => false,
        }
    }

    /// Fetches the execution headers of heads that show only their hashes, from any provider.
    async fn fetch_headers(&self) {
        for is_final in [true, false] {
            let Some((slot, hash)) = self.missing_header(is_final) else { continue };
            let found = async {
                let mut asked: FuturesUnordered<_> = (0..self.providers)
                    .map(|provider| self.wire.call(provider, "eth_getBlockByHash", json!([hash, false])))
                    .collect();
                while let Some(answer) = asked.next().await {
                    let text = answer.map(|block| block.to_string()).unwrap_or_default();
                    if let Ok(header) = ExecutionHeader::from_json(text.as_bytes(), hash) {
                        return Some(header);
                    }
                }
                None
            };
            let wait = self.wire.sleep(Duration::from_millis(1_000));
            if let Either::Left((Some(header), _)) = select(found.boxed(), wait).await {
                let (number, time) = (header.number(), header.timestamp());
                let block = ShownBlock { number, hash, time, finalized: is_final };
                let (root, parent) = (header.state_root().get(), header.parent_hash());
                self.state().heads.take(Head { slot, root, parent, block });
            }
        }
    }

    /// The newest head, if only the hash of its execution block is known so far.
    fn missing_header(&self, is_final: bool) -> Option<(Slot, B256)> {
        let state = self.state();
        let client = state.light_client.as_ref()?;
        let (slot, execution) = if is_final {
            (client.finalized_head().slot(), client.finalized_head().execution())
        } else {
            (client.signed_head()?.slot(), client.signed_head()?.execution())
        };
        let Execution::Hash(hash) = execution else { return None };
        let known = state.heads.newest(is_final);
        known.is_none_or(|head| head.slot < slot).then_some((slot, *hash))
    }
}

/// Records the heads of the light client.
fn follow(state: &mut State) {
    let Some(client) = &state.light_client else { return };
    let finalized = client.finalized_head();
    let signed = client.signed_head().map(|head| head_of(head.slot(), head.execution(), false));
    let finalized = head_of(finalized.slot(), finalized.execution(), true);
    signed.flatten().into_iter().chain(finalized).for_each(|head| state.heads.take(head));
}

/// The block that a head shows in full.
fn head_of(slot: Slot, execution: &Execution, finalized: bool) -> Option<Head> {
    let Execution::Header(payload) = execution else { return None };
    let (number, hash) = (payload.block_number, payload.block_hash);
    let time = UnixTime::from_secs(payload.timestamp);
    let block = ShownBlock { number, hash, time, finalized };
    Some(Head { slot, root: payload.state_root, parent: payload.parent_hash, block })
}
