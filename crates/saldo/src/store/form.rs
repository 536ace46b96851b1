//! Names and bytes of what is kept.

use alloy_primitives::{Address, B256, Bytes};
use alloy_rlp::{Decodable, RlpDecodable, RlpEncodable};
use saldo_beacon::unit::Slot;
use saldo_beacon::{Checkpoint, Network};
use saldo_proof::trie::MAX_NODES;
use saldo_reading::{Asset, Holding, NetworkId, ProviderId};
use saldo_source::SortedMap;

use super::identity::Identity;
use crate::token_proof::TokenProof;

/// The latest format. A change of what is kept that this version would misread has a higher one.
///
/// Format 1 named its chain by chain id and validators root alone; format 2 named no network in a reading. Both are
/// refused.
pub(super) const FORMAT: u16 = 3;

/// The first record, whose name and form stay the same in all formats.
pub(super) const FIRST: &str = "saldo";
pub(super) const LIGHT_CLIENT: &str = "light-client";
pub(super) const PROVIDERS: &str = "providers";
pub(super) const START: &str = "start";
const BLOCK: &str = "block/";
const READING: &str = "reading/";
const DISCLOSED: &str = "disclosed/";
const PENDING: &str = "pending/";
const CODE: &str = "code/";

/// The most bytes of the proof of one reading. Code that is run reads at most 32 accounts and 128 slots: about 550 KB on mainnet.
pub(super) const MAX_PROOF: usize = 1 << 20;
/// The most bytes of what is known of providers.
const MAX_PROVIDERS: usize = 1 << 20;
/// The most bytes of the operators that know of one address.
const MAX_DISCLOSURE: usize = 1 << 14;

/// Codes of tokens, by their hashes.
pub(super) type Codes = SortedMap<B256, Bytes>;

/// What a name names.
pub(super) enum Name {
    First,
    LightClient,
    Providers,
    Start,
    Disclosed(Address),
    Block(B256),
    Reading(Holding, B256),
    Pending(Holding, B256),
    Code(B256),
}

impl Name {
    pub(super) fn parse(name: &str) -> Option<Self> {
        if let Some(hash) = name.strip_prefix(BLOCK) {
            return Some(Self::Block(hash.parse().ok()?));
        }
        if let Some(reading) = name.strip_prefix(READING) {
            let (holding, block) = holding_and_hash(reading)?;
            return Some(Self::Reading(holding, block));
        }
        if let Some(pending) = name.strip_prefix(PENDING) {
            let (holding, id) = holding_and_hash(pending)?;
            return Some(Self::Pending(holding, id));
        }
        if let Some(hash) = name.strip_prefix(CODE) {
            return Some(Self::Code(hash.parse().ok()?));
        }
        if let Some(address) = name.strip_prefix(DISCLOSED) {
            return Some(Self::Disclosed(address.parse().ok()?));
        }
        match name {
            FIRST => Some(Self::First),
            LIGHT_CLIENT => Some(Self::LightClient),
            PROVIDERS => Some(Self::Providers),
            START => Some(Self::Start),
            _ => None,
        }
    }
}

fn holding_and_hash(name: &str) -> Option<(Holding, B256)> {
    let (chain_id, rest) = name.split_once('/')?;
    let (owner, rest) = rest.split_once('/')?;
    let (network, owner) = (NetworkId::new(chain_id.parse().ok()?), owner.parse().ok()?);
    Some(match rest.split_once('/') {
        Some((token, hash)) => (Holding::erc20(network, owner, token.parse().ok()?), hash.parse().ok()?),
        None => (Holding::native(network, owner), rest.parse().ok()?),
    })
}

pub(super) fn block_name(hash: B256) -> String {
    format!("{BLOCK}{hash:#x}")
}

pub(super) fn code_name(hash: B256) -> String {
    format!("{CODE}{hash:#x}")
}

/// The name of a reading; `None` for an asset that this version cannot read.
pub(super) fn reading_name(holding: &Holding, block: B256) -> Option<String> {
    name_of_holding(READING, holding, block)
}

/// The name of a proof that waits for L1; `None` as for a reading.
pub(super) fn pending_name(holding: &Holding, id: B256) -> Option<String> {
    name_of_holding(PENDING, holding, id)
}

fn name_of_holding(prefix: &str, holding: &Holding, hash: B256) -> Option<String> {
    let (chain_id, owner) = (holding.network().chain_id(), holding.owner());
    match holding.asset() {
        Asset::Native => Some(format!("{prefix}{chain_id}/{owner:#x}/{hash:#x}")),
        Asset::Erc20(token) => Some(format!("{prefix}{chain_id}/{owner:#x}/{token:#x}/{hash:#x}")),
        _ => None,
    }
}

/// The name of the operators that know of `address`.
pub(super) fn disclosed_name(address: Address) -> String {
    format!("{DISCLOSED}{address:#x}")
}

/// Whether the record of this name is the code of a token. An unused code still shows which token a user held.
pub(super) fn is_code(name: &str) -> bool {
    matches!(Name::parse(name), Some(Name::Code(_)))
}

/// Whether the record of this name is about `owner`.
pub(super) fn names_owner(name: &str, owner: Address) -> bool {
    match Name::parse(name) {
        Some(Name::Reading(holding, _) | Name::Pending(holding, _)) => holding.owner() == owner,
        Some(Name::Disclosed(address)) => address == owner,
        _ => false,
    }
}

/// The format, and then the [`Identity`] in the way of that format.
pub(crate) fn first(network: &Network) -> Vec<u8> {
    [&FORMAT.to_le_bytes()[..], &alloy_rlp::encode(Identity::of(network))].concat()
}

/// The format of the first record, and the rest of it.
pub(super) fn format(first: &[u8]) -> Option<(u16, &[u8])> {
    let (format, rest) = first.split_first_chunk()?;
    Some((u16::from_le_bytes(*format), rest))
}

/// Where the caller restarted trust.
#[derive(RlpEncodable, RlpDecodable)]
struct Start {
    root: B256,
    /// None or one.
    slot: Vec<u64>,
}

pub(super) fn start(checkpoint: &Checkpoint) -> Vec<u8> {
    let slot = checkpoint.slot.map(Slot::get).into_iter().collect();
    alloy_rlp::encode(Start { root: checkpoint.root, slot })
}

pub(super) fn load_start(bytes: &[u8]) -> Option<Checkpoint> {
    let Start { root, slot } = exactly(bytes, 64)?;
    let slot = match slot[..] {
        [] => None,
        [slot] => Some(Slot::new(slot)),
        _ => return None,
    };
    Some(Checkpoint { root, slot })
}

/// Who served a proof, and its nodes. For a token these are the encoded [`TokenProof`] without codes and the hashes of its codes, which
/// have records of their own. A reading from before that, and a proof that waits for L1, have one item: the proof with its codes.
#[derive(RlpEncodable, RlpDecodable)]
pub(super) struct Proof {
    pub(super) provider: String,
    pub(super) nodes: Vec<Bytes>,
}

impl Proof {
    /// The proof of a token's balance, whose codes are among `codes`.
    pub(super) fn load_token(nodes: &[Bytes], codes: &Codes) -> Option<TokenProof> {
        let proof: TokenProof = exactly(nodes.first()?, MAX_PROOF)?;
        if nodes.len() == 1 {
            return Some(proof);
        }
        let of_hash = |hash: B256| codes.get(&hash).cloned();
        let codes = Self::code_hashes(nodes)?.into_iter().map(of_hash).collect::<Option<_>>()?;
        Some(TokenProof { codes, ..proof })
    }

    /// The hashes of the codes that have records of their own.
    pub(super) fn code_hashes(nodes: &[Bytes]) -> Option<Vec<B256>> {
        const EACH: usize = 33;
        match nodes {
            [_] => Some(Vec::new()),
            [_, hashes] => exactly(hashes, MAX_NODES.saturating_mul(EACH)),
            _ => None,
        }
    }

    pub(super) fn load(bytes: &[u8]) -> Option<Self> {
        exactly(bytes, MAX_PROOF.saturating_add(1_024))
    }
}

/// What is known of providers.
#[derive(Default, RlpEncodable, RlpDecodable)]
pub(crate) struct ProviderState {
    /// Seconds since 1970 when it was written, by the device's clock.
    pub(crate) written: u64,
    /// The time that had certainly come by then, in milliseconds since 1970; none if none was known.
    pub(crate) certain: Vec<u64>,
    pub(crate) providers: Vec<StoredProvider>,
}

#[derive(RlpEncodable, RlpDecodable)]
#[rlp(trailing)]
pub(crate) struct StoredProvider {
    pub(crate) provider: String,
    /// Whether it said that it serves this chain.
    pub(crate) serves_chain: bool,
    /// For how many seconds more what follows was believed when it was written.
    pub(crate) believed_for: u64,
    pub(crate) batch: u64,
    pub(crate) block_hash: bool,
    pub(crate) json_header: bool,
    pub(crate) behind_tip: bool,
    pub(crate) tips_were_signed: bool,
    /// `Some(true)` if it counts the calls inside a batch, else `None`. It was added without a new format.
    pub(crate) is_paced: Option<bool>,
}

/// The operators that know of an address.
#[derive(RlpEncodable, RlpDecodable)]
pub(crate) struct StoredDisclosure {
    /// Grows with each address that is asked about for the first time.
    pub(crate) order: u64,
    pub(crate) operators: Vec<String>,
}

impl ProviderState {
    pub(super) fn load(bytes: &[u8]) -> Option<Self> {
        exactly(bytes, MAX_PROVIDERS)
    }
}

impl StoredDisclosure {
    pub(super) fn load(bytes: &[u8]) -> Option<Self> {
        exactly(bytes, MAX_DISCLOSURE)
    }
}

impl StoredProvider {
    pub(crate) fn id(&self) -> Option<ProviderId> {
        ProviderId::new(&self.provider)
    }
}

/// The value that is all of `bytes`.
pub(super) fn exactly<T: Decodable>(bytes: &[u8], limit: usize) -> Option<T> {
    (bytes.len() <= limit).then(|| alloy_rlp::decode_exact(bytes).ok()).flatten()
}
