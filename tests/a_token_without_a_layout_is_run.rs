//! The balance of a token whose layout is not known: the client runs the token's own proven code over proven state. What it cannot
//! run to the end is unknown, with the reason, and never zero.

use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, U256};
use saldo::{Asset, Derivation, Holding, Level, Policy, Reading, Sum, Totals};
use saldo_drill::{Chain, Fault};
use saldo_proof::StateRoot;
use saldo_proof::eip1186::AccountReply;
use saldo_tests::assembler::{
    RETURN_WORD, assemble, catching_token, plain_token, proxy_to, push_balance, slot_of, token_of,
};
use saldo_tests::native;
use saldo_tests::scene::{ALICE, BOB, Scene, UNUSED};
use saldo_tests::token::{UNKNOWN, deploy, erc20, failure_codes, minimal_proxy};
use saldo_tests::watched::{SLOT, changes_within, readings};

const POOL: Address = Address::repeat_byte(0x41);
const LIBRARY: Address = Address::repeat_byte(0x42);

/// A scene in which `UNKNOWN` has this code, and Alice has 5 in slot 0 of it.
fn scene(seed: u64, providers: usize, code: Bytes) -> Scene {
    let chain = Chain::builder(seed).accounts([(ALICE, U256::from(1))]).build();
    let policy = Policy { operators_per_address: providers, ..Policy::signed() };
    let scene = Scene::of(chain, seed, providers, 1, policy);
    deploy(&scene.chain);
    scene.chain.set_code(UNKNOWN, code);
    scene.chain.set_code(LIBRARY, plain_token(0));
    scene.chain.set_storage(UNKNOWN, slot_of(ALICE, 0), U256::from(5));
    // In a trie of one slot, the proof of any other slot is the same.
    let others = (1..=60).map(Address::repeat_byte).chain([BOB]);
    for other in others.filter(|other| *other != ALICE && *other != UNUSED) {
        scene.chain.set_storage(UNKNOWN, slot_of(other, 0), U256::from(6));
    }
    scene.pass_slots(4);
    scene
}

fn read(scene: &Scene, holding: Holding) -> Reading {
    scene.simulation.run(scene.client.read(&[holding])).pop().unwrap()
}

#[track_caller]
fn amount(reading: &Reading) -> U256 {
    let proven = reading.proven();
    proven.unwrap_or_else(|| panic!("{:?} {:?}", reading.why(), reading.attempts())).amount().base_units()
}

#[track_caller]
fn assert_unknown(reading: &Reading, code: &str) {
    let Reading::Unknown(unknown) = reading else { panic!("not unknown: {reading:?}") };
    assert_eq!(unknown.why().code(), code, "{:?} {:?}", unknown.why(), reading.attempts());
}

/// The number of requests so far, and of the calls in them.
fn requests(scene: &Scene) -> (usize, usize) {
    let log = scene.simulation.internet().log();
    let bodies: Vec<String> =
        log.iter().map(|exchange| String::from_utf8_lossy(&exchange.body).into_owned()).collect();
    let of_token: Vec<&String> =
        bodies.iter().filter(|body| body.contains("eth_getProof") || body.contains("eth_getCode")).collect();
    let calls = of_token.iter().map(|body| body.matches("eth_get").count()).sum();
    (of_token.len(), calls)
}

#[test]
fn a_token_of_any_layout_is_proven_by_its_own_code() {
    let scene = scene(1, 2, plain_token(0));
    let reading = read(&scene, erc20(ALICE, UNKNOWN));
    assert_eq!(amount(&reading), U256::from(5));
    let token = reading.proven().unwrap().token().unwrap().clone();
    let Derivation::Executed { code_hash, touched } = *token.derivation() else { panic!("{token:?}") };
    assert_eq!(code_hash, alloy_primitives::keccak256(plain_token(0)));
    assert_eq!((touched.accounts, touched.slots), (1, 1));
    assert_eq!(token.block_hash(), Some(reading.proven().unwrap().anchor().hash()));
    // An address that never had any: its slot is proven absent, and the code reads exactly that slot.
    assert_eq!(amount(&read(&scene, erc20(UNUSED, UNKNOWN))), U256::ZERO);
}

#[test]
fn the_second_read_is_one_request() {
    // A proxy that asks a pool for its index, which changes.
    let code = format!("{} 32 0 0 0 {POOL:?} GAS STATICCALL POP 0 MLOAD MUL {RETURN_WORD}", push_balance(0));
    let scene = scene(2, 1, proxy_to("1 SLOAD"));
    scene.chain.set_storage(UNKNOWN, B256::with_last_byte(1), U256::from_be_bytes(LIBRARY.into_word().0));
    scene.chain.set_code(LIBRARY, assemble(&code));
    scene.chain.set_code(POOL, token_of("3 SLOAD"));
    scene.chain.set_storage(POOL, B256::with_last_byte(3), U256::from(2));
    scene.pass_slots(2);
    assert_eq!(amount(&read(&scene, erc20(ALICE, UNKNOWN))), U256::from(10));
    for (owner, index) in [(ALICE, 3_u64), (BOB, 4), (UNUSED, 5)] {
        scene.chain.set_storage(POOL, B256::with_last_byte(3), U256::from(index));
        scene.pass_slots(2);
        let before = requests(&scene);
        let units = if owner == ALICE {
            5
        } else if owner == UNUSED {
            0
        } else {
            6
        };
        assert_eq!(amount(&read(&scene, erc20(owner, UNKNOWN))), U256::from(units * index));
        let after = requests(&scene);
        assert_eq!(after.0 - before.0, 1, "one batch");
        assert_eq!(after.1 - before.1, 3, "three accounts, and no code");
    }
}

#[test]
fn an_upgrade_that_moves_the_slot_is_followed() {
    let scene = scene(3, 2, minimal_proxy(LIBRARY));
    assert_eq!(amount(&read(&scene, erc20(ALICE, UNKNOWN))), U256::from(5));
    scene.chain.set_code(LIBRARY, plain_token(7));
    scene.chain.set_storage(UNKNOWN, slot_of(ALICE, 7), U256::from(70));
    scene.pass_slots(2);
    assert_eq!(amount(&read(&scene, erc20(ALICE, UNKNOWN))), U256::from(70));
}

#[test]
fn time_is_that_of_the_proven_block() {
    let scene = scene(4, 2, token_of(&format!("TIMESTAMP {} MUL", push_balance(0))));
    let reading = read(&scene, erc20(ALICE, UNKNOWN));
    let time = reading.proven().unwrap().anchor().timestamp().as_secs();
    assert_eq!(amount(&reading), U256::from(5 * time));
}

#[test]
fn what_cannot_be_run_to_the_end_is_unknown_with_the_reason() {
    for (seed, code) in (10..).zip([
        "998 BLOCKHASH",
        "2 NUMBER SUB BLOCKHASH",
        "BLOBBASEFEE",
        "0 0 0 CREATE",
        "0 again: 1 ADD @again JUMP",
        "0 again: 1 ADD DUP1 SLOAD POP @again JUMP",
    ]) {
        let is_old = code == "998 BLOCKHASH";
        let scene = scene(seed, 2, token_of(code));
        let reading = read(&scene, erc20(ALICE, UNKNOWN));
        if is_old {
            // A block that is not there yet has the hash 0, by the rules of the chain.
            assert_eq!(amount(&reading), U256::ZERO);
            continue;
        }
        assert_unknown(&reading, "token_not_run");
        assert!(reading.latest_proven().is_none());
        // The first provider proved it, so that no other one is asked.
        let joined = reading.attempts().iter().filter(|attempt| attempt.outcome.code() == "joined");
        assert_eq!(joined.count(), 1, "{:?}", reading.attempts());
    }
}

#[test]
fn a_contract_that_returns_no_number_is_no_token() {
    for (seed, code) in (20..).zip(["0 0 REVERT", "INVALID", "STOP", "31 0 RETURN", "POP"]) {
        let scene = scene(seed, 2, assemble(code));
        assert_unknown(&read(&scene, erc20(ALICE, UNKNOWN)), "not_a_token");
    }
    let scene = scene(26, 2, proxy_to(&format!("{UNUSED:?}")));
    assert_unknown(&read(&scene, erc20(ALICE, UNKNOWN)), "not_a_token");
}

/// Each contract names the next one. The client follows for a bounded number of requests.
#[test]
fn a_token_that_leads_from_contract_to_contract_costs_a_bounded_number_of_requests() {
    let scene = scene(30, 1, proxy_to(&format!("{:?}", Address::repeat_byte(0x81))));
    for number in 0x81..0xa8_u8 {
        let next = Address::repeat_byte(number + 1);
        scene.chain.set_code(Address::repeat_byte(number), proxy_to(&format!("{next:?}")));
    }
    scene.pass_slots(2);
    let before = requests(&scene);
    let wait = Duration::from_secs(120);
    let reading = scene.simulation.run(scene.client.read_patiently(&[erc20(ALICE, UNKNOWN)], wait)).pop();
    assert_unknown(&reading.unwrap(), "token_not_run");
    let after = requests(&scene);
    assert!(after.1 - before.1 <= 256 + 64, "{before:?} {after:?}");
}

/// The lies, with the codes of the failures that a lone liar can be refused with.
fn lies() -> Vec<(Fault, &'static [&'static str])> {
    vec![
        (Fault::OtherSlotsProof, &["proof_refused"]),
        (Fault::TruncatedStorageProof { nodes: 0 }, &["proof_refused"]),
        (Fault::NoStorageProof, &["malformed"]),
        (Fault::OtherAccountsProof, &["proof_refused"]),
        (Fault::OtherCode, &["malformed"]),
        (Fault::TruncatedProof { nodes: 1 }, &["proof_refused"]),
        (Fault::InventedTrie { balance: U256::ZERO }, &["proof_refused"]),
    ]
}

/// The token returns 0 if the call of the other contract fails. No lie about that contract is such a failure.
#[test]
fn no_lie_makes_a_token_catch_a_failure_and_return_zero() {
    for (seed, (lie, codes)) in (40..).zip(lies()) {
        for code in [plain_token(0), catching_token(POOL, "GAS")] {
            let scene = scene(seed, 1, code);
            scene.chain.set_code(POOL, plain_token(0));
            for other in (1..=60).map(Address::repeat_byte) {
                scene.chain.set_storage(POOL, slot_of(other, 0), U256::from(9));
            }
            scene.pass_slots(2);
            scene.providers[0].add(lie.clone());
            let reading = read(&scene, erc20(ALICE, UNKNOWN));
            let Reading::Unknown(_) = &reading else { panic!("{lie:?}: {reading:?}") };
            let failures = failure_codes(&reading);
            assert!(
                !failures.is_empty() && failures.iter().all(|code| codes.contains(code)),
                "{lie:?}: {failures:?}"
            );
        }
    }
}

#[test]
fn one_honest_provider_is_enough() {
    for (seed, (lie, _)) in (60..).zip(lies()) {
        let scene = scene(seed, 2, plain_token(0));
        scene.providers[0].add(lie.clone());
        let reading = read(&scene, erc20(ALICE, UNKNOWN));
        assert_eq!(amount(&reading), U256::from(5), "{lie:?}");
        assert_eq!(reading.proven().unwrap().provider().as_str(), "provider1", "{lie:?}");
    }
}

#[test]
fn proofs_of_two_blocks_are_not_mixed() {
    let chain = Chain::builder(70).tip_lead(3).accounts([(ALICE, U256::from(1))]).build();
    let scene = Scene::of(chain, 70, 1, 1, Policy::signed());
    scene.chain.set_code(UNKNOWN, catching_token(POOL, "GAS"));
    scene.chain.set_code(POOL, plain_token(0));
    scene.chain.set_storage(POOL, slot_of(ALICE, 0), U256::from(9));
    scene.pass_slots(4);
    assert_eq!(amount(&read(&scene, erc20(ALICE, UNKNOWN))), U256::from(9));
    scene.pass_slots(2);
    scene.providers[0].add(Fault::MixedBlocks);
    let reading = read(&scene, erc20(ALICE, UNKNOWN));
    let Reading::Unknown(unknown) = &reading else { panic!("{reading:?}") };
    assert_eq!(unknown.last().unwrap().amount().base_units(), U256::from(9));
    let lied = reading.attempts().iter().find(|attempt| attempt.provider.as_str() == "provider0").unwrap();
    assert_eq!(lied.outcome.code(), "proof_refused", "{:?}", reading.attempts());
}

/// A provider that proves only its own tip: the code runs when the committee has signed that block.
#[test]
fn code_runs_only_in_a_trusted_block() {
    let scene = scene(80, 1, token_of(&format!("TIMESTAMP {} MUL", push_balance(0))));
    scene.providers[0].set_proof_window(0);
    let holding = [erc20(ALICE, UNKNOWN)];
    let first = scene.simulation.run(scene.client.read(&holding)).pop().unwrap();
    let Reading::Provisional(claim) = &first else { panic!("{first:?}") };
    assert_eq!(claim.unconfirmed_amount(), None);
    let wait = Duration::from_secs(60);
    let reading = scene.simulation.run(scene.client.read_patiently(&holding, wait)).pop().unwrap();
    let time = reading.proven().unwrap().anchor().timestamp().as_secs();
    assert_eq!(amount(&reading), U256::from(5 * time));
}

#[test]
fn native_and_executed_tokens_share_a_batch() {
    let scene = scene(90, 1, plain_token(0));
    let holdings = [native(ALICE), erc20(ALICE, UNKNOWN), erc20(BOB, UNKNOWN)];
    let units = |readings: Vec<Reading>| readings.iter().map(amount).collect::<Vec<_>>();
    let first = scene.simulation.run(scene.client.read(&holdings));
    assert_eq!(units(first), [1, 5, 6].map(U256::from));
    scene.pass_slots(2);
    let before = requests(&scene);
    let second = scene.simulation.run(scene.client.read(&holdings));
    assert_eq!(units(second), [1, 5, 6].map(U256::from));
    assert_eq!(requests(&scene).0 - before.0, 1);
}

/// The code runs in the finalized block, with its time.
#[test]
fn an_executed_amount_can_be_final() {
    let scene = scene(91, 2, token_of(&format!("TIMESTAMP {} MUL", push_balance(0))));
    scene.pass_slots(40);
    let holding = [erc20(ALICE, UNKNOWN)];
    let reading = scene.simulation.run(scene.client.finalized(&holding)).pop().unwrap();
    let proven = reading.proven().unwrap();
    assert_eq!(proven.anchor().assurance().level(), Level::Finalized);
    assert_eq!(amount(&reading), U256::from(5 * proven.anchor().timestamp().as_secs()));
    assert_eq!(proven.token().unwrap().block_hash(), Some(proven.anchor().hash()));
    // The newest one is of a later block.
    let newest = read(&scene, holding[0]);
    assert!(amount(&newest) > amount(&reading));
}

/// What changes is the storage of another contract.
#[test]
fn a_watch_tells_what_a_called_contract_changes() {
    let pool = format!("32 0 0 0 {POOL:?} GAS STATICCALL POP 0 MLOAD");
    let scene = scene(92, 2, token_of(&format!("{} {pool} MUL", push_balance(0))));
    let index = B256::with_last_byte(3);
    scene.chain.set_code(POOL, token_of("3 SLOAD"));
    scene.chain.set_storage(POOL, index, U256::from(2));
    scene.pass_slots(2);
    let holding = erc20(ALICE, UNKNOWN);
    let mut watch = scene.client.watch([holding]);
    let mut last = |slots| {
        let told = readings(&changes_within(&scene, &mut watch, SLOT * slots)).pop();
        told.map(|(_, reading, _)| reading)
    };
    assert_eq!(amount(&last(5).unwrap()), U256::from(10));
    scene.chain.set_storage(POOL, index, U256::from(3));
    assert_eq!(amount(&last(40).unwrap()), U256::from(15));
    assert_eq!(scene.client.last(&holding).unwrap().amount().base_units(), U256::from(15));
    scene.providers.iter().for_each(|provider| provider.set(Fault::Refuse));
    let outage = last(200).unwrap();
    assert_eq!(outage.latest_proven().unwrap().amount().base_units(), U256::from(15));
    assert!(outage.proven().is_none());
}

#[test]
fn executed_amounts_are_added_up_and_unknown_ones_are_named() {
    let scene = scene(93, 2, plain_token(0));
    let asset = Asset::Erc20(UNKNOWN);
    let holdings = [erc20(ALICE, UNKNOWN), erc20(BOB, UNKNOWN)];
    let total = || {
        let readings = scene.simulation.run(scene.client.read(&holdings));
        let mut totals = Totals::new();
        holdings.iter().zip(&readings).for_each(|(holding, reading)| totals.add(*holding, reading).unwrap());
        totals.of(saldo_tests::NETWORK, asset).unwrap()
    };
    let first = total();
    let Sum::Proven(amount) = first.sum() else { panic!("{first:?}") };
    assert_eq!(amount.base_units(), U256::from(5 + 6));
    // Code that cannot be run any more: the amounts of before are remembered, and are no part of what is proven.
    scene.chain.set_code(UNKNOWN, token_of("2 NUMBER SUB BLOCKHASH"));
    scene.pass_slots(2);
    let second = total();
    let Sum::Remembered { proven, remembered } = second.sum() else { panic!("{second:?}") };
    assert_eq!((proven, remembered.base_units()), (None, U256::from(5 + 6)));
    // Of a token that was never proven nothing is added.
    let never = erc20(UNUSED, LIBRARY);
    scene.chain.set_code(LIBRARY, token_of("BLOBBASEFEE"));
    scene.pass_slots(2);
    let mut totals = Totals::new();
    totals.add(never, &read(&scene, never)).unwrap();
    let none = totals.of(saldo_tests::NETWORK, Asset::Erc20(LIBRARY)).unwrap();
    let Sum::Partial { proven: None, remembered: None, missing } = none.sum() else { panic!("{none:?}") };
    assert_eq!(missing, [never]);
}

/// The false proof is of the contract that the token calls. A third person can check it.
#[test]
fn a_false_proof_of_what_code_reads_is_kept_as_evidence() {
    let scene = scene(94, 1, plain_token(0));
    assert_eq!(amount(&read(&scene, erc20(ALICE, UNKNOWN))), U256::from(5));
    scene.pass_slots(1);
    scene.providers[0].add(Fault::OtherSlotsProof);
    assert!(read(&scene, erc20(ALICE, UNKNOWN)).proven().is_none());
    let evidence = scene.client.evidence();
    assert_eq!(evidence.len(), 1);
    let json: serde_json::Value = serde_json::from_str(&evidence[0].to_json()).unwrap();
    assert_eq!(json["schema"], "saldo.evidence/1");
    let key = slot_of(ALICE, 0);
    assert_eq!(json["request"]["params"][0], format!("{UNKNOWN:#x}"));
    assert_eq!(json["request"]["params"][1][0], key.to_string());
    let reply: AccountReply = serde_json::from_value(json["reply"].clone()).unwrap();
    let root = StateRoot::new(json["block"]["stateRoot"].as_str().unwrap().parse().unwrap());
    let account = reply.verify(root, UNKNOWN).unwrap();
    assert!(account.slot(key, &reply.storage(key).unwrap().proof).is_err());
}

/// Each slot names the next one, and the code does much before it reads the first. It runs again in each round, so all rounds together
/// have a bound.
#[test]
fn all_rounds_of_a_token_together_have_a_bound() {
    // 60,000 times `JUMPDEST`; then twelve slots, each with the key of the next one.
    let mut code = vec![0x5b; 60_000];
    code.extend(token_of(&format!("1 {}", "SLOAD ".repeat(12))));
    let scene = scene(95, 1, code.into());
    for key in 1..=12_u8 {
        scene.chain.set_storage(UNKNOWN, B256::with_last_byte(key), U256::from(key + 1));
    }
    scene.pass_slots(2);
    let reading = read(&scene, erc20(ALICE, UNKNOWN));
    assert_unknown(&reading, "token_not_run");
    let why = reading.why().unwrap().to_string();
    assert!(why.contains("more work"), "{why}");
    // What was learned is asked for at once, so that a later read takes fewer rounds.
    let later = (0..4).find_map(|_| {
        scene.pass_slots(2);
        read(&scene, erc20(ALICE, UNKNOWN)).proven().map(|proven| proven.amount().base_units())
    });
    assert_eq!(later, Some(U256::from(13)));
}
