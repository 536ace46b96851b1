//! A proof that was taken at the head of a rollup and waits for L1: as it is stored, and its check.
//!
//! It is checked again like a reading, under the root of its own header. It is no reading: nothing says that the header is in the
//! chain until L1 vouches for a block that follows.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, keccak256};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use saldo_beacon::Network;
use saldo_beacon::unit::UnixTime;
use saldo_chain::ExecutionHeader;
use saldo_proof::{Account, StateRoot, Verified, verify_account};
use saldo_reading::{Asset, Holding, ProviderId};
use saldo_token::VerifiedBalance;
use sha2::{Digest, Sha256};

use super::form::{self, Codes, Proof};
use super::seal::Seal;
use crate::storage::StorageFault;
use crate::token_run::{self, NoBalance};

/// The most bytes of all records of proofs that wait. In memory their nodes take at most 4 MB; the rest is for the headers.
pub(super) const MOST_BYTES: usize = 6 << 20;

/// What names the record of a proof that waits: its holding, and what stands for its root and its provider.
pub(super) type PendingName = (Holding, B256);

/// What tells proofs that wait apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PendingKey {
    pub(crate) holding: Holding,
    pub(crate) provider: ProviderId,
    /// The root that it was verified under.
    pub(crate) root: StateRoot,
}

impl PendingKey {
    /// The name. All names of providers have the same length in it.
    pub(super) fn name(&self) -> PendingName {
        let digest = Sha256::new().chain_update(self.root.get()).chain_update(self.provider.as_str());
        (self.holding, B256::from_slice(&digest.finalize()))
    }
}

/// A proof that waits, and the header that its provider named for it.
#[derive(Clone)]
pub(crate) struct PendingRecord {
    pub(crate) holding: Holding,
    pub(crate) provider: ProviderId,
    pub(crate) header: ExecutionHeader,
    /// When it came, by the device's clock.
    pub(crate) came: UnixTime,
    /// As those of a reading.
    pub(crate) nodes: Arc<[Bytes]>,
    /// The games whose claims it waits for, if there are any. They are only looked at first: L1 says whether they count.
    pub(crate) claims: Vec<Address>,
}

/// A stored proof that verifies under its own header. Nothing says that this header is in the chain.
pub(crate) struct RestoredPending {
    pub(crate) record: PendingRecord,
    #[cfg_attr(not(feature = "rollup"), expect(dead_code, reason = "only a client of a rollup takes it"))]
    pub(crate) shown: ShownPending,
}

/// What it shows.
#[cfg_attr(not(feature = "rollup"), expect(dead_code, reason = "only a client of a rollup looks at it"))]
pub(crate) enum ShownPending {
    Account(Verified<Account>),
    Token(Arc<VerifiedBalance>),
}

/// What is written of a [`PendingRecord`], beside its name.
#[derive(RlpEncodable, RlpDecodable)]
#[rlp(trailing)]
struct Form {
    provider: String,
    /// Seconds since 1970.
    came: u64,
    header: Bytes,
    nodes: Vec<Bytes>,
    /// It was added without a new format.
    claims: Option<Vec<Address>>,
}

impl PendingRecord {
    /// The most claims of one record.
    const MOST_CLAIMS: usize = 4;
    /// The most bytes of one record.
    const MOST: usize = form::MAX_PROOF.saturating_add(ExecutionHeader::MAX_BYTES).saturating_add(1_024);

    pub(super) fn key(&self) -> PendingKey {
        let (holding, provider) = (self.holding, self.provider.clone());
        PendingKey { holding, provider, root: self.header.state_root() }
    }

    /// The most bytes that it takes in the storage, without its name.
    pub(super) fn size(&self) -> usize {
        // The provider's name, the time, the lengths and the seal.
        const BESIDE: usize = ProviderId::MAX_LEN.saturating_add(64);
        const LENGTH: usize = 3;
        const ADDRESS: usize = 21;
        let nodes = self.nodes.iter().map(|node| node.len().saturating_add(LENGTH));
        let beside = BESIDE.saturating_add(self.claims.len().saturating_mul(ADDRESS));
        nodes.fold(self.header.rlp().len().saturating_add(beside), usize::saturating_add)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        alloy_rlp::encode(Form {
            provider: self.provider.as_str().to_owned(),
            came: self.came.as_secs(),
            header: self.header.rlp().clone(),
            nodes: self.nodes.to_vec(),
            claims: (!self.claims.is_empty()).then(|| self.claims.clone()),
        })
    }

    /// The record of this name; `None` if the bytes are no record, or another's.
    fn load(name: &PendingName, bytes: &[u8]) -> Option<Self> {
        let Form { provider, came, header, nodes, claims } = form::exactly(bytes, Self::MOST)?;
        let mut claims = claims.unwrap_or_default();
        claims.truncate(Self::MOST_CLAIMS);
        let header = ExecutionHeader::from_rlp(&header, keccak256(&header)).ok()?;
        let (provider, came) = (ProviderId::new(&provider)?, UnixTime::from_secs(came));
        let record = Self { holding: name.0, provider, header, came, nodes: nodes.into(), claims };
        (record.key().name() == *name).then_some(record)
    }

    /// Verifies its proofs under the root of its header.
    fn check(&self, network: &Network) -> Result<ShownPending, Box<StorageFault>> {
        let (holding, root) = (self.holding, self.header.state_root());
        let refused = |error| Box::new(StorageFault::Reading { holding, error });
        if holding.network().chain_id() != network.chain_id() {
            return Err(Box::new(StorageFault::Damaged));
        }
        match holding.asset() {
            Asset::Native => {
                let account = verify_account(root, holding.owner(), &self.nodes);
                account.map(ShownPending::Account).map_err(refused)
            }
            Asset::Erc20(token) => self.check_token(token, network),
            _ => Err(Box::new(StorageFault::Damaged)),
        }
    }

    fn check_token(&self, token: Address, network: &Network) -> Result<ShownPending, Box<StorageFault>> {
        let holding = self.holding;
        let damaged = || Box::new(StorageFault::Damaged);
        let proof = Proof::load_token(&self.nodes, &Codes::new()).ok_or_else(damaged)?;
        let state = proof
            .state(self.header.state_root())
            .map_err(|error| Box::new(StorageFault::Reading { holding, error }))?;
        // No block is trusted here, so no code is run.
        match token_run::balance(&state, None, network, token, holding.owner()) {
            Ok(balance) => Ok(ShownPending::Token(Arc::new(balance))),
            Err(NoBalance::Never(why)) => Err(Box::new(StorageFault::NoBalance { holding, why })),
            Err(NoBalance::Missing { .. } | NoBalance::Later) => Err(damaged()),
        }
    }
}

/// A record as it was stored. Not checked.
pub(super) struct StoredPending {
    pub(super) named: PendingName,
    pub(super) name: String,
    pub(super) sealed: Vec<u8>,
}

impl StoredPending {
    /// Checks it.
    pub(super) fn restore(
        &self,
        seal: &Seal,
        network: &Network,
    ) -> Result<RestoredPending, Box<StorageFault>> {
        let damaged = || Box::new(StorageFault::Damaged);
        let bytes = seal.open(&self.name, &self.sealed).ok_or_else(damaged)?;
        let record = PendingRecord::load(&self.named, bytes).ok_or_else(damaged)?;
        let shown = record.check(network)?;
        Ok(RestoredPending { record, shown })
    }
}

#[cfg(test)]
mod tests {
    use saldo_reading::NetworkId;

    use super::*;
    use crate::store::form::{Name, pending_name};

    /// A storage takes names of 224 bytes, and each network but the first has its chain id before its names.
    #[test]
    fn the_longest_name_fits() {
        let (network, owner) = (NetworkId::new(u64::MAX), Address::repeat_byte(1));
        let holding = Holding::erc20(network, owner, Address::repeat_byte(2));
        let provider = ProviderId::new(&"x".repeat(ProviderId::MAX_LEN)).unwrap();
        let key = PendingKey { holding, provider, root: StateRoot::new(B256::repeat_byte(3)) };
        let (of, id) = key.name();
        let name = pending_name(&of, id).unwrap();
        assert!(format!("network/{}/{name}", u64::MAX).len() <= 224, "{name}");
        assert!(
            matches!(Name::parse(&name), Some(Name::Pending(held, found)) if (held, found) == (holding, id))
        );
        // Another provider or root has another name.
        for other in [
            PendingKey { provider: ProviderId::new("x").unwrap(), ..key.clone() },
            PendingKey { root: StateRoot::new(B256::repeat_byte(4)), ..key.clone() },
        ] {
            assert_ne!(other.name(), key.name());
        }
    }

    /// What is counted is never less than what is written: what saldo wrote is never too much to be read.
    #[test]
    fn the_size_is_counted_high() {
        let header =
            crate::made::block(7, 1, B256::repeat_byte(3), saldo_chain::Level::Signed).header().unwrap();
        for (name, nodes) in [("x".repeat(ProviderId::MAX_LEN), 0), ("x".to_owned(), 12)] {
            let record = PendingRecord {
                holding: Holding::native(NetworkId::new(1), Address::ZERO),
                provider: ProviderId::new(&name).unwrap(),
                header: header.clone(),
                came: UnixTime::from_secs(u64::MAX),
                nodes: vec![Bytes::from(vec![1; 532]); nodes].into(),
                claims: vec![Address::ZERO; nodes.min(PendingRecord::MOST_CLAIMS)],
            };
            let written = Seal::new(None).close("", record.encode()).len();
            assert!((written..written + 512).contains(&record.size()), "{written} {}", record.size());
            assert!(PendingRecord::load(&record.key().name(), &record.encode()).is_some());
        }
    }
}
