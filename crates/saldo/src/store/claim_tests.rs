//! The stored balance of a token that follows only by running the token's code. The same bytes are read by a build that runs code
//! and by one that does not.

use alloy_primitives::{Address, B256, U256, b256, hex, keccak256};
use futures_util::FutureExt;
use saldo_beacon::Checkpoint;
use saldo_beacon::unit::UnixTime;
use saldo_chain::Level;
use saldo_proof::StateRoot;
use saldo_reading::NetworkId;
use saldo_source::SortedSet;

use super::super::form;
use super::*;
use crate::made;
use crate::storage::{MemoryStorage, Storage, Write};
use crate::store::{Outcome, Present, ProviderState, Store, Unsaved};
use crate::token_proof::{AccountProof, SlotProof, TokenProof};
use crate::{Client, ClientBuilder};

const TOKEN: Address = Address::repeat_byte(0x11);
const OWNER: Address = Address::repeat_byte(0xaa);
/// The token's code: it returns 5.
const RETURNS_FIVE: &[u8] = &hex!("60055f5260205ff3");
/// The code of WETH9, whose layout is known.
const WETH9: B256 = b256!("d0a06b12ac47863b5c7be4185c2deaad1c61557033f56c7d4ea74429cbb25e23");
/// In July 2023, when Capella was the fork of mainnet.
const TIME: u64 = 1_690_000_000;

fn holding() -> Holding {
    Holding::erc20(NetworkId::new(1), OWNER, TOKEN)
}

/// The only node of a state in which `TOKEN` has the code with this hash, and no storage.
fn only_leaf(code_hash: B256) -> Bytes {
    let before = hex!(
        "f872a120e2c07404b8c1df4c46226425cac68c28d27a766bbddce62309f36724839b22c0b84ef84c01880de0b6b3a7640000
         a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421a0"
    );
    [before.as_slice(), code_hash.as_slice()].concat().into()
}

fn block(number: u64, leaf: &Bytes, level: Level) -> Anchor {
    made::block(number, TIME.saturating_add(number.saturating_mul(12)), keccak256(leaf), level)
}

/// The proof of the balance of `holding()` that runs the code. The calling account is proven absent.
fn proof_by_running() -> (Bytes, Anchor) {
    let leaf = only_leaf(keccak256(RETURNS_FIVE));
    let anchor = block(1_000, &leaf, Level::Finalized);
    let account = |address| AccountProof { address, nodes: vec![leaf.clone()], slots: Vec::new() };
    let accounts = vec![account(TOKEN), account(Address::ZERO)];
    let codes = vec![Bytes::from_static(RETURNS_FIVE)];
    (alloy_rlp::encode(TokenProof { accounts, codes }).into(), anchor)
}

fn provider() -> ProviderId {
    ProviderId::new("provider").unwrap()
}

/// The records that a build writes that runs code: the code has one of its own.
fn records() -> [(String, Vec<u8>); 4] {
    let (proof, anchor) = proof_by_running();
    let TokenProof { accounts, codes } = alloy_rlp::decode_exact(&proof).unwrap();
    let hashes: Vec<B256> = codes.iter().map(keccak256).collect();
    let proof = alloy_rlp::encode(TokenProof { accounts, codes: Vec::new() });
    let nodes = vec![proof.into(), alloy_rlp::encode(&hashes).into()];
    let proof = form::Proof { provider: provider().as_str().to_owned(), nodes };
    [
        (form::FIRST.to_owned(), form::first(&Network::mainnet())),
        (form::block_name(anchor.hash()), anchor.to_bytes()),
        (form::reading_name(&holding(), anchor.hash()).unwrap(), alloy_rlp::encode(proof)),
        (form::code_name(hashes[0]), RETURNS_FIVE.to_vec()),
    ]
}

/// The records of earlier builds: the code is in the reading.
#[cfg(feature = "execute")]
fn records_with_the_code_inside() -> [(String, Vec<u8>); 3] {
    let (nodes, [first, block, (name, _), _]) = (vec![proof_by_running().0], records());
    let proof = form::Proof { provider: provider().as_str().to_owned(), nodes };
    [first, block, (name, alloy_rlp::encode(proof))]
}

fn storage_with(records: &[(String, Vec<u8>)]) -> MemoryStorage {
    let seal = Seal::new(None);
    let sealed = records
        .iter()
        .map(|(name, value)| Write { name: name.clone(), value: Some(seal.close(name, value.clone())) });
    let storage = MemoryStorage::new();
    let (_, version) = storage.load().now_or_never().unwrap().unwrap();
    storage.apply(sealed.collect(), version).now_or_never().unwrap().unwrap();
    storage
}

fn entries(storage: &MemoryStorage) -> Vec<(String, Vec<u8>)> {
    storage.load().now_or_never().unwrap().unwrap().0
}

fn open(storage: &MemoryStorage) -> Client {
    let checkpoint = Checkpoint { root: B256::repeat_byte(1), slot: None };
    let builder: ClientBuilder = Client::builder(Network::mainnet());
    let builder = builder.rpc("https://rpc.example").beacon("https://beacon.example").checkpoint(checkpoint);
    builder.storage(storage.clone()).build().unwrap()
}

/// A balance of the same token by a slot, at a later block at which its code has a known layout.
fn proven_by_slot(number: u64, level: Level) -> Unsaved {
    let leaf = only_leaf(WETH9);
    let anchor = block(number, &leaf, level);
    let layout = saldo_token::layouts().iter().find(|layout| layout.code_hash == WETH9).unwrap();
    let slots = vec![SlotProof { key: layout.mapping.slot(OWNER), nodes: Vec::new() }];
    let accounts = vec![AccountProof { address: TOKEN, nodes: vec![leaf.clone()], slots }];
    let proof = TokenProof { accounts, codes: Vec::new() };
    let state = proof.state(StateRoot::new(keccak256(&leaf))).unwrap();
    let balance = saldo_token::VerifiedBalance::from_slot(&state, TOKEN, OWNER).unwrap();
    let proven = join_token(holding(), Arc::new(balance), &anchor, provider(), Generation::FIRST).unwrap();
    Unsaved { proven, nodes: [Bytes::from(alloy_rlp::encode(&proof))].into() }
}

/// Opens `storage` and writes `unsaved` into it, as a client does.
fn write(storage: &MemoryStorage, unsaved: Vec<Unsaved>) {
    let store = Store::new(Arc::new(storage.clone()), None);
    let network = Arc::new(Network::mainnet());
    let mut state = store.state();
    let job = store.begin_load(&mut state);
    let Some(Outcome::Loaded(Ok(loaded))) = job.outcome().now_or_never() else { panic!("it is ready") };
    state.end(&job).unwrap();
    let readable = store.identify(&mut state, loaded, &network).unwrap();
    let now = UnixTime::from_secs(TIME.saturating_add(1_000_000));
    let _ = store.restore(&mut state, readable, &network, now, Generation::FIRST);
    let present = Present {
        first: form::first(&network),
        start: None,
        light_client: None,
        unsaved,
        withdrawn: &SortedSet::new(),
        again: &|_| None,
        is_lost: &|_| false,
        disclosed: Vec::new(),
        providers: &ProviderState::default,
        pending: Vec::new(),
        is_pending: &|_| false,
    };
    let job = store.begin_difference(&mut state, present, 0).expect("something is new");
    assert!(matches!(job.outcome().now_or_never(), Some(Outcome::Applied(Ok(_)))));
}

fn has_all(storage: &MemoryStorage, records: &[(String, Vec<u8>)]) -> bool {
    let (after, before) = (entries(storage), entries(&storage_with(records)));
    before.iter().all(|record| after.contains(record))
}

#[test]
#[cfg(feature = "execute")]
fn a_build_that_runs_code_shows_what_the_code_returns() {
    let storage = storage_with(&records());
    let client = open(&storage);
    let last = client.last(&holding()).unwrap();
    assert_eq!((last.amount().base_units(), last.is_restored()), (U256::from(5), true));
    let code_hash = keccak256(RETURNS_FIVE);
    assert!(
        matches!(last.token(), Some(token) if matches!(token.derivation(),
            saldo_token::Derivation::Executed { code_hash: run, .. } if *run == code_hash)),
        "{:?}",
        last.token()
    );
    assert_eq!(client.storage_faults(), []);
    assert_eq!(entries(&storage), entries(&storage_with(&records())));
}

/// What this file takes for the records of a build that runs code is what such a build writes.
#[test]
#[cfg(feature = "execute")]
fn a_build_that_runs_code_writes_these_records() {
    let storage = MemoryStorage::new();
    write(&storage, vec![proven_by_running(OWNER)]);
    assert!(has_all(&storage, &records()));
}

#[test]
#[cfg(not(feature = "execute"))]
fn a_build_that_runs_no_code_keeps_it_and_does_not_show_it() {
    let storage = storage_with(&records());
    let client = open(&storage);
    assert_eq!(client.last(&holding()), None);
    assert_eq!(client.storage_faults(), []);
    drop(client);
    // Nor does a write change it: of another holding, and then of the same holding at a block that can be withdrawn.
    let other = made::holding(0xbb);
    write(&storage, vec![made::unsaved(&made::proven(&other, 7, Level::Signed))]);
    assert!(has_all(&storage, &records()));
    write(&storage, vec![proven_by_slot(2_000, Level::Signed)]);
    assert!(has_all(&storage, &records()));
    assert_eq!(open(&storage).last(&holding()).unwrap().anchor().number(), 2_000);
}

/// Its proofs are verified before the record is kept.
#[test]
fn a_false_proof_is_dropped_by_every_build() {
    let mut records = records();
    let of_leaf = records[2].1.windows(8).position(|bytes| bytes == &only_leaf(B256::ZERO)[50..58]).unwrap();
    for (record, place) in [(3, 0), (2, of_leaf)] {
        records[record].1[place] ^= 1;
        let client = open(&storage_with(&records));
        records[record].1[place] ^= 1;
        assert_eq!(client.last(&holding()), None);
        assert_eq!(client.storage_faults().len(), 1, "{:?}", client.storage_faults());
    }
}

#[test]
fn a_final_reading_of_a_later_block_replaces_it() {
    let storage = storage_with(&records());
    write(&storage, vec![proven_by_slot(2_000, Level::Finalized)]);
    let names: Vec<String> = entries(&storage).into_iter().map(|(name, _)| name).collect();
    let [_, (block, _), (reading, _), (code, _)] = records();
    assert!([block, reading, code].iter().all(|name| !names.contains(name)), "{names:?}");
    let last = open(&storage).last(&holding()).unwrap();
    assert_eq!((last.anchor().number(), last.amount().base_units()), (2_000, U256::ZERO));
}

#[test]
fn forgetting_the_holding_removes_it() {
    let storage = storage_with(&records());
    open(&storage).forget(&holding());
    let names: Vec<String> = entries(&storage).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, [form::FIRST]);
}

/// What is known of the address belongs to each of its holdings, also to one that this build does not show.
#[test]
fn forgetting_another_holding_of_the_owner_leaves_it() {
    let mut records = records().to_vec();
    let disclosure = form::StoredDisclosure { order: 1, operators: vec!["Operator".to_owned()] };
    records.push((form::disclosed_name(OWNER), alloy_rlp::encode(disclosure)));
    let storage = storage_with(&records);
    let coin = Holding::native(NetworkId::new(1), OWNER);
    open(&storage).forget(&coin);
    assert!(has_all(&storage, &records));
    open(&storage).forget(&holding());
    let names: Vec<String> = entries(&storage).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, [form::FIRST]);
}

/// An older reading of the same holding that needs no code is still shown.
#[test]
#[cfg(not(feature = "execute"))]
fn an_older_reading_by_slot_is_shown_beside_it() {
    let storage = storage_with(&records()[..1]);
    write(&storage, vec![proven_by_slot(500, Level::Signed)]);
    let older = entries(&storage);
    let storage = storage_with(&records());
    let (_, version) = storage.load().now_or_never().unwrap().unwrap();
    let older = older.into_iter().map(|(name, value)| Write { name, value: Some(value) });
    storage.apply(older.collect(), version).now_or_never().unwrap().unwrap();
    let client = open(&storage);
    assert_eq!(client.last(&holding()).unwrap().anchor().number(), 500);
    assert_eq!(client.storage_faults(), []);
    assert!(has_all(&storage, &records()));
}

#[test]
#[cfg(feature = "execute")]
fn a_reading_of_an_earlier_build_is_read() {
    let client = open(&storage_with(&records_with_the_code_inside()));
    assert_eq!(client.last(&holding()).unwrap().amount().base_units(), U256::from(5));
    assert_eq!(client.storage_faults(), []);
}

/// A reading whose code is not there shows nothing, and the code is written again with the next reading.
#[test]
#[cfg(feature = "execute")]
fn a_lost_code_is_written_again() {
    let storage = storage_with(&records()[..3]);
    let client = open(&storage);
    assert_eq!(client.last(&holding()), None);
    assert_eq!(client.storage_faults(), [StorageFault::Damaged]);
    drop(client);
    write(&storage, vec![proven_by_running(OWNER)]);
    assert!(has_all(&storage, &records()));
}

/// A balance that the token's code gives, of any owner: the code reads nothing.
#[cfg(feature = "execute")]
fn proven_by_running(owner: Address) -> Unsaved {
    let (proof, anchor) = proof_by_running();
    let state = Proof::load_token(std::slice::from_ref(&proof), &Codes::new())
        .unwrap()
        .state(anchor.state_root())
        .unwrap();
    let balance = token_run::balance(&state, Some(&anchor), &Network::mainnet(), TOKEN, owner).unwrap();
    let holding = Holding::erc20(NetworkId::new(1), owner, TOKEN);
    let proven = join_token(holding, Arc::new(balance), &anchor, provider(), Generation::FIRST).unwrap();
    Unsaved { proven, nodes: [proof].into() }
}

/// Three owners of one token: its code is stored once, and is there as long as one of them.
#[test]
#[cfg(feature = "execute")]
fn a_code_is_stored_once_for_all_that_use_it() {
    let owners = [OWNER, Address::repeat_byte(0xab), Address::repeat_byte(0xac)];
    let storage = MemoryStorage::new();
    write(&storage, vec![proven_by_running(owners[0]), proven_by_running(owners[1])]);
    write(&storage, vec![proven_by_running(owners[2])]);
    let [.., (code, _)] = records();
    let all = |storage: &MemoryStorage| {
        let entries = entries(storage);
        let bytes = entries.iter().flat_map(|(_, value)| value.windows(RETURNS_FIVE.len()));
        let copies = bytes.filter(|bytes| *bytes == RETURNS_FIVE).count();
        (entries.iter().any(|(name, _)| *name == code), copies)
    };
    assert_eq!(all(&storage), (true, 1));
    for (place, owner) in owners.into_iter().enumerate() {
        let client = open(&storage);
        let token_of = |owner| Holding::erc20(NetworkId::new(1), owner, TOKEN);
        assert_eq!(client.last(&token_of(owner)).unwrap().amount().base_units(), U256::from(5));
        client.forget(&token_of(owner));
        let is_last = place + 1 == owners.len();
        assert_eq!(all(&storage), (!is_last, usize::from(!is_last)), "{owner}");
    }
}

/// A code that nothing uses is removed with the next write.
#[test]
fn a_code_without_readings_is_removed() {
    let [first, _, _, (code, bytes)] = records();
    let storage = storage_with(&[first, (code.clone(), bytes)]);
    write(&storage, vec![proven_by_slot(2_000, Level::Signed)]);
    assert!(entries(&storage).iter().all(|(name, _)| *name != code));
}

/// A code that nothing used any more is there as long as the first reading that uses it again.
#[test]
#[cfg(feature = "execute")]
fn a_code_that_is_used_again_stays() {
    let [first, _, _, code] = records();
    let storage = storage_with(&[first, code]);
    write(&storage, vec![proven_by_running(OWNER)]);
    assert!(has_all(&storage, &records()));
    let client = open(&storage);
    assert_eq!(client.last(&holding()).unwrap().amount().base_units(), U256::from(5));
}

/// A record with the name of another code, under a good seal.
#[test]
#[cfg(feature = "execute")]
fn a_false_code_is_dropped_and_written_again() {
    let mut records = records();
    records[3].1.push(0);
    let storage = storage_with(&records);
    let client = open(&storage);
    assert_eq!(client.last(&holding()), None);
    drop(client);
    write(&storage, vec![proven_by_running(OWNER)]);
    assert_eq!(open(&storage).last(&holding()).unwrap().amount().base_units(), U256::from(5));
}
