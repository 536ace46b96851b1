//! A proven balance becomes a file, and a person with nothing but a trusted root reads the same amount from it.

use std::time::Duration;

use alloy_primitives::U256;
use saldo::proof_files::{
    BalanceProof, Committee, FileError, Form, MAGIC, RestsOn, Trust, TrustRoot, VERSION, verify,
};
use saldo::{Checkpoint, Clock, Derivation, Policy, ProofFileError};
use saldo_beacon::Fork;
use saldo_beacon::unit::Period;
use saldo_drill::{Chain, Fault};
use saldo_tests::assembler::{plain_token, slot_of};
use saldo_tests::native;
use saldo_tests::scene::{ALICE, BEFORE, BOB, Scene, UNUSED};
use saldo_tests::token::{CLONE, UNKNOWN, USDC, USDT, WETH, deploy, erc20, set_word};
use saldo_tests::travel::{committee_root, file, proven, read, reader, trusting};

const FORMS: [Form; 2] = [Form::Complete, Form::Compact];

fn scene(seed: u64) -> Scene {
    let scene = Scene::new(seed, 2, 1);
    deploy(&scene.chain);
    for (token, name, word) in [
        (WETH, "WETH9", 11_u64),
        (USDT, "TetherToken", 12),
        (USDC, "FiatTokenV2_2", 13),
        (CLONE, "WETH9", 14),
    ] {
        set_word(&scene.chain, token, name, ALICE, U256::from(word));
        set_word(&scene.chain, token, name, BOB, U256::from(1));
    }
    scene.chain.set_code(UNKNOWN, plain_token(0));
    scene.chain.set_storage(UNKNOWN, slot_of(ALICE, 0), U256::from(15));
    scene.chain.set_storage(UNKNOWN, slot_of(BOB, 0), U256::from(1));
    scene.pass_slots(4);
    scene
}

#[test]
fn another_person_reads_the_same_amount() {
    let scene = scene(1);
    for form in FORMS {
        for (holding, amount) in [
            (native(ALICE), BEFORE),
            (native(UNUSED), U256::ZERO),
            (erc20(ALICE, WETH), U256::from(11)),
            (erc20(ALICE, USDT), U256::from(12)),
            (erc20(ALICE, USDC), U256::from(13)),
            (erc20(ALICE, CLONE), U256::from(14)),
            (erc20(ALICE, UNKNOWN), U256::from(15)),
            (erc20(UNUSED, UNKNOWN), U256::ZERO),
        ] {
            let reading = proven(&scene, &[holding]).remove(0);
            let file = file(&scene, &[holding], form);
            let bytes = file.encode();
            assert_eq!((&bytes[..8], file.form()), (&MAGIC[..], form));
            assert_eq!(bytes[8..10], VERSION.to_le_bytes());
            assert_eq!(BalanceProof::decode(&bytes, &scene.chain.network()).unwrap().encode(), bytes);
            let verified = verify(&bytes, &reader(&scene.chain, &file)).unwrap();
            let [held] = verified.holdings() else { panic!("{verified:?}") };
            assert_eq!((*held.holding(), held.amount()), (holding, amount), "{form:?}");
            let anchor = reading.anchor();
            assert_eq!((verified.number(), verified.hash()), (anchor.number(), anchor.hash()));
            assert_eq!((verified.time(), verified.state_root()), (anchor.timestamp(), anchor.state_root()));
            assert_eq!((verified.committee_size(), verified.depth()), (32, 0));
            assert!(verified.signers() * 3 >= 64);
            let is_executed = matches!(held.derivation(), Some(Derivation::Executed { .. }));
            assert_eq!(is_executed, holding.asset() == saldo::Asset::Erc20(UNKNOWN));
        }
    }
}

#[test]
fn several_holdings_share_one_file() {
    let scene = scene(2);
    let holdings = [native(ALICE), erc20(ALICE, WETH), erc20(ALICE, USDC), erc20(ALICE, UNKNOWN)];
    for form in FORMS {
        let all = file(&scene, &holdings, form);
        let amounts: Vec<U256> =
            read(&scene.chain, &all).unwrap().holdings().iter().map(|held| held.amount()).collect();
        assert_eq!(amounts, [BEFORE, U256::from(11), U256::from(13), U256::from(15)]);
        let alone: usize = holdings.iter().map(|one| file(&scene, &[*one], form).encode().len()).sum();
        assert!(all.encode().len() < alone);
        let doubled = file(&scene, &[holdings[0], holdings[0]], form);
        assert_eq!(read(&scene.chain, &doubled).unwrap().holdings().len(), 1);
    }
}

/// The committee of a later period follows by one update for each period.
#[test]
fn it_is_followed_across_periods() {
    let scene = Scene::new(3, 1, 1);
    let start = scene.chain.checkpoint();
    for (periods, count) in [(1_u64, 1_usize), (2, 2)] {
        scene.pass_slots(64);
        let complete = file(&scene, &[native(ALICE)], Form::Complete);
        let Committee::Complete { updates, .. } = complete.committee() else { panic!() };
        assert_eq!(updates.len(), count);
        assert_eq!(complete.claimed_checkpoint().root, start.root);
        let verified = verify(&complete.encode(), &trusting(&scene.chain, start)).unwrap();
        let RestsOn::Checkpoint { root, from, to, .. } = *verified.rests_on() else { panic!() };
        assert_eq!((root, to.since(from)), (start.root, Some(periods)));
        assert!(verified.rests_on().to_string().contains(&start.root.to_string()));
    }
}

/// A reader of a compact file knows the root of the committee, from any source that the reader trusts.
#[test]
fn a_compact_file_needs_one_committee_root() {
    let scene = Scene::new(4, 1, 1);
    let compact = file(&scene, &[native(ALICE)], Form::Compact);
    let named_by = compact.claimed_checkpoint();
    let root = committee_root(&scene.chain, named_by.root);
    let network = scene.chain.network();
    let period = network.period_at(compact.head().signature_slot);
    for known in [None, Some(period)] {
        let trust = Trust::new(network.clone(), TrustRoot::Committee { root, period: known });
        let verified = verify(&compact.encode(), &trust).unwrap();
        assert_eq!(*verified.rests_on(), RestsOn::Committee { root, period });
        assert_eq!(verified.holdings()[0].amount(), BEFORE);
    }
    let complete = file(&scene, &[native(ALICE)], Form::Complete);
    let trust = Trust::new(network, TrustRoot::Committee { root, period: Some(Period::new(0)) });
    let refusal = verify(&complete.encode(), &trust);
    assert!(matches!(refusal, Err(FileError::NeedsCheckpoint)), "{refusal:?}");
}

/// The headers between the newest signed block and that of the reading are in the file.
#[test]
fn an_older_reading_is_reached_by_its_headers() {
    let scene = Scene::new(5, 1, 1);
    let reading = proven(&scene, &[native(ALICE)]);
    for form in FORMS {
        scene.chain.set_balance(ALICE, U256::from(3));
        scene.pass_slots(5);
        let _ = scene.balance(BOB);
        let made = scene.simulation.run(scene.client.proof(&reading, form)).unwrap();
        let verified = read(&scene.chain, &made).unwrap();
        assert_eq!(verified.hash(), reading[0].anchor().hash());
        assert_eq!(verified.holdings()[0].amount(), BEFORE);
        assert!(verified.depth() >= 1 && verified.depth() == made.headers().len(), "{}", verified.depth());
    }
    scene.pass_slots(80);
    let _ = scene.balance(BOB);
    let late = scene.simulation.run(scene.client.proof(&reading, Form::Compact));
    assert!(matches!(late, Err(ProofFileError::TooDeep)), "{late:?}");
}

#[test]
fn a_finalized_reading_stays_finalized() {
    let scene = Scene::new(6, 1, 1);
    scene.pass_slots(40);
    let holding = [native(ALICE)];
    let readings = scene.simulation.run(scene.client.finalized(&holding));
    let reading = vec![readings[0].proven().unwrap_or_else(|| panic!("{readings:?}")).clone()];
    for form in FORMS {
        let made = scene.simulation.run(scene.client.proof(&reading, form)).unwrap();
        let verified = read(&scene.chain, &made).unwrap();
        assert!(verified.is_finalized());
        assert_eq!(verified.hash(), reading[0].anchor().hash());
        let mut signed = saldo_tests::travel::Parts::of(&scene.chain, &made);
        signed.head.finality = None;
        assert!(!read(&scene.chain, &signed.file()).is_ok_and(|verified| verified.is_finalized()));
    }
}

/// From Gloas on the signed block has only the hash of an execution block: the header is in the file.
#[test]
fn a_head_of_gloas_has_its_header_beside_it() {
    let chain = Chain::builder(7).fork(Fork::Gloas).accounts([(ALICE, BEFORE), (BOB, U256::from(7))]);
    let scene = Scene::of(chain.build(), 7, 1, 1, Policy::signed());
    for form in FORMS {
        let made = file(&scene, &[native(ALICE)], form);
        assert_eq!(made.headers().len(), 1);
        let verified = read(&scene.chain, &made).unwrap();
        assert_eq!((verified.holdings()[0].amount(), verified.depth()), (BEFORE, 0));
        let mut without = saldo_tests::travel::Parts::of(&scene.chain, &made);
        without.headers.clear();
        let refusal = read(&scene.chain, &without.file());
        assert!(matches!(refusal, Err(FileError::Malformed { what: "the headers" })), "{refusal:?}");
    }
}

/// Only providers that know of the address are asked again, and a file that cannot be made is an error with the attempts.
#[test]
fn no_other_provider_learns_of_the_address() {
    let scene = Scene::with_policy(8, 2, 1, Policy { operators_per_address: 1, ..Policy::signed() });
    let reading = proven(&scene, &[native(ALICE)]);
    let asked = |place: usize| scene.providers[place].requests().get("eth_getProof").copied().unwrap_or(0);
    let other = usize::from(reading[0].provider().as_str() == "provider0");
    let before = asked(other);
    assert!(scene.simulation.run(scene.client.proof(&reading, Form::Compact)).is_ok());
    scene.providers[1 - other].set(Fault::NoProofs);
    let refusal = scene.simulation.run(scene.client.proof(&reading, Form::Compact));
    let Err(ProofFileError::Proofs { attempts }) = refusal else { panic!("{refusal:?}") };
    assert!(!attempts.is_empty());
    assert_eq!(asked(other), before);
}

#[test]
fn what_cannot_be_made_says_why() {
    let scene = Scene::new(9, 1, 1);
    let run = |proven: &[saldo::Proven], form| scene.simulation.run(scene.client.proof(proven, form));
    assert!(matches!(run(&[], Form::Compact), Err(ProofFileError::Nothing)));
    let first = proven(&scene, &[native(ALICE)]);
    scene.pass_slots(2);
    let second = proven(&scene, &[native(ALICE)]);
    let both = [first, second.clone()].concat();
    assert!(matches!(run(&both, Form::Compact), Err(ProofFileError::DifferentBlocks)));
    scene.sources[0].set(Fault::Status(500));
    let refusal = run(&second, Form::Complete);
    assert!(matches!(refusal, Err(ProofFileError::LightClientData { .. })), "{refusal:?}");
    assert!(run(&second, Form::Compact).is_ok(), "the client has the committee");
    scene.sources[0].clear();
    // It ends at the policy's deadline.
    scene.providers[0].set(Fault::Hang);
    let began = scene.simulation.clock().monotonic();
    assert!(run(&second, Form::Compact).is_err());
    let took = scene.simulation.clock().monotonic() - began;
    assert!(took <= Policy::signed().deadline + Duration::from_millis(100), "{took:?}");
    let elsewhere = Checkpoint { root: alloy_primitives::B256::repeat_byte(1), slot: None };
    scene.client.start_again(elsewhere);
    assert!(matches!(run(&second, Form::Compact), Err(ProofFileError::NoHead)));
}
