//! Real rollups: proofs of their contracts on L1, and what follows from them.

use crate::ExecutionHeader;
use alloy_primitives::{Address, B256, U256, address, keccak256};
use saldo_beacon::unit::UnixTime;
use saldo_proof::{Account, ProvenState, Slot, StateRoot, StorageRoot, Verified, trie, verify_account};
use serde_json::Value;

use super::base::{CREATED_AT, FACTORY, GAME, INTERVAL, L1_TIME, LAST, REGISTRY, STEP, VERIFIER};
use super::vectors::{address, bytes, hash, nodes, number, text, vector};
use super::world::{PROXY, anchor, clone_code, game_id, header, slot};
use crate::rollup::clone_code::Arguments;
use crate::rollup::game::At;
use crate::rollup::word::Word;
use crate::rollup::{
    Accepted, CloneCode, Contract, Factory, GameClaim, L1State, Level, Obstacle, OpenError, Pause, Profile,
    Provers, Refusal, Registry, SuperRoot, Vouched, block_number, intermediate_roots,
};

fn account(set: &Value, path: &str, root: StateRoot, of: Address) -> Verified<Account> {
    verify_account(root, of, &nodes(set, &format!("{path}/account_proof"))).unwrap()
}

fn code_hash(account: &Verified<Account>) -> B256 {
    match account.leaf() {
        Account::Present(state) => state.code_hash,
        Account::Absent => B256::ZERO,
    }
}

fn word(slot: &Verified<Slot>) -> U256 {
    match slot.leaf() {
        Slot::Present(word) => *word,
        Slot::Absent => U256::ZERO,
    }
}

/// What L1 would have to say for the block to open; the tests below say where the real data does not reach that far.
fn accepted(chain_id: u64, roots: Vec<(At, B256)>) -> Accepted {
    Accepted {
        vouched: Vouched {
            is_final: true,
            game: GAME,
            game_type: 0,
            provers: Provers::None,
            pause: Pause::NotChecked,
            l1: (1, B256::ZERO, UnixTime::from_secs(1)),
        },
        chain_id,
        origin: saldo_beacon::Checkpoint { root: B256::ZERO, slot: None }.into(),
        block_time: Some(2),
        roots,
    }
}

fn l2_header(set: &Value) -> ExecutionHeader {
    ExecutionHeader::from_rlp(&bytes(set, "/l2/header_rlp"), hash(set, "/l2/block_hash")).unwrap()
}

/// The game of a real factory's list: its entry, and its address.
fn listed(set: &Value, root: StateRoot, factory: Address) -> (u64, Address) {
    let proven = account(set, "/dispute_game_factory", root, factory);
    assert_eq!(code_hash(&proven), PROXY, "the proxy that the built-in profiles know");
    let key = Factory::list_key(number(set, "/dispute_game_factory/game_index"));
    assert_eq!(key, hash(set, "/dispute_game_factory/storage_key"));
    let entry = proven.slot(key, &nodes(set, "/dispute_game_factory/storage_proof")).unwrap();
    let entry = Word::new(word(&entry));
    assert_eq!(u64::from(entry.u32(28)), number(set, "/dispute_game_factory/game_type"));
    assert_eq!(entry.u64(20), number(set, "/dispute_game_factory/game_timestamp"));
    assert_eq!(entry.address(0), address(set, "/dispute_game_factory/game_proxy"));
    (entry.u64(20), entry.address(0))
}

/// What L1 holds about the rollup in this data is not enough for a level: the registry's part is named as missing.
fn lacks_the_registry(name: &str, root: B256, header: Option<ExecutionHeader>, time: u64) {
    let profile = Profile::named(name).unwrap();
    let header = header.unwrap_or_else(|| super::world::header(B256::ZERO, 1, time, root, None));
    let l1 = anchor(profile.l1_chain_id(), &header, true);
    let state = ProvenState::new(l1.state_root());
    let l1 = L1State::new(&profile, &l1, &state, UnixTime::from_secs(time), L1State::MAX_AGE).unwrap();
    let Err(Obstacle::Missing(query)) = l1.registry() else { panic!("the registry is not proven") };
    let asked: Vec<_> = query.slots().keys().copied().collect();
    assert_eq!(asked, [profile.registry()]);
    assert_eq!(query.slots()[&profile.registry()].len(), 5);
}

/// Base, July 2025: from the state of L1 to the balance of an account, by a game that nothing says to be valid.
#[test]
fn a_balance_on_base_follows_from_the_state_of_l1() {
    let Some(set) = vector("l2/base-mainnet-32382316/set.json") else { return };
    let root = StateRoot::new(hash(&set, "/l1/state_root"));
    let factory = address!("43edB88C4B80fDD2AdFF2412A7BebF9dF42cB40e");
    let (_, game) = listed(&set, root, factory);
    let code = bytes(&set, "/game/code");
    assert_eq!(code_hash(&account(&set, "/game", root, game)), keccak256(&code));
    let arguments = Arguments::plain(CloneCode::parse(&code).unwrap().arguments()).unwrap();
    assert_eq!(arguments.root_claim, hash(&set, "/game/root_claim"));
    let claimed = block_number(arguments.extra_data).unwrap();
    assert_eq!(claimed, number(&set, "/l2/block_number"));

    let header = l2_header(&set);
    assert_eq!(header.withdrawals_root(), Some(hash(&set, "/output_root/message_passer_storage_root")));
    let accepted = accepted(8_453, vec![(At::Number(claimed), arguments.root_claim)]);
    let opened = accepted.open(&header, None).unwrap();
    assert_eq!(opened.timestamp().as_secs(), number(&set, "/l2/timestamp"));
    let owner = address(&set, "/l2_accounts/0/address");
    let proven = account(&set, "/l2_accounts/0", opened.state_root(), owner);
    let Account::Present(state) = proven.leaf() else { panic!("the account exists") };
    assert_eq!(state.balance, U256::from(1_000_010_000_000_000_u64));
    lacks_the_registry("base", root.get(), None, number(&set, "/l2/timestamp").saturating_add(3_600));

    // Wrong neighbours: another chain's game, one block beside, the balance under L1's state.
    let expected = claimed.saturating_add(1);
    let beside = Accepted { roots: vec![(At::Number(expected), arguments.root_claim)], ..accepted };
    let refusal = OpenError::Number { got: claimed, expected };
    assert_eq!(beside.open(&header, None), Err(refusal));
    assert!(verify_account(root, owner, &nodes(&set, "/l2_accounts/0/account_proof")).is_err());
}

/// Base Sepolia, August 2024, with L1's header: a game that ended for its claim, by contracts before the registry of today. Its block
/// is older than the upgrade that put the root of messages into headers.
#[test]
fn a_resolved_game_of_2024_opens_its_block() {
    let Some(set) = vector("l2/base-sepolia-13398533-resolved/set.json") else { return };
    let l1 = ExecutionHeader::from_rlp(&bytes(&set, "/l1/header_rlp"), hash(&set, "/l1/block_hash")).unwrap();
    assert_eq!(l1.timestamp().as_secs(), number(&set, "/l1/timestamp"));
    let root = l1.state_root();
    let (created_at, game) = listed(&set, root, FACTORY);
    let proven = account(&set, "/game", root, game);
    let held = |key: B256, path: &str| word(&proven.slot(key, &nodes(&set, path)).unwrap());
    let status = Word::new(held(slot(0), "/game/status/proof"));
    assert_eq!((status.u64(0), status.u64(8)), (created_at, number(&set, "/game/status/resolvedAt")));
    assert_eq!((status.byte(16), status.byte(17)), (2, 1));
    let claim = held(hash(&set, "/game/root_claim_storage_key"), "/game/root_claim_proof");
    let claim = B256::from(claim);
    assert_eq!(claim, hash(&set, "/output_root/output_root"));

    let header = l2_header(&set);
    let messages = hash(&set, "/output_root/message_passer_storage_root");
    assert_ne!(header.withdrawals_root(), Some(messages), "it is not in a header of that time");
    let accepted = accepted(84_532, vec![(At::Number(header.number()), claim)]);
    let opened = accepted.open(&header, Some(messages)).unwrap();
    assert!(matches!(accepted.open(&header, None), Err(OpenError::OutputRoot { .. })));
    assert!(matches!(accepted.open(&header, Some(B256::ZERO)), Err(OpenError::OutputRoot { .. })));
    let owner = address(&set, "/l2_accounts/0/address");
    let proven = account(&set, "/l2_accounts/0", opened.state_root(), owner);
    let key = hash(&set, "/l2_accounts/0/storage/0/key");
    let held = proven.slot(key, &nodes(&set, "/l2_accounts/0/storage/0/proof")).unwrap();
    assert_eq!(B256::from(word(&held)), hash(&set, "/l2_accounts/0/storage/0/value"));
    lacks_the_registry("base-sepolia", root.get(), Some(l1.clone()), l1.timestamp().as_secs() + 60);
}

/// Base Sepolia, 30 September 2026: the registry and the newest game, whose proof L1 has checked.
#[test]
fn the_registry_and_the_newest_game_of_base_sepolia_are_read() {
    let Some(set) = vector("l2/base-sepolia-47513663-multiproof/set.json") else { return };
    let root = StateRoot::new(hash(&set, "/l1/state_root"));
    assert_eq!((number(&set, "/l1/timestamp"), text(&set, "/l1/network")), (L1_TIME, "sepolia"));
    let registry = account(&set, "/anchor_state_registry", root, REGISTRY);
    let profile = Profile::named("base-sepolia").unwrap();
    assert_eq!((profile.registry(), code_hash(&registry)), (REGISTRY, PROXY));
    let mut state = ProvenState::new(root);
    state.add_account(&registry).unwrap();
    let places = set["anchor_state_registry"]["slots"].as_array().unwrap();
    for (place, at) in places.iter().zip(0..) {
        let key = place["slot"].as_u64().map_or_else(|| Registry::blacklist_key(GAME), slot);
        let proof = nodes(&set, &format!("/anchor_state_registry/slots/{at}/proof"));
        state.add_slot(&registry.slot(key, &proof).unwrap()).unwrap();
    }
    assert_eq!(places[4]["slot"], Registry::blacklist_key(GAME).to_string());
    let held = |key: B256| Word::new(state.word(REGISTRY, key).unwrap());
    assert_eq!(held(slot(1)).address(0), FACTORY);
    assert_eq!(held(slot(2)).address(0), address(&set, "/anchor_state_registry/expected/anchor_game"));
    let respected = held(slot(6));
    assert_eq!((respected.u32(0), respected.u64(4)), (621, 1_776_392_808));
    assert!(
        respected.ends_at(12) && held(slot(1)).ends_at(20) && held(Registry::blacklist_key(GAME)).is_zero()
    );
    assert!(respected.u64(4) < CREATED_AT, "the game is not retired");

    // The code behind the proxy is not in the data, so the real registry gives no level: it is named as missing.
    let l1 = anchor(11_155_111, &header(B256::ZERO, 11_816_991, L1_TIME, root.get(), None), true);
    let now = UnixTime::from_secs(L1_TIME + 900);
    let l1 = L1State::new(&profile, &l1, &state, now, L1State::MAX_AGE).unwrap();
    let Err(Obstacle::Missing(query)) = l1.registry() else { panic!("the code is not proven") };
    let missing = query.slots()[&REGISTRY].iter().copied().collect::<Vec<_>>();
    assert_eq!(missing, [slot(0), crate::rollup::proxy::IMPLEMENTATION_SLOT]);

    let claim = GameClaim {
        game_type: 621,
        root_claim: hash(&set, "/game/root_claim"),
        extra_data: bytes(&set, "/game/extra_data"),
    };
    assert_eq!(claim.uuid(), hash(&set, "/dispute_game_factory/uuid"));
    assert_eq!(Factory::game_key(&claim), hash(&set, "/dispute_game_factory/slot_of_uuid"));
    let id = game_id(621, CREATED_AT, GAME);
    assert_eq!(B256::from(id), hash(&set, "/dispute_game_factory/game_id"));
    let code = bytes(&set, "/game/code");
    assert_eq!(keccak256(&code), hash(&set, "/game/code_hash"));
    let parsed = CloneCode::parse(&code).unwrap();
    assert_eq!(parsed.implementation(), VERIFIER);
    let arguments = Arguments::plain(parsed.arguments()).unwrap();
    assert_eq!((arguments.root_claim, arguments.extra_data), (claim.root_claim, &claim.extra_data[..]));
    // The address commits to the code: the factory creates a game under the salt of its uuid.
    let creation = creation_code(&code);
    assert_eq!(FACTORY.create2(claim.uuid(), keccak256(creation)), GAME);
    assert_eq!(clone_code(VERIFIER, parsed.arguments()), code);

    let storage = StorageRoot::new(hash(&set, "/game/storage_root"));
    let proof = nodes(&set, "/game/slot_0/proof");
    let found = trie::lookup(storage.get(), keccak256(slot(0)).as_slice(), &proof).unwrap();
    let trie::Lookup::Present(leaf) = found else { panic!("the game has a status") };
    let status: U256 = alloy_rlp::decode_exact(leaf).unwrap();
    assert_eq!(status, super::world::status_word(CREATED_AT, 0, 0, true));

    let roots = intermediate_roots(&claim.extra_data, claim.root_claim, INTERVAL, STEP).unwrap();
    assert_eq!((roots.len(), roots[0].0, roots[19]), (20, LAST - 570, (LAST, claim.root_claim)));
    for of in ["/output_root", "/anchor_game"] {
        let part = |name: &str| hash(&set, &format!("{of}/{name}"));
        let words = [B256::ZERO, part("state_root"), part("message_passer_storage_root"), part("block_hash")];
        assert_eq!(keccak256(words.map(|word| word.0).concat()), part("output_root"), "{of}");
    }
    assert_eq!(hash(&set, "/output_root/output_root"), claim.root_claim);
}

/// The creation code of a game's proxy.
fn creation_code(code: &[u8]) -> Vec<u8> {
    let length = u16::try_from(code.len()).unwrap().to_be_bytes();
    [&[0x61][..], &length, &alloy_primitives::hex!("3d81600a3d39f3"), code].concat()
}

/// The same words in a world whose codes are known: the verdict about the real newest game.
#[test]
fn the_real_newest_game_is_accepted_where_its_codes_are_known() {
    let Some(set) = vector("l2/base-sepolia-47513663-multiproof/set.json") else { return };
    let claim = GameClaim {
        game_type: 621,
        root_claim: hash(&set, "/game/root_claim"),
        extra_data: bytes(&set, "/game/extra_data"),
    };
    let mut world = super::base::world_with(claim);
    world.put_game(bytes(&set, "/game/code"), CREATED_AT);
    let accepted = super::base::accepted(&world);
    assert_eq!((accepted.level(), accepted.block_number()), (Level::L1ProofChecked, Some(LAST)));
    world.profile = Profile::named("base-sepolia").unwrap();
    let got = super::world::REGISTRY_CODE;
    assert_eq!(world.verdict(), Err(Refusal::UnknownCode { contract: Contract::Registry, got }));
    let seen = world.read(|l1| crate::rollup::observe(&l1)).unwrap();
    let hashes: Vec<_> = seen.codes.iter().map(|code| (code.contract, code.code_hash)).collect();
    let factory = super::world::FACTORY_CODE;
    assert_eq!(
        hashes,
        [(Contract::Registry, got), (Contract::Factory, factory)],
        "the list of games is empty"
    );
}

/// Unichain, 27 September 2026: a super game, whose extra data is the preimage of its claim.
#[test]
fn the_output_root_of_unichain_is_read_from_a_super_game() {
    let Some(set) = vector("l2/unichain-super-1790534869/set.json") else { return };
    let claim = GameClaim {
        game_type: 9,
        root_claim: hash(&set, "/game/root_claim"),
        extra_data: bytes(&set, "/game/extra_data"),
    };
    assert_eq!(claim.uuid(), hash(&set, "/game/uuid"));
    assert_eq!(Factory::game_key(&claim), hash(&set, "/game/slot_of_uuid"));
    let code = bytes(&set, "/game/code");
    let parsed = CloneCode::parse(&code).unwrap();
    let arguments = Arguments::with_implementation(parsed.arguments(), false).unwrap();
    assert_eq!((arguments.game_type, arguments.extra_data), (Some(9), &claim.extra_data[..]));
    let unichain = Profile::named("unichain").unwrap();
    assert_eq!(arguments.implementation.unwrap().registry, unichain.registry());
    let factory = address(&set, "/game/factory");
    assert_eq!(
        factory.create2(claim.uuid(), keccak256(creation_code(&code))),
        address(&set, "/game/address")
    );
    let root = SuperRoot::read(&claim.extra_data, claim.root_claim).unwrap();
    assert_eq!(root.time().as_secs(), number(&set, "/expected/timestamp"));
    assert_eq!(root.output_root(130), Ok(hash(&set, "/expected/output_root")));
    let missing = crate::rollup::SuperRootError::NoEntry { chain_id: 10 };
    assert_eq!(root.output_root(10), Err(missing));
}
