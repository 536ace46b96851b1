//! Bootstraps and updates, compared with one pairing check per signature: the unavoidable cost when updates arrive
//! one by one. (Fourteen at once could share a final exponentiation. But that needs randomness, and does not tell
//! which update is bad.)

use std::hint::black_box;
use std::sync::Arc;

use alloy_primitives::B256;
use blst::BLST_ERROR::BLST_SUCCESS;
use blst::min_pk::{AggregatePublicKey, PublicKey, Signature};
use saldo_beacon::container::{SyncAggregate, SyncCommittee};
use saldo_beacon::decode::{self, Encoding};
use saldo_beacon::signature::{DOMAIN_SYNC_COMMITTEE, DST, compute_domain, compute_signing_root};
use saldo_beacon::unit::UnixTime;
use saldo_beacon::{Checkpoint, LightClient, LightClientBootstrap, LightClientUpdate, Network};
use serde::Deserialize;

use crate::row::{Bound, Row, Work};
use crate::{Missing, vector};

/// A real sequence of committee updates.
const COMMITTEE_UPDATES: &str = "e2e/mainnet-deneb-11034656-60-periods";
const FIRST_PERIOD: u64 = 1347;

/// A real finality update, signed by 507 of 512 members.
const FINALITY: &str = "e2e/mainnet-deneb-9567456-finalized";

#[derive(Deserialize)]
struct Scenario {
    checkpoint: B256,
}

fn checkpoint(folder: &str) -> Result<Checkpoint, Missing> {
    let Scenario { checkpoint: root } = vector::json(&format!("{folder}/scenario.json"))?;
    Ok(Checkpoint { root, slot: None })
}

/// A signature with the inputs of its pairing check.
struct Signed {
    message: B256,
    /// The signers' compressed keys.
    keys: Vec<[u8; 48]>,
    /// The sum of the keys.
    key: PublicKey,
    bytes: [u8; 96],
    signature: Signature,
}

impl Signed {
    fn new(
        network: &Network,
        committee: &SyncCommittee,
        update: &LightClientUpdate,
    ) -> Result<Self, Missing> {
        let SyncAggregate { signature, .. } = &update.sync_aggregate;
        let version = network.fork_version_at(update.signature_slot.saturating_sub(1));
        let domain = compute_domain(DOMAIN_SYNC_COMMITTEE, version, network.genesis_validators_root());
        let message = compute_signing_root(update.attested_header.beacon.hash_tree_root(), domain);
        let signers = committee.pubkeys.iter().enumerate();
        let signers = signers.filter(|(member, _)| update.sync_aggregate.has_signed(*member));
        let keys: Vec<[u8; 48]> = signers.map(|(_, key)| key.0).collect();
        let points = decompress(&keys).ok_or("a key is malformed")?;
        let sum = AggregatePublicKey::aggregate(&points.iter().collect::<Vec<_>>(), false);
        let key = sum.map_err(|error| format!("{error:?}"))?.to_public_key();
        let (bytes, signature) = (signature.0, Signature::uncompress(signature.as_slice()));
        let signature = signature.map_err(|error| format!("{error:?}"))?;
        Ok(Self { message, keys, key, bytes, signature })
    }

    /// One pairing check with one key, including the signature's subgroup check.
    fn pairing(&self) -> bool {
        let (key, message) = (black_box(&self.key), black_box(&self.message));
        self.signature.verify(true, message.as_slice(), DST, &[], key, false) == BLST_SUCCESS
    }

    /// `blst` as used by a client that decompresses and adds the signers' keys every time.
    fn fast_aggregate_verify(&self) -> bool {
        let (Some(points), Ok(signature)) =
            (decompress(black_box(&self.keys)), Signature::uncompress(black_box(&self.bytes)))
        else {
            return false;
        };
        let keys: Vec<&PublicKey> = points.iter().collect();
        signature.fast_aggregate_verify(true, self.message.as_slice(), DST, &keys) == BLST_SUCCESS
    }
}

fn decompress(keys: &[[u8; 48]]) -> Option<Vec<PublicKey>> {
    keys.iter().map(|key| PublicKey::uncompress(key).ok()).collect()
}

/// The time just after an update was signed.
fn when(network: &Network, update: &LightClientUpdate) -> UnixTime {
    network.slot_start(update.signature_slot)
}

fn start(
    network: &Arc<Network>,
    folder: &str,
    bootstrap: LightClientBootstrap,
) -> Result<(SyncCommittee, LightClient), Missing> {
    let now = network.slot_start(bootstrap.header.beacon.slot);
    let committee = bootstrap.current_sync_committee.clone();
    Ok((committee, LightClient::bootstrap(Arc::clone(network), checkpoint(folder)?, bootstrap, now)?))
}

pub(crate) fn finality_update() -> Result<Row, Missing> {
    let network = Arc::new(Network::mainnet());
    let bytes = vector::bytes(&format!("{FINALITY}/bootstrap.json"))?;
    let bootstrap = decode::bootstrap(&bytes, Encoding::Json, Some("deneb"), &network)?;
    let (committee, client) = start(&network, FINALITY, bootstrap)?;
    let bytes = vector::bytes(&format!("{FINALITY}/LightClientFinalityUpdateDeneb.ssz"))?;
    let update = decode::finality_update(&bytes, Encoding::Ssz, Some("deneb"), &network)?;
    let aggregate = &update.sync_aggregate;
    let what = format!(
        "a mainnet finality update from SSZ, signed by {} of {}",
        aggregate.signers(),
        aggregate.size
    );
    let now = when(&network, &update);

    let signed = Arc::new(Signed::new(&network, &committee, &update)?);
    let peer = Arc::clone(&signed);
    let ours: Work = Box::new(move || {
        let mut client = client.clone();
        decode::finality_update(black_box(&bytes), Encoding::Ssz, Some("deneb"), &network)
            .is_ok_and(|update| client.advance(update, now).is_ok_and(|advanced| advanced.signed))
    });
    Ok(Row {
        what,
        limit: Some(Box::new(move || signed.pairing())),
        peer: Some(Box::new(move || peer.fast_aggregate_verify())),
        ours,
        bound: Bound::TimesLimit(1.30),
    })
}

pub(crate) fn hand_over() -> Result<Row, Missing> {
    committee_updates(1)
}

pub(crate) fn fourteen_hand_overs() -> Result<Row, Missing> {
    committee_updates(14)
}

fn committee_updates(count: u64) -> Result<Row, Missing> {
    let network = Arc::new(Network::mainnet());
    let bytes = vector::bytes(&format!("{COMMITTEE_UPDATES}/bootstrap.ssz"))?;
    let bootstrap = decode::bootstrap(&bytes, Encoding::Ssz, Some("deneb"), &network)?;
    let (mut committee, client) = start(&network, COMMITTEE_UPDATES, bootstrap)?;
    let (mut updates, mut signed) = (Vec::new(), Vec::new());
    for period in (FIRST_PERIOD..).zip(0..count).map(|(period, _)| period) {
        let bytes = vector::bytes(&format!("{COMMITTEE_UPDATES}/update_{period}.ssz"))?;
        let update = decode::update(&bytes, Encoding::Ssz, Some("deneb"), &network)?;
        signed.push(Signed::new(&network, &committee, &update)?);
        updates.push((bytes, when(&network, &update)));
        committee = update.next_sync_committee.ok_or("an update without a next committee")?.committee;
    }
    let what = format!("{count} mainnet committee update(s), from SSZ");

    let signed = Arc::new(signed);
    let peer = Arc::clone(&signed);
    let ours: Work = Box::new(move || {
        let mut client = client.clone();
        updates.iter().all(|(bytes, now)| {
            decode::update(black_box(bytes), Encoding::Ssz, Some("deneb"), &network).is_ok_and(|update| {
                client.advance(update, *now).is_ok_and(|advanced| advanced.next_committee)
            })
        })
    });
    Ok(Row {
        what,
        limit: Some(Box::new(move || signed.iter().all(Signed::pairing))),
        peer: Some(Box::new(move || peer.iter().all(Signed::fast_aggregate_verify))),
        ours,
        bound: Bound::TimesLimit(1.40),
    })
}

pub(crate) fn bootstrap() -> Result<Row, Missing> {
    let network = Arc::new(Network::mainnet());
    let (bytes, checkpoint) =
        (vector::bytes(&format!("{COMMITTEE_UPDATES}/bootstrap.ssz"))?, checkpoint(COMMITTEE_UPDATES)?);
    let slot = decode::bootstrap(&bytes, Encoding::Ssz, Some("deneb"), &network)?.header.beacon.slot;
    let now = network.slot_start(slot);
    let ours: Work = Box::new(move || {
        decode::bootstrap(black_box(&bytes), Encoding::Ssz, Some("deneb"), &network).is_ok_and(|bootstrap| {
            black_box(LightClient::bootstrap(Arc::clone(&network), checkpoint, bootstrap, now)).is_ok()
        })
    });
    let what = "a mainnet bootstrap, from SSZ to a light client that is ready".to_owned();
    Ok(Row { what, limit: None, peer: None, ours, bound: Bound::Microseconds(2_000.0) })
}
