//! Has a throwaway committee sign the blocks of a development node, so that a wallet's own end-to-end tests get proven
//! readings from the node that they use already.
//!
//! The node can be anything that serves `eth_getBlockByNumber` and `eth_getProof`. Its newest block is signed again in
//! every slot, and bears the time of that slot: a node that mines only when it has to is not out of date.

mod node;

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::B256;
use saldo_beacon::Network;
use saldo_beacon::container::ExecutionPayloadHeader;
use saldo_beacon::unit::UnixTime;
use saldo_source::{Endpoint, Transport};

use crate::{BeaconSource, Chain, Preset};
use node::Node;
pub use node::NodeError;

/// How many slots the committee has signed when it starts: enough for some to be final.
const HISTORY: u64 = 40;

/// How many slots it takes from a block to its signature.
const LEAD: u64 = 2;

/// Why a node's blocks cannot be signed, or no longer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// The node does not answer as one. Its fault, or the caller's for naming it.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// It serves, or says it serves, a network with a committee of its own. The caller's fault.
    #[error("the node says that it is {name} (chain {chain_id}), whose blocks have signatures of their own")]
    BuiltIn {
        /// The network's name.
        name: String,
        /// Its chain id.
        chain_id: u64,
    },
    /// The node was reset, or went back before a block that counts as final: what was signed cannot be taken back.
    #[error(
        "the node no longer has block {number}, which is final here: it was reset, or went back before it"
    )]
    Reset {
        /// The number of that block.
        number: u64,
    },
}

/// What a round of following brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Noticed {
    /// The newest block is the one it was.
    Nothing,
    /// There is a newer one.
    Newer {
        /// Its number.
        number: u64,
    },
    /// The node took blocks back (`evm_revert`, or a reorganisation).
    WentBack {
        /// The number of the newest block before.
        from: u64,
        /// The number of the newest block now.
        to: u64,
    },
}

/// What a committee is to sign.
#[derive(Clone, Copy, Debug)]
pub struct Signing {
    /// How long a slot is; whole seconds.
    pub slot: Duration,
    /// Whether blocks become final after 16 to 24 slots. Else only the first is, and the node may go back to it at any time.
    pub finality: bool,
}

/// A node whose blocks are signed.
#[derive(Debug)]
pub struct Attached {
    node: Node,
    chain: Chain,
    newest: (u64, B256),
    /// Blocks that may be final, lowest first: for each number the hash that was signed.
    signed: Vec<(u64, B256)>,
    mined: bool,
}

impl Attached {
    /// Starts to sign the blocks of `node`. One that has nothing but its first block is made to mine another, if it serves
    /// `evm_mine`: of some nodes the first one's state cannot be proven.
    ///
    /// # Errors
    /// [`AttachError`] if it is no node, or one of a built-in network.
    pub async fn to(
        node: Endpoint,
        transport: Arc<dyn Transport>,
        signing: Signing,
        now: UnixTime,
    ) -> Result<Self, AttachError> {
        let node = Node::new(node, transport);
        let chain_id = node.chain_id().await?;
        if let Some(network) = Network::built_in().into_iter().find(|network| network.chain_id() == chain_id)
        {
            return Err(AttachError::BuiltIn { name: network.name().to_owned(), chain_id });
        }
        let mut block = node.latest().await?;
        let mined = block.block_number == 0 && node.mine().await?;
        if mined {
            block = node.latest().await?;
        }
        let newest = (block.block_number, block.block_hash);
        // Trust starts one block earlier: what is final already gains nothing by being signed again.
        let first = node.block(block.block_number.saturating_sub(1)).await?;
        let signed = vec![(first.block_number, first.block_hash), newest];
        let before = signing.slot.as_secs().saturating_mul(HISTORY.saturating_add(LEAD));
        let chain = Chain::builder(now.as_secs())
            .preset(Preset::Development)
            .chain_id(chain_id)
            .slot_duration(signing.slot)
            .genesis_time(UnixTime::from_secs(now.as_secs().saturating_sub(before)))
            .history(HISTORY)
            .foreign(first)
            .build();
        chain.stall_finality(!signing.finality);
        chain.attest(block);
        chain.advance(LEAD);
        Ok(Self { node, chain, newest, signed, mined })
    }

    /// Whether the node had to be made to mine a block.
    pub fn mined(&self) -> bool {
        self.mined
    }

    /// The newest block's number.
    pub fn number(&self) -> u64 {
        self.newest.0
    }

    /// The network that the committee is of, with the block that trust starts from.
    pub fn network(&self) -> Network {
        self.chain.network().with_checkpoint(self.chain.checkpoint())
    }

    /// Who serves its signatures.
    pub fn beacon(&self) -> BeaconSource {
        BeaconSource::honest(&self.chain)
    }

    /// Looks at the node's newest block, and signs until `now`.
    ///
    /// # Errors
    /// [`AttachError`]; after [`AttachError::Reset`] there is nothing more to be signed, after another it may be tried again.
    pub async fn follow(&mut self, now: UnixTime) -> Result<Noticed, AttachError> {
        let block = self.node.latest().await;
        let noticed = match block {
            Ok(block) if (block.block_number, block.block_hash) != self.newest => self.take(block).await,
            Ok(_) => Ok(Noticed::Nothing),
            Err(error) => Err(error.into()),
        };
        // Of a node that is gone, nothing is known to be its newest block any more: nothing is signed.
        if noticed.is_ok() {
            self.chain.advance_to(now);
        }
        noticed
    }

    async fn take(&mut self, block: ExecutionPayloadHeader) -> Result<Noticed, AttachError> {
        let (from, to) = (self.newest.0, block.block_number);
        let follows = block.parent_hash == self.newest.1;
        let went_back = !follows && !self.node.has(self.newest).await?;
        if went_back {
            let finalized = self.chain.finalized().number;
            let known = self.signed.iter().find(|(number, _)| *number == finalized);
            if let Some(known) = known
                && !self.node.has(*known).await?
            {
                return Err(AttachError::Reset { number: known.0 });
            }
            self.signed.retain(|(number, _)| *number < to);
        }
        self.newest = (to, block.block_hash);
        self.signed.push(self.newest);
        let finalized = self.chain.finalized().number;
        self.signed.retain(|(number, _)| *number >= finalized);
        self.chain.attest(block);
        Ok(if went_back { Noticed::WentBack { from, to } } else { Noticed::Newer { number: to } })
    }
}
