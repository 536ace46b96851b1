//! What a beacon node tells of itself, of its network and of single blocks, lied about.

use std::sync::Arc;

use alloy_primitives::{B256, hex, keccak256};
use saldo_beacon::unit::Epoch;
use serde_json::{Map, Value, json};

use crate::Chain;
use crate::block::Block;
use crate::encode::beacon_header_json;
use crate::fault::Fault;
use crate::http::Reply;

/// An error as beacon nodes send it.
pub(super) fn refusal(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({ "code": status, "message": message }))
}

pub(super) fn data(data: &Value) -> Reply {
    Reply::json(200, &json!({ "data": data }))
}

/// What one request is answered from.
pub(super) struct Node<'a> {
    pub(super) chain: &'a Chain,
    pub(super) faults: &'a [&'a Fault],
    pub(super) lag: u64,
}

impl Node<'_> {
    pub(super) fn genesis(&self) -> Value {
        let network = self.chain.network();
        json!({
            "genesis_time": network.genesis_time().as_secs().to_string(),
            "genesis_validators_root": network.genesis_validators_root(),
            "genesis_fork_version": hex::encode_prefixed(network.genesis_fork_version()),
        })
    }

    pub(super) fn spec(&self) -> Value {
        let network = self.chain.network();
        let mut spec = Map::new();
        let mut set = |name: String, value: String| spec.insert(name, value.into());
        set("PRESET_BASE".into(), self.chain.preset().name().into());
        set("GENESIS_FORK_VERSION".into(), hex::encode_prefixed(network.genesis_fork_version()));
        set("DEPOSIT_CHAIN_ID".into(), network.chain_id().to_string());
        set("SLOT_DURATION_MS".into(), network.slot_duration().as_millis().to_string());
        set("SECONDS_PER_SLOT".into(), network.slot_duration().as_secs().to_string());
        set("SLOTS_PER_EPOCH".into(), network.slots_per_epoch().to_string());
        set("SYNC_COMMITTEE_SIZE".into(), network.sync_committee_size().to_string());
        let epochs = network.epochs_per_sync_committee_period();
        set("EPOCHS_PER_SYNC_COMMITTEE_PERIOD".into(), epochs.to_string());
        for fork in network.forks() {
            let name = fork.name().to_uppercase();
            set(format!("{name}_FORK_VERSION"), hex::encode_prefixed(fork.version()));
            let epoch = fork.epoch().map_or(u64::MAX, Epoch::get);
            set(format!("{name}_FORK_EPOCH"), epoch.to_string());
        }
        let blobs = network
            .blob_schedule()
            .iter()
            .map(|blobs| json!({ "EPOCH": blobs.epoch, "MAX_BLOBS_PER_BLOCK": blobs.max_blobs.to_string() }));
        spec.insert("BLOB_SCHEDULE".into(), blobs.collect());
        Value::Object(spec)
    }

    pub(super) fn header(&self, name: &str) -> Reply {
        self.about(name, |block, root| {
            // The proposer's signature may be any: a light client has no proposer's key.
            let signature = block.aggregate.signature;
            let header = json!({ "message": beacon_header_json(&block.beacon), "signature": signature });
            json!({ "root": root, "canonical": true, "header": header })
        })
    }

    pub(super) fn block_root(&self, name: &str) -> Reply {
        self.about(name, |_, root| json!({ "root": root }))
    }

    pub(super) fn finality_checkpoints(&self) -> Reply {
        let finalized = self.head().finalized;
        let checkpoint = json!({ "epoch": finalized.epoch, "root": self.claimed_root(finalized.root) });
        // What is justified does not matter to light clients: the finalized one is, at least.
        let data = json!({ "previous_justified": checkpoint, "current_justified": checkpoint, "finalized": checkpoint });
        // As real nodes have it: the flag is about the state that was asked for, and the head's is not final.
        Reply::json(200, &json!({ "execution_optimistic": false, "finalized": false, "data": data }))
    }

    /// The answer about the block `name`, given what is said of it and of the root it is said to have.
    fn about(&self, name: &str, say: impl Fn(&Block, B256) -> Value) -> Reply {
        let Some(block) = self.named(name) else { return refusal(404, "block not found") };
        let finalized = self.named("finalized").is_some_and(|finalized| finalized.slot() >= block.slot());
        let denied = self.faults.iter().any(|fault| matches!(fault, Fault::NotFinalized));
        let body = json!({
            "execution_optimistic": false,
            "finalized": finalized && !denied,
            "data": say(&block, self.claimed_root(block.root)),
        });
        Reply::json(200, &body)
    }

    /// The root as it is claimed to be. Sources that lie about it all tell the same lie.
    fn claimed_root(&self, root: B256) -> B256 {
        if self.faults.iter().any(|fault| matches!(fault, Fault::OtherRoot)) { keccak256(root) } else { root }
    }

    /// The block a route names: `head`, `finalized`, `genesis`, a slot or a root.
    fn named(&self, name: &str) -> Option<Arc<Block>> {
        let head = self.head();
        let ledger = self.chain.ledger();
        let block = match name {
            "head" => Some(&head),
            "genesis" => ledger.blocks.first(),
            "finalized" => Some(ledger.finalized_by(&head)),
            root if root.starts_with("0x") => ledger.block_of_root(root.parse::<B256>().ok()?),
            slot => {
                let slot = slot.parse().ok()?;
                ledger.blocks.iter().find(|block| block.slot() == slot)
            }
        };
        block.filter(|block| block.slot() <= head.slot()).cloned()
    }

    /// The newest block the source has.
    fn head(&self) -> Arc<Block> {
        Arc::clone(self.chain.ledger().head(self.lag))
    }
}
