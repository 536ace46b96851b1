//! Which codes run is read whether they are known or not, and only what is reached by known codes is pinned.

use alloy_primitives::{Address, B256, U256, keccak256};
use saldo_beacon::unit::UnixTime;

use super::captured::{Moment, world};
use super::vectors::{address, captured, words};
use super::world::{FACTORY_CODE, FACTORY_IMPLEMENTATION, PROXY, World, slot};
use crate::rollup::{
    CloneCode, Contract, Factory, GameCode, GameKind, Level, Observed, Obstacle, Profile, Refusal,
    RegistryCode, Release, Verdict, observe,
};

/// 30 November 2026, 12:00.
const NOON: UnixTime = UnixTime::from_secs(1_796_040_000);
/// The slot of the contract that games of type 0 run, in the captured factory.
const NEXT: u8 = 101;

fn release(name: &str, version: &str) -> &'static Release {
    let is_it = |release: &&Release| (release.name, release.version) == (name, version);
    Release::known().iter().find(is_it).unwrap()
}

fn read(world: &World) -> Observed {
    world.read(|l1| observe(&l1)).unwrap()
}

/// The captured contracts with the codes that they had, and a profile that names no code.
fn unnamed() -> World {
    let mut world = world(Moment::Resolved, "game");
    world.account(FACTORY_IMPLEMENTATION).code_hash = release("DisputeGameFactory", "1.6.1").code_hash;
    let implementation = CloneCode::parse(&world.account(world.game).code.clone()).unwrap().implementation();
    world.account(implementation).code_hash = release("FaultDisputeGame", "2.4.1").code_hash;
    world.profile = without_codes(&world.profile);
    world
}

fn without_codes(profile: &Profile) -> Profile {
    let text = profile.to_toml();
    let (named, _) = text.split_once("[[registry_code]]").unwrap();
    Profile::from_toml(named).unwrap()
}

#[test]
fn a_profile_is_written_as_it_is_read() {
    let captured = world(Moment::Created, "game").profile;
    for profile in Profile::built_in().into_iter().chain([captured, super::base::profile("")]) {
        assert_eq!(Profile::from_toml(&profile.to_toml()).as_ref(), Ok(&profile), "{}", profile.name());
    }
}

#[test]
fn releases_agree_with_the_built_in_profiles() {
    let known = Release::known();
    assert!(
        known.iter().all(|own| known.iter().filter(|other| own.code_hash == other.code_hash).count() == 1)
    );
    let op = Profile::named("op").unwrap();
    let registry = release("AnchorStateRegistry", "3.9.0");
    assert_eq!(
        op.registry_codes().iter().map(|code| code.code_hash).collect::<Vec<_>>(),
        [registry.code_hash]
    );
}

/// The real factory keeps the contract that games of type 0 run where it is looked for.
#[test]
fn the_next_games_are_found_in_the_captured_factory() {
    let file = captured("games.json");
    let key = keccak256([slot(0), B256::with_last_byte(NEXT)].concat());
    assert_eq!(Factory::implementation_key(0), key);
    let game = world(Moment::Created, "game").account(address(&file, "/games/fault")).code.clone();
    let implementation = CloneCode::parse(&game).unwrap().implementation();
    let held = words(&file, "factory").into_iter().find(|(own, _)| *own == key);
    assert_eq!(held, Some((key, implementation.into_word().into())));
}

#[test]
fn known_codes_pin_a_profile_that_names_none() {
    let mut world = unnamed();
    let unknown = Refusal::UnknownCode {
        contract: Contract::Registry,
        got: release("AnchorStateRegistry", "3.9.0").code_hash,
    };
    assert_eq!(world.verdict(), Err(unknown));
    let observed = read(&world);
    let named: Vec<_> = observed.codes.iter().map(|code| code.release().map(|known| known.name)).collect();
    assert_eq!(named, ["AnchorStateRegistry", "DisputeGameFactory", "FaultDisputeGame"].map(Some));
    assert_eq!(observed.ended_by, None);

    let pinned = world.profile.pinned(&observed, NOON);
    assert_eq!((pinned.is_pinned(), pinned.read_on()), (true, "2026-11-30"));
    assert_eq!(Profile::from_toml(&pinned.to_toml()).as_ref(), Ok(&pinned));
    let [code] = pinned.registry_codes() else { panic!("{pinned:?}") };
    let expected = RegistryCode { code_hash: observed.codes[0].code_hash, finality_delay: 302_400 };
    assert_eq!(*code, expected);
    let kind = GameKind::Fault { is_permissioned: false };
    let game = GameCode { code_hash: observed.codes[2].code_hash, game_type: 0, kind };
    assert_eq!(pinned.game_codes(), [game]);
    world.profile = pinned;
    let Ok(Verdict::Accepted(accepted)) = world.verdict() else { panic!("the game is final") };
    assert_eq!(accepted.level(), Level::L1Finalized);
}

/// Only what is reached by known codes is named.
#[test]
fn behind_an_unknown_code_nothing_is_pinned() {
    let pinned = |change: &dyn Fn(&mut World)| {
        let mut world = unnamed();
        change(&mut world);
        let observed = read(&world);
        assert_eq!(observed.codes.len(), 3, "all are told");
        let pinned = world.profile.pinned(&observed, NOON);
        assert!(!pinned.is_pinned());
        let text = pinned.to_toml();
        ["registry", "factory", "game"].map(|contract| text.contains(&format!("[[{contract}_code]]")))
    };
    let upgrade = |world: &mut World, implementation: Address| {
        world.account(implementation).code_hash = FACTORY_CODE;
    };
    let of_registry = address(&captured("games.json"), "/contracts/AnchorStateRegistryCode");
    assert_eq!(pinned(&|world| upgrade(world, of_registry)), [false, false, false]);
    assert_eq!(pinned(&|world| upgrade(world, FACTORY_IMPLEMENTATION)), [true, false, false]);
    let of_game = |world: &mut World| {
        let code = world.account(world.game).code.clone();
        CloneCode::parse(&code).unwrap().implementation()
    };
    let game = |world: &mut World| {
        let implementation = of_game(world);
        upgrade(world, implementation);
    };
    assert_eq!(pinned(&game), [true, true, false]);
}

/// A release of a game is known for its types. In a game of another type its code is not.
#[test]
fn a_known_game_of_another_type_is_not_pinned() {
    let world = unnamed();
    let mut observed = read(&world);
    observed.codes[2].game_type = Some(621);
    assert_eq!(observed.codes[2].release(), None);
    assert_eq!(world.profile.pinned(&observed, NOON).game_codes(), []);
    // A registry's code in a factory is no factory.
    observed.codes[1].code_hash = observed.codes[0].code_hash;
    assert_eq!(observed.codes[1].release(), None);
}

/// What the profile itself names stays, as far as it runs; what does not run is dropped.
#[test]
fn a_profile_keeps_what_it_names_and_what_runs() {
    let mut world = world(Moment::Resolved, "game");
    let stale = format!("{}\n[[factory_code]]\ncode_hash = \"{}\"\n", world.profile.to_toml(), B256::ZERO);
    world.profile = Profile::from_toml(&stale).unwrap();
    let observed = read(&world);
    assert!(observed.codes.iter().all(|code| world.profile.names(code)));
    let pinned = world.profile.pinned(&observed, NOON);
    let text = pinned.to_toml();
    assert!(pinned.is_pinned() && !text.contains(&B256::ZERO.to_string()), "{text}");
    assert_eq!(pinned.game_codes().len(), 1, "no game of type 9 counts");
}

#[test]
fn a_contract_that_is_built_otherwise_ends_the_reading() {
    let mut world = unnamed();
    let registry = world.profile.registry();
    world.set(registry, slot(1), U256::MAX);
    let observed = read(&world);
    assert_eq!(observed.ended_by, Some(Refusal::Layout { contract: Contract::Registry }));
    assert_eq!(observed.codes.len(), 1);

    world.account(registry).code_hash = FACTORY_CODE;
    let observed = read(&world);
    let unknown = Refusal::UnknownCode { contract: Contract::Registry, got: FACTORY_CODE };
    assert_eq!((observed.codes, observed.ended_by), (Vec::new(), Some(unknown)));
    assert_ne!(FACTORY_CODE, PROXY);
}

#[test]
fn what_is_not_proven_is_asked_for() {
    let world = unnamed();
    let root = saldo_proof::StateRoot::new(B256::ZERO);
    let header = super::world::header(B256::ZERO, 1, world.time, B256::ZERO, None);
    let anchor = super::world::anchor(world.l1_chain_id, &header, true);
    let state = saldo_proof::ProvenState::new(root);
    let now = UnixTime::from_secs(world.time);
    let l1 =
        crate::rollup::L1State::new(&world.profile, &anchor, &state, now, crate::rollup::L1State::MAX_AGE);
    let Err(Obstacle::Missing(query)) = observe(&l1.unwrap()) else { panic!("nothing is proven") };
    assert!(query.slots().contains_key(&world.profile.registry()));
}
