//! A proof file with anything changed proves nothing: neither a bit of it, nor a part that is true elsewhere.

use alloy_primitives::{B256, Bytes, U256};
use saldo::proof_files::limit::MAX_BYTES;
use saldo::proof_files::{BalanceProof, Committee, FileError, Form, Trust, TrustRoot, verify};
use saldo::{Checkpoint, Slot};
use saldo_beacon::container::CondensedCommittee;
use saldo_beacon::signature::SignatureError;
use saldo_beacon::unit::Period;
use saldo_beacon::{AdvanceError, BootstrapError, CondensedError};
use saldo_chain::HeaderError;
use saldo_drill::{Chain, Seed};
use saldo_proof::ProofError;
use saldo_tests::native;
use saldo_tests::scene::{ALICE, BOB, Scene, UNUSED};
use saldo_tests::token::{USDC, WETH, deploy, erc20, layout, set_word};
use saldo_tests::travel::{Parts, committee_root, file, proven, read, reader, replaced, trusting};

const FORMS: [Form; 2] = [Form::Complete, Form::Compact];

fn scene(seed: u64) -> Scene {
    let scene = Scene::new(seed, 1, 1);
    deploy(&scene.chain);
    for owner in [ALICE, BOB] {
        set_word(&scene.chain, WETH, "WETH9", owner, U256::from(11));
        set_word(&scene.chain, USDC, "FiatTokenV2_2", owner, U256::from(13));
    }
    scene.pass_slots(4);
    scene
}

fn refusal(bytes: &[u8], trust: &Trust) -> FileError {
    match verify(bytes, trust) {
        Err(refusal) => refusal,
        Ok(verified) => panic!("it verifies: {verified:?}"),
    }
}

macro_rules! assert_refused {
    ($bytes:expr, $trust:expr, $pattern:pat $(if $guard:expr)?) => {
        let refused = refusal($bytes, $trust);
        assert!(matches!(&refused, $pattern $(if $guard)?), "{refused:?}");
    };
}

/// One bit of each byte, and each byte of some.
#[test]
fn a_flipped_bit_anywhere_is_refused() {
    let scene = scene(1);
    let seed = Seed::new(1);
    for form in FORMS {
        let made = file(&scene, &[native(ALICE), erc20(ALICE, WETH), erc20(UNUSED, USDC)], form);
        let (bytes, trust) = (made.encode(), reader(&scene.chain, &made));
        assert!(verify(&bytes, &trust).is_ok());
        for (at, number) in (0..bytes.len()).zip(0..) {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << seed.below(8, "bit", number);
            if let Ok(verified) = verify(&changed, &trust) {
                panic!("{form:?}: byte {at} of {} changed, and it verifies: {verified:?}", bytes.len());
            }
        }
    }
}

#[test]
fn a_cut_or_longer_file_is_refused() {
    let scene = scene(2);
    for form in FORMS {
        let made = file(&scene, &[native(ALICE)], form);
        let (bytes, trust) = (made.encode(), reader(&scene.chain, &made));
        for length in 0..bytes.len() {
            let _ = refusal(&bytes[..length], &trust);
        }
        for more in [&[0][..], &[0xff], &[0; 4], &bytes] {
            let _ = refusal(&[&bytes, more].concat(), &trust);
        }
        assert_refused!(b"", &trust, FileError::NotAProofFile);
        assert_refused!(&bytes[..9], &trust, FileError::Malformed { what: "the file" });
    }
}

#[test]
fn a_file_of_another_network_is_refused() {
    let scene = scene(3);
    let other_id = Chain::builder(3).chain_id(5).build();
    let other_genesis = Chain::builder(77).build();
    for form in FORMS {
        let made = file(&scene, &[native(ALICE)], form);
        let trust = trusting(&other_id, made.claimed_checkpoint());
        assert_refused!(&made.encode(), &trust, FileError::OtherNetwork { expected: 5, .. });
        let trust = trusting(&other_genesis, made.claimed_checkpoint());
        assert_refused!(&made.encode(), &trust, FileError::OtherGenesis { .. });
        // The names of the other network do not help: the signature is bound to its own.
        let root = scene.chain.network().genesis_validators_root();
        let other = other_genesis.network().genesis_validators_root();
        let (renamed, count) = replaced(&made.encode(), root.as_slice(), other.as_slice());
        assert_eq!(count, 1);
        let trust = trusting(&other_genesis, made.claimed_checkpoint());
        let _ = refusal(&renamed, &trust);
    }
}

#[test]
fn another_checkpoint_or_committee_is_refused() {
    let scene = scene(4);
    scene.pass_slots(64);
    let network = scene.chain.network();
    let other = Checkpoint { root: B256::repeat_byte(9), slot: None };
    let complete = file(&scene, &[native(ALICE)], Form::Complete);
    let trust = trusting(&scene.chain, other);
    assert_refused!(&complete.encode(), &trust, FileError::Bootstrap(BootstrapError::WrongRoot { .. }));
    let claimed = complete.claimed_checkpoint();
    let late = Checkpoint { slot: Some(Slot::new(3)), ..claimed };
    let trust = trusting(&scene.chain, late);
    assert_refused!(&complete.encode(), &trust, FileError::Bootstrap(BootstrapError::WrongSlot { .. }));

    let compact = file(&scene, &[native(ALICE)], Form::Compact);
    let trust = trusting(&scene.chain, other);
    let is_other = |error: &CondensedError| matches!(error, CondensedError::OtherBlock { .. });
    assert_refused!(&compact.encode(), &trust, FileError::Committee(error) if is_other(error));
    let trust =
        trusting(&scene.chain, Checkpoint { slot: Some(Slot::new(3)), ..compact.claimed_checkpoint() });
    assert_refused!(&compact.encode(), &trust, FileError::Committee(error) if is_other(error));
    // The committee of the period before.
    let period = network.period_at(compact.head().signature_slot);
    let before = committee_root(&scene.chain, claimed.root);
    for period in [None, Some(period), Some(Period::new(0))] {
        let trust = Trust::new(network.clone(), TrustRoot::Committee { root: before, period });
        let is_other = |error: &CondensedError| matches!(error, CondensedError::OtherCommittee { .. });
        assert_refused!(&compact.encode(), &trust, FileError::Committee(error) if is_other(error));
    }
    // The right committee, and another period than it signs in.
    let Committee::Compact(proof) = compact.committee() else { panic!() };
    let root = proof.committee.hash_tree_root(&compact.head().sync_aggregate).unwrap();
    let later = Some(period.saturating_add(1));
    let trust = Trust::new(network.clone(), TrustRoot::Committee { root, period: later });
    let is_other = |error: &CondensedError| matches!(error, CondensedError::OtherPeriod { .. });
    assert_refused!(&compact.encode(), &trust, FileError::Committee(error) if is_other(error));
    let trust = Trust::new(network, TrustRoot::Committee { root, period: Some(period) });
    assert!(verify(&compact.encode(), &trust).is_ok());
}

/// Who signed is part of what is proven: the sum of the keys is another one.
#[test]
fn absent_and_present_members_cannot_be_exchanged() {
    let scene = scene(5);
    scene.chain.set_signers(Some(25));
    scene.pass_slots(3);
    let made = file(&scene, &[native(ALICE)], Form::Compact);
    let Committee::Compact(proof) = made.committee() else { panic!() };
    let aggregate = &made.head().sync_aggregate;
    assert_eq!(aggregate.signers(), 25);
    let whole = scene.chain.bootstrap(proof.named_by.hash_tree_root()).unwrap().current_sync_committee;
    let root = whole.hash_tree_root();
    let period = Some(scene.chain.network().period_at(made.head().signature_slot));
    let by_root = Trust::new(scene.chain.network(), TrustRoot::Committee { root, period });
    assert!(verify(&made.encode(), &by_root).is_ok());
    for member in 0..32 {
        let mut parts = Parts::of(&scene.chain, &made);
        parts.head.sync_aggregate.bits[member / 8] ^= 1 << (member % 8);
        // The proof of the keys as before does not fit the bits.
        let lies = parts.file();
        assert!(verify(&lies.encode(), &by_root).is_err());
        // It fits, and the signature does not hold.
        let mut fitting = (**proof).clone();
        fitting.committee = CondensedCommittee::of(&whole, &parts.head.sync_aggregate);
        parts.committee = Committee::Compact(Box::new(fitting));
        let lies = parts.file();
        let is_mismatch = |error: &CondensedError| {
            matches!(error, CondensedError::Update(AdvanceError::Signature(SignatureError::Mismatch)))
        };
        assert_refused!(&lies.encode(), &by_root, FileError::Committee(error) if is_mismatch(error));
    }
    for place in 0..proof.committee.absent.len() {
        let mut parts = Parts::of(&scene.chain, &made);
        let mut false_key = (**proof).clone();
        false_key.committee.absent[place] = whole.aggregate_pubkey;
        parts.committee = Committee::Compact(Box::new(false_key));
        let lies = parts.file();
        let is_other = |error: &CondensedError| matches!(error, CondensedError::OtherCommittee { .. });
        assert_refused!(&lies.encode(), &by_root, FileError::Committee(error) if is_other(error));
        let is_unproven = |error: &CondensedError| matches!(error, CondensedError::CommitteeBranch);
        let by_block = reader(&scene.chain, &made);
        assert_refused!(&lies.encode(), &by_block, FileError::Committee(error) if is_unproven(error));
    }
    for place in 0..proof.committee.siblings.len() {
        let mut parts = Parts::of(&scene.chain, &made);
        let mut other = (**proof).clone();
        other.committee.siblings[place] = B256::repeat_byte(3);
        parts.committee = Committee::Compact(Box::new(other.clone()));
        let is_other = |error: &CondensedError| matches!(error, CondensedError::OtherCommittee { .. });
        assert_refused!(&parts.file().encode(), &by_root, FileError::Committee(error) if is_other(error));
        other.committee.siblings.remove(place);
        parts.committee = Committee::Compact(Box::new(other));
        let is_short = |error: &CondensedError| matches!(error, CondensedError::Members);
        assert_refused!(&parts.file().encode(), &by_root, FileError::Committee(error) if is_short(error));
    }
}

#[test]
fn fewer_than_two_thirds_prove_nothing() {
    let scene = scene(6);
    for form in FORMS {
        let made = file(&scene, &[native(ALICE)], form);
        for (signers, is_enough) in [(21, false), (22, true), (1, false)] {
            let mut parts = Parts::of(&scene.chain, &made);
            scene.chain.sign(&mut parts.head, signers);
            if let Committee::Compact(proof) = &mut parts.committee {
                let root = proof.named_by.hash_tree_root();
                let whole = scene.chain.bootstrap(root).unwrap().current_sync_committee;
                proof.committee = CondensedCommittee::of(&whole, &parts.head.sync_aggregate);
            }
            let outcome = read(&scene.chain, &parts.file());
            assert_eq!(outcome.is_ok(), is_enough, "{form:?} {signers}: {outcome:?}");
            let too_few = |error: &AdvanceError| matches!(error, AdvanceError::TooFewSigners { .. });
            match outcome {
                Ok(verified) => assert_eq!(verified.signers(), signers),
                Err(FileError::Update(error)) => assert!(too_few(&error), "{error:?}"),
                Err(FileError::Committee(error)) => {
                    let CondensedError::Update(error) = *error else { panic!("{error:?}") };
                    assert!(too_few(&error), "{error:?}");
                }
                Err(other) => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn the_proof_of_another_account_or_slot_is_refused() {
    let scene = scene(7);
    for form in FORMS {
        let made = file(&scene, &[native(ALICE)], form);
        let trust = reader(&scene.chain, &made);
        // The proof of Alice's account, presented as Bob's.
        let (renamed, count) = replaced(&made.encode(), ALICE.as_slice(), BOB.as_slice());
        assert_eq!(count, 2, "the holding and the account");
        assert_refused!(
            &renamed,
            &trust,
            FileError::Proof {
                address: BOB,
                error: ProofError::HashMismatch { .. }
                    | ProofError::Truncated { .. }
                    | ProofError::ExtraNodes { .. }
            }
        );
        // A holding of Bob, with a true proof of Alice's account.
        let mut parts = Parts::of(&scene.chain, &made);
        parts.state.add_holding(native(BOB));
        let refused = refusal(&parts.file().encode(), &trust);
        assert!(
            matches!(&refused, FileError::NotProven { holding } if **holding == native(BOB)),
            "{refused:?}"
        );

        let made = file(&scene, &[erc20(ALICE, WETH)], form);
        let trust = reader(&scene.chain, &made);
        let key = |owner| layout("WETH9").mapping.slot(owner);
        // The proof of Alice's slot, presented as that of Bob's slot.
        let (renamed, count) = replaced(&made.encode(), key(ALICE).as_slice(), key(BOB).as_slice());
        assert_eq!(count, 1);
        assert_refused!(&renamed, &trust, FileError::Proof { address: WETH, .. });
        // A true proof of an empty slot that is not the one of the balance.
        let (renamed, _) = replaced(&made.encode(), ALICE.as_slice(), BOB.as_slice());
        let refused = refusal(&renamed, &trust);
        let bobs = erc20(BOB, WETH);
        assert!(matches!(&refused, FileError::NotProven { holding } if **holding == bobs), "{refused:?}");
        // The token's address, with the account of another contract.
        let (renamed, _) = replaced(&made.encode(), WETH.as_slice(), USDC.as_slice());
        assert_refused!(&renamed, &trust, FileError::Proof { address: USDC, .. });
    }
}

#[test]
fn a_header_that_is_not_linked_is_refused() {
    let scene = scene(8);
    // Nothing becomes final between the first read and the last, so that the file begins at the newest signed block.
    scene.chain.stall_finality(true);
    scene.pass_slots(8);
    let _ = scene.balance(BOB);
    scene.pass_slots(1);
    let reading = proven(&scene, &[native(ALICE)]);
    scene.pass_slots(4);
    let later = scene.balance(BOB);
    let later = later.proven().unwrap_or_else(|| panic!("{later:?}"));
    assert!(later.anchor().number() >= reading[0].anchor().number() + 3, "{later:?}");
    for form in FORMS {
        let made = scene.simulation.run(scene.client.proof(&reading, form)).unwrap();
        let trust = reader(&scene.chain, &made);
        let length = made.headers().len();
        assert!(length >= 2, "{length}");
        for place in 0..length {
            let mut parts = Parts::of(&scene.chain, &made);
            parts.headers.remove(place);
            let _ = refusal(&parts.file().encode(), &trust);
            let mut parts = Parts::of(&scene.chain, &made);
            parts.headers[place] = Bytes::from([parts.headers[place].as_ref(), &[0]].concat());
            let refused = refusal(&parts.file().encode(), &trust);
            let is_of = |at: usize| at == place;
            assert!(
                matches!(refused, FileError::Header { place, error: HeaderError::HashMismatch { .. } } if is_of(place)),
                "{refused:?}"
            );
        }
        let mut parts = Parts::of(&scene.chain, &made);
        parts.headers.reverse();
        assert_refused!(&parts.file().encode(), &trust, FileError::Header { place: 0, .. });
        // All headers are of the chain, and the proofs are of another of its blocks.
        let mut parts = Parts::of(&scene.chain, &made);
        parts.headers.pop();
        assert_refused!(&parts.file().encode(), &trust, FileError::Proof { address: ALICE, .. });
    }
}

#[test]
fn another_order_of_the_same_content_is_refused() {
    let scene = scene(9);
    let made = file(&scene, &[native(ALICE), native(BOB)], Form::Compact);
    let (bytes, trust) = (made.encode(), reader(&scene.chain, &made));
    let exchanged = |first: &[u8], second: &[u8]| {
        let (marked, _) = replaced(&bytes, first, &vec![0xfe; first.len()]);
        let (half, _) = replaced(&marked, second, first);
        replaced(&half, &vec![0xfe; first.len()], second).0
    };
    // The holdings are the first place of both addresses, with the kind of asset behind each.
    let holding = |owner: alloy_primitives::Address| [owner.as_slice(), &[0; 21]].concat();
    assert_refused!(&exchanged(&holding(ALICE), &holding(BOB)), &trust, FileError::NotCanonical);
    // The same file, with another slot of the signature, which no signature covers.
    let slot = made.head().signature_slot;
    let (later, count) = replaced(&bytes, &slot.get().to_le_bytes(), &(slot.get() + 1).to_le_bytes());
    assert_eq!(count, 1);
    assert_refused!(&later, &trust, FileError::NotCanonical);
    let mut parts = Parts::of(&scene.chain, &made);
    parts.head.signature_slot = parts.head.signature_slot.saturating_add(1);
    assert_eq!(parts.file().encode(), bytes);
    let mut parts = Parts::of(&scene.chain, &made);
    parts.state = saldo::proof_files::StateProof::new();
    assert_refused!(&parts.file().encode(), &trust, FileError::NoHolding);
    let mut parts = Parts::of(&scene.chain, &made);
    parts.state.add_code(Bytes::from_static(&[1, 2, 3]));
    assert_refused!(&parts.file().encode(), &trust, FileError::UnusedCode);
}

/// Each limit is checked before memory is taken for what the bytes claim.
#[test]
fn oversize_parts_take_no_memory() {
    let scene = scene(10);
    let made = file(&scene, &[native(ALICE)], Form::Compact);
    let trust = reader(&scene.chain, &made);
    assert_refused!(&vec![0x89; MAX_BYTES + 1], &trust, FileError::TooLarge { .. });
    let bytes = made.encode();
    let grown = |parts: &dyn Fn(&mut Parts)| {
        let mut changed = Parts::of(&scene.chain, &made);
        parts(&mut changed);
        changed.file().encode()
    };
    let headers = grown(&|parts| parts.headers = vec![Bytes::new(); 66]);
    assert_refused!(&headers, &trust, FileError::TooMany { what: "the headers", got: 66, limit: 65 });
    let header = grown(&|parts| parts.headers = vec![vec![0; 4_097].into()]);
    assert_refused!(&header, &trust, FileError::TooMany { what: "the headers", got: 4_097, .. });
    let codes = grown(&|parts| {
        (0..257_u64).for_each(|code| parts.state.add_code(code.to_be_bytes().to_vec().into()));
    });
    assert_refused!(&codes, &trust, FileError::TooMany { what: "the codes", got: 257, .. });
    let code = grown(&|parts| parts.state.add_code(vec![0; 65_537].into()));
    assert_refused!(&code, &trust, FileError::TooMany { what: "the codes", .. });
    let node = grown(&|parts| parts.state.add_account(BOB, vec![vec![0; 1_025].into()]));
    assert_refused!(&node, &trust, FileError::TooMany { what: "the nodes", got: 1_025, .. });
    let path = grown(&|parts| parts.state.add_account(BOB, vec![Bytes::from_static(&[1]); 66]));
    assert_refused!(&path, &trust, FileError::TooMany { what: "the nodes of a proof", got: 66, .. });
    let owner =
        |number: u64| alloy_primitives::Address::from_slice(&[&[0; 12], &number.to_be_bytes()[..]].concat());
    let holdings = grown(&|parts| (0..256).for_each(|number| parts.state.add_holding(native(owner(number)))));
    assert_refused!(&holdings, &trust, FileError::TooMany { what: "the holdings", got: 257, .. });
    let places = grown(&|parts| {
        let nodes = vec![Bytes::from_static(&[1]); 65];
        (0..1_020).for_each(|number| parts.state.add_account(owner(number), nodes.clone()));
    });
    assert_refused!(&places, &trust, FileError::TooMany { what: "the nodes of all proofs", .. });
    // Four offsets of 4 GiB, and lists that claim a billion entries.
    for at in (50..bytes.len() - 4).step_by(3) {
        let mut changed = bytes.clone();
        changed[at..at + 4].copy_from_slice(&[0xfc, 0xff, 0xff, 0x3f]);
        let count = allocation_counter::measure(|| drop(verify(&changed, &trust)));
        assert!(count.bytes_max < 4 << 20, "{at}: {count:?}");
    }
    let seen = BalanceProof::decode(&bytes, &scene.chain.network()).unwrap();
    assert_eq!(seen, made);
}
