//! A rollup like Base: its registry, factory and newest game as they were on Base Sepolia on 30 September 2026, with claims about
//! blocks that are made here, so that their headers are known.

use std::sync::LazyLock;

use crate::ExecutionHeader;
use alloy_primitives::{Address, B256, U256, address, keccak256};

use super::world::{
    FACTORY_CODE, FACTORY_IMPLEMENTATION, GAME_CODE, REGISTRY_CODE, REGISTRY_IMPLEMENTATION, World,
    clone_code, header, slot, status_word,
};
use crate::rollup::registry::mapped;
use crate::rollup::{Accepted, GameClaim, Profile, Refusal, Verdict};

pub(super) const REGISTRY: Address = address!("2fF5cC82dBf333Ea30D8ee462178ab1707315355");
pub(super) const FACTORY: Address = address!("d6E6dBf4F7EA0ac412fD8b65ED297e64BB7a06E1");
pub(super) const GAME: Address = address!("2cdE9E4Bd2b9C1eEe6BCe795034d73C2484db118");
/// The contract whose code the game runs.
pub(super) const VERIFIER: Address = address!("d702aae6221f36dfe7e8ebc4315d64344a9db4cb");
pub(super) const CREATED_AT: u64 = 1_790_798_460;
pub(super) const L1_TIME: u64 = 1_790_799_312;
/// The number of the claim's block, and how many blocks the game is about.
pub(super) const LAST: u64 = 47_513_663;
pub(super) const INTERVAL: u64 = 600;
pub(super) const STEP: u64 = 30;
const FIRST: u64 = LAST - INTERVAL;

/// The rollup's blocks that the game is about, and the one before them.
static BLOCKS: LazyLock<Vec<ExecutionHeader>> = LazyLock::new(|| fork(0));

/// Returns blocks of the same numbers and times; each `branch` has its own.
pub(super) fn fork(branch: u8) -> Vec<ExecutionHeader> {
    let mut blocks: Vec<ExecutionHeader> = Vec::new();
    for number in FIRST..=LAST {
        let parent = blocks.last().map_or(B256::repeat_byte(branch), ExecutionHeader::hash);
        let of = |what: &str| keccak256(format!("{what} of {number}"));
        let time = number.saturating_mul(2).saturating_add(1_695_768_288);
        blocks.push(header(parent, number, time, of("state"), Some(of("messages"))));
    }
    blocks
}

/// Returns the rollup's block with this number.
pub(super) fn block(number: u64) -> &'static ExecutionHeader {
    &BLOCKS[usize::try_from(number.checked_sub(FIRST).unwrap()).unwrap()]
}

/// Computes an output root without the code under test.
pub(super) fn output_root(header: &ExecutionHeader) -> B256 {
    let messages = header.withdrawals_root().unwrap();
    let words = [B256::ZERO, header.state_root().get(), messages, header.hash()];
    keccak256(words.map(|word| word.0).concat())
}

/// The claim about these blocks: the root of each 30th.
pub(super) fn claim(roots: &[B256]) -> GameClaim {
    let last = U256::from(LAST).to_be_bytes::<32>();
    let parent = address!("9ac41c23fb804746a53da58fb82375b8d5abd963");
    let roots: Vec<[u8; 32]> = roots.iter().map(|root| root.0).collect();
    let extra_data = [&last[..], parent.as_slice(), &roots.concat()].concat();
    let root_claim = roots.last().copied().unwrap().into();
    GameClaim { game_type: 621, root_claim, extra_data: extra_data.into() }
}

pub(super) fn true_roots() -> Vec<B256> {
    let numbers = (FIRST..=LAST).step_by(usize::try_from(STEP).unwrap()).skip(1);
    numbers.map(|number| output_root(block(number))).collect()
}

/// The arguments in the code of a game with this claim.
pub(super) fn arguments(claim: &GameClaim) -> Vec<u8> {
    let creator = address!("db84125f2f4229c81c579f41bc129c71b174eb58");
    let l1_head = keccak256("L1 head");
    [creator.as_slice(), claim.root_claim.as_slice(), l1_head.as_slice(), &claim.extra_data].concat()
}

pub(super) fn profile(more: &str) -> Profile {
    profile_of(include_str!("../profile/base-sepolia.toml"), more)
}

/// Completes a profile's text by the codes of this world.
pub(super) fn profile_of(text: &str, more: &str) -> Profile {
    let codes = format!(
        "\n[[registry_code]]\ncode_hash = \"{REGISTRY_CODE}\"\nfinality_delay = 0\n\
         [[factory_code]]\ncode_hash = \"{FACTORY_CODE}\"\n\
         [[game_code]]\ncode_hash = \"{GAME_CODE}\"\ngame_type = 621\nkind = \"multiproof\"\ninterval = {INTERVAL}\nstep = {STEP}\n"
    );
    Profile::from_toml(&format!("{text}{codes}{more}")).unwrap()
}

/// The world in which the game's proof was checked by L1 when it was created, and 14 minutes have passed since.
pub(super) fn world() -> World {
    world_with(claim(&true_roots()))
}

/// The same with another claim.
pub(super) fn world_with(claim: GameClaim) -> World {
    let code = clone_code(VERIFIER, &arguments(&claim));
    let mut world = World {
        profile: profile(""),
        accounts: Default::default(),
        factory: FACTORY,
        game: GAME,
        claim,
        time: L1_TIME,
        now: L1_TIME + 900,
        l1_chain_id: 11_155_111,
        is_final: true,
    };
    world.put_proxy(REGISTRY, REGISTRY_IMPLEMENTATION, REGISTRY_CODE);
    world.put_proxy(FACTORY, FACTORY_IMPLEMENTATION, FACTORY_CODE);
    let system_config = world.profile.system_config().unwrap();
    world.set(REGISTRY, slot(0), named(system_config));
    world.set(REGISTRY, slot(1), FACTORY.into_word().into());
    world.set(REGISTRY, slot(2), address!("0ff1f325106c9de954ea24576e6593d13f675225").into_word().into());
    world.set(REGISTRY, slot(6), respected(621, 1_776_392_808));
    world.put_game(code, CREATED_AT);
    world.account(VERIFIER).code_hash = GAME_CODE;
    world.set(GAME, slot(0), status_word(CREATED_AT, 0, 0, true));
    world.set(GAME, tee(), U256::from(0xdead));
    world.set(GAME, slot(7), proofs(1));
    world
}

/// Slot 0 of a registry: the system that it belongs to, and that it is initialized.
pub(super) fn named(system_config: Address) -> U256 {
    U256::from_be_slice(&[system_config.as_slice(), &[0, 2]].concat())
}

/// Slot 6 of a registry.
pub(super) fn respected(game_type: u32, retirement: u64) -> U256 {
    let word = [&retirement.to_be_bytes()[..], &game_type.to_be_bytes()].concat();
    U256::from_be_slice(&word)
}

/// Slot 7 of a game: its expected resolution, and how many proofs count.
pub(super) fn proofs(count: u8) -> U256 {
    const EXPECTED: u64 = CREATED_AT + 432_000;
    U256::from_be_slice(&[&[count][..], &EXPECTED.to_be_bytes()].concat())
}

/// The key of the first prover of a game.
pub(super) fn tee() -> B256 {
    mapped(slot(0), 6)
}

/// The key of the second prover of a game.
pub(super) fn zk() -> B256 {
    mapped(slot(1), 6)
}

/// The verdict of a world in which L1 vouches for the claim.
pub(super) fn accepted(world: &World) -> Accepted {
    match world.verdict() {
        Ok(Verdict::Accepted(accepted)) => accepted,
        other => panic!("{other:?}"),
    }
}

/// Changes the true world, and returns the refusal.
pub(super) fn refused(change: impl FnOnce(&mut World)) -> Refusal {
    let mut changed = world();
    change(&mut changed);
    changed.verdict().expect_err("the changed world is refused")
}
