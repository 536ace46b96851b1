//! Validators with real keys, and the committees drawn from them.

use std::sync::Arc;

use alloy_primitives::{B256, U256, uint};
use blst::min_pk::SecretKey;
use saldo_beacon::container::{PublicKeyBytes, SignatureBytes, SyncAggregate, SyncCommittee};
use saldo_beacon::signature::DST;

use crate::Seed;

/// The order of the BLS12-381 groups: secret keys are numbers below it.
const ORDER: U256 = uint!(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001_U256);
/// How many validators the chain has.
pub(crate) const VALIDATORS: u64 = 64;

/// All validators that can be in a committee.
#[derive(Debug)]
pub(crate) struct Validators {
    seed: Seed,
    keys: Vec<(U256, PublicKeyBytes)>,
}

impl Validators {
    pub(crate) fn new(seed: Seed) -> Self {
        let secret = |index| U256::from_be_bytes(seed.bytes("secret key", index).0).reduce_mod(ORDER);
        let keys = (0..VALIDATORS).map(secret).map(|secret| (secret, public_key(secret))).collect();
        Self { seed, keys }
    }

    /// Draws the committee of `period`: `size` members, with repetition, as on mainnet. Where it is usurped, it is another.
    pub(crate) fn committee(&self, period: u64, size: usize, is_usurped: bool) -> Arc<Committee> {
        let label = if is_usurped { "usurpers" } else { "committee" };
        let seed = self.seed.child(&format!("{label} {period}"));
        let drawn = (0_u64..).take(size).filter_map(|place| {
            let member = seed.below(VALIDATORS, "member", place);
            self.keys.get(usize::try_from(member).ok()?)
        });
        let (secrets, pubkeys): (Vec<U256>, Vec<PublicKeyBytes>) = drawn.copied().unzip();
        let aggregate_pubkey = public_key(sum(secrets.iter()));
        let container = SyncCommittee { pubkeys, aggregate_pubkey };
        Arc::new(Committee { secrets, root: container.hash_tree_root(), container })
    }
}

/// The committee of one period, with its secret keys.
#[derive(Debug)]
pub(crate) struct Committee {
    secrets: Vec<U256>,
    pub(crate) container: SyncCommittee,
    pub(crate) root: B256,
}

impl Committee {
    pub(crate) fn size(&self) -> usize {
        self.secrets.len()
    }

    /// The signature of `signers` members (at most all) over `signing_root`. Who is absent depends on `turn`.
    pub(crate) fn sign(&self, signing_root: B256, signers: usize, turn: u64) -> SyncAggregate {
        let size = self.size();
        let first = usize::try_from(turn).ok().and_then(|turn| turn.checked_rem(size)).unwrap_or(0);
        let signed = |member: usize| {
            let behind = member
                .checked_sub(first)
                .unwrap_or_else(|| member.saturating_add(size).saturating_sub(first));
            behind < signers
        };
        let mut bits = vec![0_u8; size.div_ceil(8)];
        for member in (0..size).filter(|member| signed(*member)) {
            if let Some(byte) = bits.get_mut(member / 8) {
                *byte |= 1 << (member % 8);
            }
        }
        let present = (0..).zip(&self.secrets).filter(|(member, _)| signed(*member));
        let secret = sum(present.map(|(_, secret)| secret));
        SyncAggregate { bits, size, signature: signature(secret, signing_root) }
    }
}

/// The sum of secret keys signs for all of them: signatures are linear in the key.
fn sum<'a>(secrets: impl Iterator<Item = &'a U256>) -> U256 {
    secrets.fold(U256::ZERO, |sum, secret| sum.add_mod(*secret, ORDER))
}

fn secret_key(secret: U256) -> Option<SecretKey> {
    SecretKey::from_bytes(&secret.to_be_bytes::<32>()).ok()
}

/// The public key of `secret`; of 0, the point at infinity.
fn public_key(secret: U256) -> PublicKeyBytes {
    secret_key(secret).map_or_else(|| infinity().into(), |key| key.sk_to_pk().to_bytes().into())
}

/// The signature of `secret`; of 0, the point at infinity, which is also what an empty block carries.
fn signature(secret: U256, signing_root: B256) -> SignatureBytes {
    secret_key(secret).map_or_else(
        || infinity().into(),
        |key| key.sign(signing_root.as_slice(), DST, &[]).to_bytes().into(),
    )
}

/// The point at infinity, compressed.
fn infinity<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    if let Some(first) = bytes.first_mut() {
        *first = 0xc0;
    }
    bytes
}
