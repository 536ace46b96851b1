//! The slots of the real contracts (registry 3.9.0, factory 1.6.1, both games), captured before and after resolution, anchoring and
//! blacklisting: each is read for what it is.

use crate::ExecutionHeader;
use alloy_primitives::{Address, B256, U256, keccak256};
use serde_json::Value;

use super::vectors::{address, bytes, captured, hash, words};
use super::world::{
    FACTORY_CODE, FACTORY_IMPLEMENTATION, GAME_CODE, PROXY, World, clone_code, game_id, slot,
};
use crate::rollup::clone_code::Arguments;
use crate::rollup::{
    CloneCode, Factory, GameClaim, Level, OpenError, Pause, Profile, Refusal, Registry, Status, SuperRoot,
    Verdict, WhyProposed,
};

/// The code of registry 3.9.0 with a delay of 302,400 s, as the built-in profiles know it.
const REGISTRY_3_9_0: B256 =
    alloy_primitives::b256!("3f54fcc2d17726f6c927da08dec4dbfbecc43a013fd309344ecd2cace85ae36d");
const DELAY: u64 = 302_400;
const RESOLVED_AT: u64 = 0x6b0b_2890;

fn profile(file: &Value) -> Profile {
    let contract = |name: &str| address(file, &format!("/contracts/{name}"));
    let text = format!(
        "name = \"captured\"\nchain_id = 31338\nl1_chain_id = 1337\nread_on = 2026-11-28\nregistry = \"{}\"\nsystem_config = \"{}\"\n\
         superchain_config = \"unknown\"\npause_identifier = \"unknown\"\ngenesis_number = 0\ngenesis_time = \"unknown\"\nblock_time = 2\n\
         [[proxy_code]]\ncode_hash = \"{PROXY}\"\n[[registry_code]]\ncode_hash = \"{REGISTRY_3_9_0}\"\nfinality_delay = {DELAY}\n\
         [[factory_code]]\ncode_hash = \"{FACTORY_CODE}\"\n\
         [[game_code]]\ncode_hash = \"{GAME_CODE}\"\ngame_type = 0\nkind = \"fault\"\n\
         [[game_code]]\ncode_hash = \"{SUPER_CODE}\"\ngame_type = 9\nkind = \"super\"\n",
        contract("AnchorStateRegistry"),
        contract("SystemConfig"),
    );
    Profile::from_toml(&text).unwrap()
}

/// The code that the super game runs.
const SUPER_CODE: B256 = B256::repeat_byte(0xa5);

/// Which moment of the capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    Created,
    Resolved,
}

/// The captured contracts, asked about one of the two games.
pub(super) fn world(moment: Moment, game: &str) -> World {
    let file = captured("games.json");
    let contract = |name: &str| address(&file, &format!("/contracts/{name}"));
    let (fault, super_game) = (address(&file, "/games/fault"), address(&file, "/games/super"));
    let code_of = |game: &str| bytes(&file, &format!("/code of the {game}"));
    let (code, address) = match game {
        "game" => (code_of("game"), fault),
        _ => (code_of("super game"), super_game),
    };
    let mut world = World {
        profile: profile(&file),
        accounts: Default::default(),
        factory: contract("DisputeGameFactory"),
        game: address,
        claim: claim_of(&code),
        time: RESOLVED_AT + DELAY + 1,
        now: RESOLVED_AT + DELAY + 900,
        l1_chain_id: 1_337,
        is_final: true,
    };
    let registry = contract("AnchorStateRegistry");
    world.put_proxy(registry, contract("AnchorStateRegistryCode"), REGISTRY_3_9_0);
    world.put_proxy(world.factory, FACTORY_IMPLEMENTATION, FACTORY_CODE);
    let (of_registry, of_game) = match moment {
        Moment::Created => ("registry, before", "game, created"),
        Moment::Resolved => ("registry, after", "game, resolved"),
    };
    let held = [
        (registry, of_registry),
        (world.factory, "factory"),
        (fault, of_game),
        (super_game, "super game, created"),
    ];
    for (account, name) in held {
        words(&file, name).into_iter().for_each(|(key, word)| world.set(account, key, word));
    }
    // The capture has this entry for the fault game only; the list names the same.
    let (entry, listed) = (Factory::game_key(&world.claim), game_id(9, 0x6b0b_288c, super_game));
    if address == super_game {
        world.set(world.factory, entry, listed);
    }
    if moment == Moment::Resolved {
        words(&file, "blacklist").into_iter().for_each(|(key, word)| world.set(registry, key, word));
    }
    for (account, name, code_hash) in [(fault, "game", GAME_CODE), (super_game, "super game", SUPER_CODE)] {
        let code = code_of(name);
        let implementation = CloneCode::parse(&code).unwrap().implementation();
        world.account(implementation).code_hash = code_hash;
        let held = world.account(account);
        held.code_hash = keccak256(&code);
        held.code = code;
    }
    world
}

/// What a provider names: what the code of an honest game holds.
fn claim_of(code: &[u8]) -> GameClaim {
    let code = CloneCode::parse(code).unwrap();
    let own = Arguments::with_implementation(code.arguments(), false).unwrap();
    let extra_data = own.extra_data.to_vec().into();
    GameClaim { game_type: own.game_type.unwrap(), root_claim: own.root_claim, extra_data }
}

/// The header of the block that both games are about.
pub(super) fn l2_header() -> ExecutionHeader {
    let file = captured("games.json");
    let header = file["l2 header"].to_string();
    ExecutionHeader::from_json(header.as_bytes(), hash(&file, "/l2 header/hash")).unwrap()
}

#[test]
fn the_registry_is_read_slot_by_slot() {
    let before = world(Moment::Created, "game").read(|l1| {
        let registry = l1.registry()?;
        Ok((registry.anchor_game(), registry.respected_type(), registry.retirement(), registry.pause()))
    });
    assert_eq!(before, Ok((None, 0, 0x6b0b_2888, Pause::NotChecked)));
    let after = world(Moment::Resolved, "game");
    let read = after.read(|l1| {
        let registry = l1.registry()?;
        Ok((registry.anchor_game(), registry.respected_type(), registry.finality_delay()))
    });
    assert_eq!(read, Ok((Some(after.game), 0, DELAY)));
}

#[test]
fn the_factory_lists_both_games() {
    let world = world(Moment::Created, "game");
    let listed = world.read(|l1| {
        let factory = l1.registry()?.factory()?;
        assert_eq!(factory.address(), world.factory);
        Ok((factory.count()?, [factory.listed(0)?, factory.listed(1)?]))
    });
    let (count, [fault, super_game]) = listed.unwrap();
    assert_eq!((count, fault.game_type(), super_game.game_type()), (2, 0, 9));
    assert_eq!((fault.created_at(), super_game.created_at()), (0x6b0b_288a, 0x6b0b_288c));
    let file = captured("games.json");
    assert_eq!(fault.address(), address(&file, "/games/fault"));
    assert_eq!(super_game.address(), address(&file, "/games/super"));
    let none = world.read(|l1| l1.registry()?.factory()?.listed(2));
    assert_eq!(none, Err(Refusal::NoSuchGame));
}

#[test]
fn a_uuid_is_the_key_of_its_game() {
    let file = captured("games.json");
    for (game, uuid) in [("game", "/games/uuid"), ("super game", "/games/superUuid")] {
        let claim = world(Moment::Created, game).claim;
        assert_eq!(claim.uuid(), hash(&file, uuid), "{game}");
    }
}

#[test]
fn a_game_in_progress_is_only_proposed() {
    let world = world(Moment::Created, "game");
    assert_eq!(world.ask(|game| Ok(game.status())), Ok(Status::InProgress));
    let Ok(Verdict::Proposed(proposed)) = world.verdict() else { panic!("L1 has not accepted it") };
    assert_eq!((proposed.why(), proposed.game()), (WhyProposed::InProgress, world.game));
    assert_eq!((proposed.root_claim(), proposed.game_type()), (world.claim.root_claim, 0));
    assert_eq!(proposed.created_at(), 0x6b0b_288a);
}

/// The captured registry said `isGameClaimValid` = 0 at once, and 1 later.
#[test]
fn a_resolved_game_is_final_after_the_delay() {
    let mut world = world(Moment::Resolved, "game");
    assert_eq!(world.ask(|game| Ok(game.status())), Ok(Status::DefenderWins { resolved_at: RESOLVED_AT }));
    let until = RESOLVED_AT + DELAY;
    world.time = RESOLVED_AT;
    world.now = RESOLVED_AT;
    let Ok(Verdict::Proposed(at_once)) = world.verdict() else { panic!("the delay is not over") };
    assert_eq!(at_once.why(), WhyProposed::DelayNotOver { until });
    world.time = until + 1;
    world.now = until + 1;
    let Ok(Verdict::Accepted(later)) = world.verdict() else { panic!("the delay is over") };
    assert_eq!(
        (later.level(), later.block_number(), later.game()),
        (Level::L1Finalized, Some(66), world.game)
    );
    let header = l2_header();
    let anchor = later.open(&header, None).unwrap();
    assert_eq!((anchor.chain_id(), anchor.number(), anchor.hash()), (31_338, 66, header.hash()));
    assert_eq!((anchor.state_root(), anchor.level()), (header.state_root(), Level::L1Finalized));
    assert_eq!(anchor.vouched().l1().2.as_secs(), until + 1);
}

#[test]
fn a_blacklisted_game_is_the_one_that_the_guardian_took_back() {
    let file = captured("games.json");
    let keys = words(&file, "blacklist");
    let is_listed = |game: Address| {
        let key = Registry::blacklist_key(game);
        keys.iter().find(|(own, _)| *own == key).map(|(_, word)| *word)
    };
    let (fault, super_game) = (address(&file, "/games/fault"), address(&file, "/games/super"));
    assert_eq!((is_listed(fault), is_listed(super_game)), (Some(U256::ZERO), Some(U256::from(1))));
    assert_eq!(world(Moment::Resolved, "super game").verdict(), Err(Refusal::Blacklisted));
}

/// The registry counts type 0, so the super game never did.
#[test]
fn a_game_of_a_type_that_did_not_count_is_refused() {
    assert_eq!(world(Moment::Created, "super game").verdict(), Err(Refusal::NotRespected));
}

/// The captured super game names another moment than its block has; with the block's own time it opens.
#[test]
fn a_super_game_opens_the_block_of_its_moment() {
    let header = l2_header();
    let mut world = world(Moment::Created, "super game");
    let game = world.game;
    world.set(game, slot(9), U256::from(1));
    world.set(
        game,
        slot(0),
        (U256::from(0x0102) << 128) | (U256::from(RESOLVED_AT) << 64) | U256::from(0x6b0b_288c),
    );
    let open = |world: &World| match world.verdict() {
        Ok(Verdict::Accepted(accepted)) => accepted.open(&header, None),
        other => panic!("{other:?}"),
    };
    let got = header.timestamp();
    let expected = SuperRoot::read(&world.claim.extra_data, world.claim.root_claim).unwrap().time();
    assert_eq!(open(&world), Err(OpenError::Time { got, expected }));

    for (moment, is_open) in [(0, true), (1, true), (2, false)] {
        let mut world = world.clone();
        retime(&mut world, got.as_secs() + moment);
        let opened = open(&world);
        assert_eq!(opened.is_ok(), is_open, "{moment} s after the block: {opened:?}");
    }
}

/// Lets the super game be about another moment.
fn retime(world: &mut World, time: u64) {
    let mut extra_data = world.claim.extra_data.to_vec();
    extra_data[1..9].copy_from_slice(&time.to_be_bytes());
    renew(world, extra_data);
}

/// Gives the super game other extra data, and everything that follows from it.
pub(super) fn renew(world: &mut World, extra_data: Vec<u8>) {
    let code = world.accounts[&world.game].code.clone();
    let code = CloneCode::parse(&code).unwrap();
    let old = world.claim.extra_data.len();
    let (head, rest) = code.arguments().split_at(88);
    let mut arguments = [head, &extra_data, &rest[old..]].concat();
    world.claim.root_claim = keccak256(&extra_data);
    arguments[20..52].copy_from_slice(world.claim.root_claim.as_slice());
    world.claim.extra_data = extra_data.into();
    world.put_game(clone_code(code.implementation(), &arguments), 0x6b0b_288c);
}
