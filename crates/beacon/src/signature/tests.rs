use blst::min_pk::SecretKey;

use super::*;
use crate::container::SignatureBytes;

const SIZE: usize = 8;

fn secret(member: usize) -> SecretKey {
    SecretKey::key_gen(&[u8::try_from(member).unwrap(); 32], &[]).unwrap()
}

fn committee(members: &[usize]) -> SyncCommittee {
    let keys: Vec<PublicKey> = members.iter().map(|member| secret(*member).sk_to_pk()).collect();
    let references: Vec<&PublicKey> = keys.iter().collect();
    let sum = AggregatePublicKey::aggregate(&references, false).unwrap().to_public_key();
    SyncCommittee {
        pubkeys: keys.iter().map(|key| key.compress().into()).collect(),
        aggregate_pubkey: sum.compress().into(),
    }
}

fn signed(members: &[usize], present: &[usize], message: B256) -> SyncAggregate {
    let mut bits = vec![0; SIZE.div_ceil(8)];
    let signatures: Vec<Signature> = present
        .iter()
        .map(|position| {
            bits[position / 8] |= 1 << (position % 8);
            secret(members[*position]).sign(message.as_slice(), DST, &[])
        })
        .collect();
    let references: Vec<&Signature> = signatures.iter().collect();
    let sum = blst::min_pk::AggregateSignature::aggregate(&references, false).unwrap().to_signature();
    SyncAggregate { bits, size: SIZE, signature: sum.compress().into() }
}

const MEMBERS: [usize; SIZE] = [1, 2, 3, 4, 5, 6, 6, 1];
const MESSAGE: B256 = B256::repeat_byte(0x11);

#[test]
fn signatures_verify_whether_keys_are_added_or_subtracted() {
    for present in
        [&[0][..], &[0, 7], &[0, 1, 2, 3], &[0, 1, 2, 3, 4], &[1, 2, 3, 4, 5, 6], &[0, 1, 2, 3, 4, 5, 6, 7]]
    {
        let aggregate = signed(&MEMBERS, present, MESSAGE);
        assert_eq!(verify(&committee(&MEMBERS), &aggregate, MESSAGE), Ok(()), "{present:?}");
        assert_eq!(verify(&committee(&MEMBERS), &aggregate, B256::ZERO), Err(SignatureError::Mismatch));
    }
}

/// Absent members are subtracted by flipping the bit of a key that holds the sign of its y.
#[test]
fn every_single_absent_member_is_subtracted() {
    let members = [1, 2, 3, 4, 5, 6, 7, 8];
    let committee = committee(&members);
    let signs: Vec<bool> = committee.pubkeys.iter().map(|key| key[0] & 0x20 != 0).collect();
    assert!(signs.contains(&true) && signs.contains(&false), "{signs:?}");
    for absent in 0..SIZE {
        let present: Vec<usize> = (0..SIZE).filter(|member| *member != absent).collect();
        assert_eq!(verify(&committee, &signed(&members, &present, MESSAGE), MESSAGE), Ok(()), "{absent}");
    }
}

#[test]
fn bits_that_claim_other_signers_do_not_verify() {
    let mut aggregate = signed(&MEMBERS, &[0, 1, 2, 3, 4, 5], MESSAGE);
    aggregate.bits = vec![0b0111_1110];
    assert_eq!(verify(&committee(&MEMBERS), &aggregate, MESSAGE), Err(SignatureError::Mismatch));
}

#[test]
fn a_signature_without_signers_is_refused() {
    let aggregate = SyncAggregate { bits: vec![0], size: SIZE, signature: SignatureBytes::ZERO };
    assert_eq!(verify(&committee(&MEMBERS), &aggregate, MESSAGE), Err(SignatureError::NoSigners));
}

#[test]
fn a_committee_of_another_size_is_refused() {
    let aggregate = SyncAggregate { bits: vec![0xff, 0xff], size: 16, signature: SignatureBytes::ZERO };
    let refusal = SignatureError::CommitteeSize { bits: 16, committee: SIZE };
    assert_eq!(verify(&committee(&MEMBERS), &aggregate, MESSAGE), Err(refusal));
}

fn infinity<const N: usize>() -> alloy_primitives::FixedBytes<N> {
    let mut bytes = alloy_primitives::FixedBytes::ZERO;
    bytes[0] = 0xc0;
    bytes
}

#[test]
fn points_at_infinity_are_refused() {
    let mut aggregate = signed(&MEMBERS, &[0, 1, 2, 3, 4, 5, 6, 7], MESSAGE);
    let mut keyless = committee(&MEMBERS);
    keyless.aggregate_pubkey = infinity();
    assert_eq!(verify(&keyless, &aggregate, MESSAGE), Err(SignatureError::KeyAtInfinity));
    aggregate.signature = infinity();
    assert_eq!(verify(&committee(&MEMBERS), &aggregate, MESSAGE), Err(SignatureError::SignatureAtInfinity));
}

#[test]
fn keys_that_cancel_out_are_refused() {
    let mut cancelling = committee(&MEMBERS);
    cancelling.pubkeys[1] = negated(cancelling.pubkeys[0]);
    let aggregate = SyncAggregate { bits: vec![0b0000_0011], size: SIZE, signature: infinity() };
    assert_eq!(verify(&cancelling, &aggregate, MESSAGE), Err(SignatureError::KeyAtInfinity));
}

#[test]
fn malformed_points_are_refused() {
    let mut aggregate = signed(&MEMBERS, &[0, 1, 2, 3, 4, 5], MESSAGE);
    let mut broken = committee(&MEMBERS);
    broken.pubkeys[6] = PublicKeyBytes::ZERO;
    assert_eq!(verify(&broken, &aggregate, MESSAGE), Err(SignatureError::MalformedKey));
    aggregate.signature = SignatureBytes::ZERO;
    assert_eq!(verify(&committee(&MEMBERS), &aggregate, MESSAGE), Err(SignatureError::MalformedSignature));
}

/// Nearly every point of the curve over the extension field lies outside the subgroup, so the first x that is on the
/// curve gives one.
#[test]
fn a_signature_outside_the_subgroup_is_refused() {
    let outside = (1..=u8::MAX).find_map(|x| {
        let mut bytes = SignatureBytes::ZERO;
        bytes[0] = 0x80;
        bytes[95] = x;
        Signature::uncompress(bytes.as_slice()).ok().filter(|point| !point.subgroup_check()).map(|_| bytes)
    });
    let mut aggregate = signed(&MEMBERS, &[0, 1, 2, 3, 4, 5], MESSAGE);
    aggregate.signature = outside.unwrap();
    assert_eq!(
        verify(&committee(&MEMBERS), &aggregate, MESSAGE),
        Err(SignatureError::SignatureOutsideSubgroup)
    );
}

#[test]
fn the_domain_binds_type_fork_and_network() {
    let domain = compute_domain(DOMAIN_SYNC_COMMITTEE, [6, 0, 0, 0], MESSAGE);
    assert_eq!(domain[..4], DOMAIN_SYNC_COMMITTEE);
    assert_eq!(domain[4..], compute_fork_data_root([6, 0, 0, 0], MESSAGE)[..28]);
}
