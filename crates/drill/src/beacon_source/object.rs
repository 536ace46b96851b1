//! The light-client objects of a beacon source: lied about, labelled and encoded.

use alloy_primitives::keccak256;
use saldo_beacon::unit::{Period, Slot};
use saldo_beacon::{Fork, ForkDigest, LightClientUpdate, Network};
use serde_json::{Value, json};

use super::node::refusal;
use crate::Chain;
use crate::encode::Encode;
use crate::fault::Fault;
use crate::http::Reply;

/// The most updates of one answer (`MAX_REQUEST_LIGHT_CLIENT_UPDATES`).
const MAX_UPDATES: u64 = 128;

/// What one request is answered from.
pub(super) struct Objects<'a> {
    pub(super) chain: &'a Chain,
    pub(super) faults: &'a [&'a Fault],
    pub(super) lag: u64,
    pub(super) accept: &'a str,
}

impl Objects<'_> {
    pub(super) fn bootstrap(&self, root: &str) -> Reply {
        let bootstrap = root.parse().ok().and_then(|root| self.chain.bootstrap(root));
        match bootstrap.filter(|_| !self.has(|fault| matches!(fault, Fault::NoBootstrap))) {
            Some(bootstrap) => self.encode(&bootstrap, bootstrap.header.beacon.slot),
            None => refusal(404, "bootstrap not found"),
        }
    }

    pub(super) fn head(&self, update: LightClientUpdate) -> Reply {
        let slot = update.attested_slot();
        self.encode(&self.distort(update), slot)
    }

    /// The best update of each period from `start` on. The list ends before the first period
    /// without a signature.
    pub(super) fn updates(&self, start: Period, count: u64) -> Reply {
        let withheld = self.has(|fault| matches!(fault, Fault::NoUpdates));
        let count = if withheld { 0 } else { count.min(MAX_UPDATES) };
        let updates: Vec<LightClientUpdate> = (0..count)
            .map_while(|index| {
                let update = self.chain.ledger().update(start.saturating_add(index), self.lag);
                update.map(|update| self.distort(update))
            })
            .collect();
        if !self.wants_ssz() {
            let list: Vec<Value> =
                updates.iter().map(|update| self.wrap(&update.json(), update.attested_slot())).collect();
            return Reply::json(200, &Value::Array(list));
        }
        let network = self.chain.network();
        let mut body = Vec::new();
        for update in updates {
            let digest = self.digest(&network, update.attested_slot());
            let object = update.ssz();
            let length = object.len().saturating_add(digest.len());
            body.extend(u64::try_from(length).unwrap_or(u64::MAX).to_le_bytes());
            body.extend(digest);
            body.extend(object);
        }
        Reply::new(200, "application/octet-stream", body)
    }

    /// The object, of the fork at `slot`.
    fn encode(&self, object: &impl Encode, slot: Slot) -> Reply {
        let reply = if self.wants_ssz() {
            Reply::new(200, "application/octet-stream", object.ssz())
        } else {
            Reply::json(200, &self.wrap(&object.json(), slot))
        };
        match self.label(slot) {
            Some(fork) => reply.header("eth-consensus-version", fork.name()),
            None => reply,
        }
    }

    fn wrap(&self, data: &Value, slot: Slot) -> Value {
        match self.label(slot) {
            Some(fork) => json!({ "version": fork.name(), "data": data }),
            None => json!({ "data": data }),
        }
    }

    /// The fork that an object is said to be of.
    fn label(&self, slot: Slot) -> Option<Fork> {
        (!self.has(|fault| matches!(fault, Fault::WithoutVersion)))
            .then_some(self.relabelled().unwrap_or_else(|| self.chain.ledger().fork_at(slot)))
    }

    /// The fork that all objects are labelled with, if they are labelled wrongly.
    fn relabelled(&self) -> Option<Fork> {
        self.faults.iter().find_map(|fault| match fault {
            Fault::Relabelled(fork) => Some(*fork),
            _ => None,
        })
    }

    /// The digest that is the label of an update of a list. A fork that is not in the network's table has one that is not known.
    fn digest(&self, network: &Network, slot: Slot) -> ForkDigest {
        let Some(fork) = self.relabelled() else { return network.fork_digest(network.epoch_at(slot)) };
        let scheduled = network.forks().iter().find(|scheduled| scheduled.fork() == Some(fork));
        scheduled.map_or_else(
            || keccak256(fork.name()).first_chunk().copied().unwrap_or_default(),
            |scheduled| network.fork_digest_of(scheduled),
        )
    }

    fn wants_ssz(&self) -> bool {
        // A client names what it likes best first.
        let first = self.accept.split(',').next().unwrap_or_default();
        first.contains("application/octet-stream") && !self.has(|fault| matches!(fault, Fault::JsonOnly))
    }

    fn has(&self, wanted: impl Fn(&Fault) -> bool) -> bool {
        self.faults.iter().any(|fault| wanted(fault))
    }

    /// The update under all faults that concern signatures.
    fn distort(&self, mut update: LightClientUpdate) -> LightClientUpdate {
        let mut ledger = self.chain.ledger();
        let (root, slot) = (update.attested_header.beacon.hash_tree_root(), update.signature_slot);
        let period = ledger.network.period_at(slot);
        for fault in self.faults {
            let all = update.sync_aggregate.size;
            match fault {
                Fault::TooFewSigners(signers) => {
                    update.sync_aggregate = ledger.sign(root, slot, *signers, period);
                }
                Fault::ForgedSignature => {
                    update.sync_aggregate = ledger.sign(keccak256(root), slot, all, period);
                }
                Fault::LastCommittee => {
                    update.sync_aggregate = ledger.sign(root, slot, all, period.saturating_sub(1));
                }
                _ => {}
            }
        }
        update
    }
}
