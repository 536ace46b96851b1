//! What a sync committee signs, and how its signature is verified.
//!
//! Source: consensus-specs `phase0/beacon-chain.md` (domains, signing roots) and `altair/bls.md`.

use alloy_primitives::B256;
use blst::BLST_ERROR;
use blst::min_pk::{AggregatePublicKey, PublicKey, Signature};

use crate::container::{CondensedCommittee, PublicKeyBytes, SignatureBytes, SyncAggregate, SyncCommittee};
use crate::merkle::hash_pair;

/// Four bytes that name a fork in signatures.
pub type ForkVersion = [u8; 4];

/// The domain type of sync committee signatures.
pub const DOMAIN_SYNC_COMMITTEE: [u8; 4] = [7, 0, 0, 0];

/// The domain separation tag of the BLS ciphersuite: proof of possession, signatures in G2.
pub const DST: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

/// Why a sync committee signature is refused. The source's fault, unless the committee's own keys cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The committee and the participation bits are of different sizes.
    #[error("participation of {bits} members for a committee of {committee}")]
    CommitteeSize {
        /// Members the bits are about.
        bits: usize,
        /// Members of the committee.
        committee: usize,
    },
    /// No member signed.
    #[error("no member signed")]
    NoSigners,
    /// A member's key, or the aggregate key, is not a point of the curve.
    #[error("a public key of the committee is malformed")]
    MalformedKey,
    /// The signers' keys add up to the point at infinity, under which the signature at infinity verifies for any message.
    #[error("the signers' public keys add up to infinity")]
    KeyAtInfinity,
    /// The signature is not a point of the curve.
    #[error("the signature is malformed")]
    MalformedSignature,
    /// The signature is the point at infinity.
    #[error("the signature is at infinity")]
    SignatureAtInfinity,
    /// The signature is a point of the curve outside the prime-order subgroup.
    #[error("the signature is outside the subgroup")]
    SignatureOutsideSubgroup,
    /// The signature is well formed, but not made by the signers.
    #[error("the signature does not verify")]
    Mismatch,
}

/// Returns `hash_tree_root(ForkData)`.
pub fn compute_fork_data_root(version: ForkVersion, genesis_validators_root: B256) -> B256 {
    hash_pair(B256::right_padding_from(&version), genesis_validators_root)
}

/// Returns the domain that binds a signature to its purpose, its fork and its network.
pub fn compute_domain(domain_type: [u8; 4], version: ForkVersion, genesis_validators_root: B256) -> B256 {
    let fork_data_root = compute_fork_data_root(version, genesis_validators_root);
    let mut domain = B256::ZERO;
    let bytes = domain_type.iter().chain(fork_data_root.iter());
    domain.iter_mut().zip(bytes).for_each(|(target, byte)| *target = *byte);
    domain
}

/// Returns the message that is signed: `hash_tree_root(SigningData)`.
pub fn compute_signing_root(object_root: B256, domain: B256) -> B256 {
    hash_pair(object_root, domain)
}

/// Verifies that the members whose bits are set signed `signing_root`.
///
/// The committee must be trusted, including `aggregate_pubkey`: the proven committee root commits to it, and the state
/// transition computed it as the sum of the members. So subtracting the few absent keys replaces adding the many present
/// ones. For the same reason the subgroup of keys is not checked: it was checked when each validator joined.
///
/// # Errors
/// [`SignatureError`] if the members did not make the signature, or a point is malformed or not allowed.
pub fn verify(
    committee: &SyncCommittee,
    aggregate: &SyncAggregate,
    signing_root: B256,
) -> Result<(), SignatureError> {
    if aggregate.size != committee.pubkeys.len() {
        let committee = committee.pubkeys.len();
        return Err(SignatureError::CommitteeSize { bits: aggregate.size, committee });
    }
    check(&signers_key(committee, aggregate)?, aggregate, signing_root)
}

/// Verifies that the members whose bits are set signed `signing_root`, as [`verify`] does, without the keys of those members.
///
/// [`CondensedCommittee::hash_tree_root`] for the same `aggregate` must be the root of a trusted committee.
///
/// # Errors
/// Those of [`verify`].
pub fn verify_condensed(
    committee: &CondensedCommittee,
    aggregate: &SyncAggregate,
    signing_root: B256,
) -> Result<(), SignatureError> {
    let absent = aggregate.size.saturating_sub(aggregate.signers());
    if committee.absent.len() != absent {
        let committee = committee.absent.len().saturating_add(aggregate.signers());
        return Err(SignatureError::CommitteeSize { bits: aggregate.size, committee });
    }
    if aggregate.signers() == 0 {
        return Err(SignatureError::NoSigners);
    }
    let key = all_but(&committee.aggregate_pubkey, committee.absent.iter())?;
    check(&key, aggregate, signing_root)
}

fn check(key: &PublicKey, aggregate: &SyncAggregate, signing_root: B256) -> Result<(), SignatureError> {
    let signature = signature_point(&aggregate.signature)?;
    match signature.verify(false, signing_root.as_slice(), DST, &[], key, false) {
        BLST_ERROR::BLST_SUCCESS => Ok(()),
        _ => Err(SignatureError::Mismatch),
    }
}

/// Returns the sum of the signers' keys, computed in the way that needs fewer points.
fn signers_key(committee: &SyncCommittee, aggregate: &SyncAggregate) -> Result<PublicKey, SignatureError> {
    let members = || committee.pubkeys.iter().enumerate();
    let signers = aggregate.signers();
    if signers == 0 {
        return Err(SignatureError::NoSigners);
    }
    let absent = aggregate.size.saturating_sub(signers);
    if absent < signers {
        let is_absent = |(member, _): &(usize, _)| !aggregate.has_signed(*member);
        return all_but(&committee.aggregate_pubkey, members().filter(is_absent).map(|(_, key)| key));
    }
    let mut sum: Option<AggregatePublicKey> = None;
    for (_, key) in members().filter(|(member, _)| aggregate.has_signed(*member)) {
        add(&mut sum, key)?;
    }
    usable(sum)
}

/// Returns the sum of all keys minus those of the `absent` members.
fn all_but<'a>(
    all: &PublicKeyBytes,
    absent: impl Iterator<Item = &'a PublicKeyBytes>,
) -> Result<PublicKey, SignatureError> {
    let mut sum: Option<AggregatePublicKey> = None;
    add(&mut sum, all)?;
    for key in absent {
        add(&mut sum, &negated(*key))?;
    }
    usable(sum)
}

/// Returns the sum, if a signature can be checked with it.
fn usable(sum: Option<AggregatePublicKey>) -> Result<PublicKey, SignatureError> {
    let sum = sum.ok_or(SignatureError::NoSigners)?.to_public_key();
    if is_infinity(&sum.to_bytes()) { Err(SignatureError::KeyAtInfinity) } else { Ok(sum) }
}

fn add(sum: &mut Option<AggregatePublicKey>, key: &PublicKeyBytes) -> Result<(), SignatureError> {
    if is_infinity(key.as_slice()) {
        return Err(SignatureError::KeyAtInfinity);
    }
    let key = PublicKey::uncompress(key.as_slice()).map_err(|_| SignatureError::MalformedKey)?;
    match sum {
        None => *sum = Some(AggregatePublicKey::from_public_key(&key)),
        Some(sum) => sum.add_public_key(&key, false).map_err(|_| SignatureError::MalformedKey)?,
    }
    Ok(())
}

/// Returns the negated point. The compressed form holds the sign of y in one bit, so flipping that bit negates the point.
fn negated(mut key: PublicKeyBytes) -> PublicKeyBytes {
    if let Some(first) = key.first_mut() {
        *first ^= 0x20;
    }
    key
}

/// Whether a compressed point is the point at infinity, which a flag bit says.
fn is_infinity(compressed: &[u8]) -> bool {
    compressed.first().is_some_and(|first| first & 0x40 != 0)
}

fn signature_point(bytes: &SignatureBytes) -> Result<Signature, SignatureError> {
    let signature =
        Signature::uncompress(bytes.as_slice()).map_err(|_| SignatureError::MalformedSignature)?;
    match signature.validate(true) {
        Ok(()) => Ok(signature),
        Err(BLST_ERROR::BLST_PK_IS_INFINITY) => Err(SignatureError::SignatureAtInfinity),
        Err(_) => Err(SignatureError::SignatureOutsideSubgroup),
    }
}

#[cfg(test)]
mod tests;
