//! False claims, and contracts that are not what they were: from the true world one thing is changed, and no block follows.

use crate::{ExecutionHeader, HeaderError};
use alloy_primitives::{Address, B256, U256, keccak256};

use super::base::{
    self, CREATED_AT, FACTORY, GAME, INTERVAL, L1_TIME, LAST, REGISTRY, STEP, accepted, arguments, block,
    claim, fork, output_root, proofs, refused, respected, tee, true_roots, world, world_with, zk,
};
use super::captured::{self, Moment, renew};
use super::world::{
    FACTORY_IMPLEMENTATION, GAME_CODE, PAUSE_CODE, PAUSE_IMPLEMENTATION, REGISTRY_IMPLEMENTATION, World,
    clone_code, game_id, slot, status_word,
};
use crate::rollup::registry::mapped;
use crate::rollup::{
    CloneCodeError, Contract, ExtraDataError, Factory, Level, OpenError, Pause, Provers, Refusal,
    SuperRootError, Verdict, WhyProposed,
};

const UNKNOWN: B256 = B256::repeat_byte(0xee);

fn proposed(world: &World) -> WhyProposed {
    match world.verdict() {
        Ok(Verdict::Proposed(proposed)) => proposed.why(),
        other => panic!("{other:?}"),
    }
}

fn unknown(contract: Contract) -> Refusal {
    Refusal::UnknownCode { contract, got: UNKNOWN }
}

/// What the other tests change. Without a change, all 20 roots open.
#[test]
fn the_true_claim_opens_its_blocks() {
    let accepted = accepted(&world());
    assert_eq!((accepted.level(), accepted.block_number()), (Level::L1ProofChecked, Some(LAST)));
    assert_eq!((accepted.game(), accepted.time()), (GAME, None));
    let numbers: Vec<u64> = accepted.block_numbers().collect();
    assert_eq!((numbers.len(), numbers[0]), (20, LAST - INTERVAL + STEP));
    for number in numbers {
        let anchor = accepted.open(block(number), None).unwrap();
        assert_eq!((anchor.number(), anchor.hash()), (number, block(number).hash()));
        assert_eq!(
            (anchor.chain_id(), anchor.vouched().provers(), anchor.vouched().pause()),
            (84_532, Provers::Tee, Pause::NotChecked)
        );
        assert_eq!((anchor.vouched().game(), anchor.vouched().game_type()), (GAME, 621));
    }
}

/// Where anybody may propose, the newest game can claim anything.
#[test]
fn a_permissionless_false_root_is_only_proposed() {
    assert_eq!(proposed(&captured::world(Moment::Created, "game")), WhyProposed::InProgress);
}

#[test]
fn a_checked_proof_that_no_longer_counts_is_only_proposed() {
    let mut changed = world();
    changed.set(GAME, slot(7), proofs(0));
    assert_eq!(proposed(&changed), WhyProposed::NoProof);
    let mut changed = world();
    changed.set(GAME, tee(), U256::ZERO);
    assert_eq!(proposed(&changed), WhyProposed::NoProof);
    changed.set(GAME, zk(), U256::from(0xbeef));
    assert_eq!(accepted(&changed).open(block(LAST), None).unwrap().vouched().provers(), Provers::Zk);
    changed.set(GAME, tee(), U256::from(0xdead));
    assert_eq!(accepted(&changed).open(block(LAST), None).unwrap().vouched().provers(), Provers::Both);
}

#[test]
fn a_game_of_another_registry_or_rollup_is_refused() {
    let of = |at: usize, bytes: &[u8]| {
        let mut world = captured::world(Moment::Resolved, "game");
        let code = world.accounts[&world.game].code.clone();
        let code = crate::rollup::CloneCode::parse(&code).unwrap();
        let mut arguments = code.arguments().to_vec();
        let start = arguments.len() - at;
        arguments[start..start + bytes.len()].copy_from_slice(bytes);
        world.put_game(clone_code(code.implementation(), &arguments), 0x6b0b_288a);
        world.verdict().unwrap_err()
    };
    let expected = captured::world(Moment::Resolved, "game").profile.registry();
    let got = Address::repeat_byte(7);
    assert_eq!(of(72, got.as_slice()), Refusal::OtherRegistry { got, expected });
    let chain = U256::from(10).to_be_bytes::<32>();
    assert_eq!(of(32, &chain), Refusal::OtherChain { got: 10, expected: 31_338 });
    assert_eq!(of(32, &[0xff; 32]), Refusal::OtherChain { got: u64::MAX, expected: 31_338 });
}

#[test]
fn the_registry_of_another_rollup_is_refused() {
    let other = Address::repeat_byte(7);
    let refusal = refused(|world| world.set(REGISTRY, slot(0), base::named(other)));
    let expected = base::profile("").system_config().unwrap();
    assert_eq!(refusal, Refusal::OtherSystem { got: other, expected });
}

#[test]
fn a_super_root_has_one_entry_of_the_rollup() {
    let refuse = |entries: &[u64]| {
        let mut world = captured::world(Moment::Created, "super game");
        let old = world.claim.extra_data.to_vec();
        let entry = |chain: &u64| [U256::from(*chain).to_be_bytes::<32>(), [7; 32]].concat();
        let entries: Vec<u8> = entries.iter().flat_map(entry).collect();
        renew(&mut world, [&old[..9], &entries].concat());
        world.verdict().unwrap_err()
    };
    let chain_id = 31_338;
    assert_eq!(refuse(&[10, 130]), SuperRootError::NoEntry { chain_id }.into());
    assert_eq!(refuse(&[10, chain_id, chain_id]), SuperRootError::TwoEntries { chain_id }.into());
    assert_eq!(refuse(&[]), SuperRootError::Length { got: 9 }.into());
    // With one entry it is read; that its type did not count is found later.
    assert_eq!(refuse(&[10, chain_id]), Refusal::NotRespected);
}

#[test]
fn a_malformed_super_root_is_refused() {
    let refuse = |change: fn(&mut Vec<u8>)| {
        let mut world = captured::world(Moment::Created, "super game");
        let mut extra_data = world.claim.extra_data.to_vec();
        change(&mut extra_data);
        renew(&mut world, extra_data);
        world.verdict().unwrap_err()
    };
    assert_eq!(refuse(|bytes| bytes[0] = 2), SuperRootError::Version { got: Some(2) }.into());
    assert_eq!(refuse(|bytes| bytes.clear()), SuperRootError::Version { got: None }.into());
    assert_eq!(refuse(|bytes| bytes.push(0)), SuperRootError::Length { got: 74 }.into());
    let mut world = captured::world(Moment::Created, "super game");
    let mut arguments =
        crate::rollup::CloneCode::parse(&world.accounts[&world.game].code).unwrap().arguments().to_vec();
    let implementation =
        crate::rollup::CloneCode::parse(&world.accounts[&world.game].code).unwrap().implementation();
    let (got, expected) = (world.claim.root_claim, B256::repeat_byte(8));
    arguments[20..52].copy_from_slice(expected.as_slice());
    world.claim.root_claim = expected;
    world.put_game(clone_code(implementation, &arguments), 0x6b0b_288c);
    assert_eq!(world.verdict(), Err(SuperRootError::OtherClaim { got, expected }.into()));
}

#[test]
fn a_claim_that_the_factory_does_not_have_is_refused() {
    assert_eq!(refused(|world| world.claim.game_type = 1), Refusal::NoSuchGame);
    assert_eq!(refused(|world| world.claim.root_claim = UNKNOWN), Refusal::NoSuchGame);
    let longer =
        |world: &mut World| world.claim.extra_data = [&world.claim.extra_data[..], &[0]].concat().into();
    assert_eq!(refused(longer), Refusal::NoSuchGame);
}

#[test]
fn a_game_with_another_claim_in_its_code_is_refused() {
    let other = claim(&[true_roots(), vec![UNKNOWN]].concat()[1..]);
    let code = clone_code(base::VERIFIER, &arguments(&other));
    assert_eq!(refused(|world| world.put_game(code, CREATED_AT)), Refusal::OtherClaim);
}

#[test]
fn a_game_of_another_type_than_its_code_is_refused() {
    let to_type = |world: &mut World, game_type: u32| {
        world.claim.game_type = game_type;
        let code = world.accounts[&GAME].code.clone();
        world.put_game(code, CREATED_AT);
    };
    let refusal = refused(|world| to_type(world, 1));
    assert_eq!(refusal, Refusal::GameType { got: 1, expected: 621 });
    // The factory's word names another type than its key was made of.
    let key = Factory::game_key(&world().claim);
    let refusal = refused(|world| world.set(FACTORY, key, game_id(1, CREATED_AT, GAME)));
    assert_eq!(refusal, Refusal::Layout { contract: Contract::Factory });
}

#[test]
fn code_that_the_profile_does_not_know_is_refused() {
    let set = |address: Address| refused(|world| world.account(address).code_hash = UNKNOWN);
    assert_eq!(set(REGISTRY), unknown(Contract::Registry));
    assert_eq!(set(REGISTRY_IMPLEMENTATION), unknown(Contract::Registry));
    assert_eq!(set(FACTORY), unknown(Contract::Factory));
    assert_eq!(set(FACTORY_IMPLEMENTATION), unknown(Contract::Factory));
    assert_eq!(set(base::VERIFIER), unknown(Contract::Game));
    let elsewhere = |world: &mut World| {
        world.set(REGISTRY, crate::rollup::proxy::IMPLEMENTATION_SLOT, U256::ZERO);
    };
    assert_eq!(refused(elsewhere), Refusal::Layout { contract: Contract::Registry });
}

#[test]
fn code_that_is_no_games_proxy_is_refused() {
    let with = |change: fn(&mut Vec<u8>)| {
        let mut code = world().accounts[&GAME].code.to_vec();
        change(&mut code);
        refused(|world| world.put_game(code.into(), CREATED_AT))
    };
    assert_eq!(with(|code| code[0] ^= 1), CloneCodeError::OtherProxy.into());
    assert_eq!(with(|code| code.clear()), CloneCodeError::OtherProxy.into());
    let length = CloneCodeError::Length { got: 778, expected: 777 };
    assert_eq!(with(|code| code.truncate(code.len() - 1)), length.into());
    let short = |code: &mut Vec<u8>| *code = clone_code(base::VERIFIER, &[0; 83]).into();
    assert_eq!(with(short), CloneCodeError::Arguments { got: 83 }.into());
}

#[test]
fn a_retired_game_is_refused() {
    let retirement = CREATED_AT;
    let refusal = refused(|world| world.set(REGISTRY, slot(6), respected(621, retirement)));
    assert_eq!(refusal, Refusal::Retired { created: CREATED_AT, retirement });
    let mut younger = world();
    younger.set(REGISTRY, slot(6), respected(621, retirement - 1));
    assert_eq!(accepted(&younger).level(), Level::L1ProofChecked);
}

#[test]
fn a_game_whose_type_no_longer_counts_is_only_proposed() {
    let mut changed = world();
    changed.set(REGISTRY, slot(6), respected(9, 1_776_392_808));
    assert_eq!(proposed(&changed), WhyProposed::OtherType { respected: 9 });
    let never = status_word(CREATED_AT, 0, 0, false);
    assert_eq!(refused(|world| world.set(GAME, slot(0), never)), Refusal::NotRespected);
}

#[test]
fn a_game_that_l1_took_back_is_refused() {
    assert_eq!(refused(|world| world.set_blacklisted(GAME)), Refusal::Blacklisted);
    let lost = status_word(CREATED_AT, CREATED_AT + 60, 1, true);
    assert_eq!(refused(|world| world.set(GAME, slot(0), lost)), Refusal::ChallengerWins);
    assert_eq!(refused(|world| world.set(GAME, slot(5), U256::from(3))), Refusal::Countered { index: 2 });
    for taken in [Refusal::Blacklisted, Refusal::ChallengerWins, Refusal::Countered { index: 2 }] {
        assert!(taken.takes_back(), "{taken}");
    }
    assert!(!Refusal::L1NotFinal.takes_back());
}

#[test]
fn a_paused_rollup_is_refused() {
    let identifier = base::profile("").pause_identifier().unwrap();
    let contract = Address::repeat_byte(0x55);
    let paused = |of: Address, moment: u64| {
        let more = format!("[[pause_code]]\ncode_hash = \"{PAUSE_CODE}\"\nslot = 1\n");
        let text = include_str!("../profile/base-sepolia.toml");
        let named =
            text.replace("superchain_config = \"unknown\"", &format!("superchain_config = \"{contract}\""));
        let mut world = world();
        world.profile = base::profile_of(&named, &more);
        world.put_proxy(contract, PAUSE_IMPLEMENTATION, PAUSE_CODE);
        world.set(contract, mapped(of.into_word(), 1), U256::from(moment));
        world
    };
    const EXPIRY: u64 = 7_884_000;
    for of in [Address::ZERO, identifier] {
        assert_eq!(paused(of, L1_TIME - EXPIRY).verdict(), Err(Refusal::Paused));
        let over = accepted(&paused(of, L1_TIME - EXPIRY - 1)).open(block(LAST), None).unwrap();
        assert_eq!(over.vouched().pause(), Pause::NotPaused);
    }
    let mut unknown = paused(identifier, L1_TIME);
    unknown.account(PAUSE_IMPLEMENTATION).code_hash = UNKNOWN;
    assert_eq!(accepted(&unknown).open(block(LAST), None).unwrap().vouched().pause(), Pause::NotChecked);
}

#[test]
fn a_status_that_is_not_final_gives_no_final_level() {
    let at = |resolved_at: u64| {
        let mut changed = world();
        changed.set(GAME, slot(0), status_word(CREATED_AT, resolved_at, 2, true));
        accepted(&changed).level()
    };
    assert_eq!((at(L1_TIME - 1), at(L1_TIME)), (Level::L1Finalized, Level::L1ProofChecked));
    let layout = Refusal::Layout { contract: Contract::Game };
    let odd = |word: U256| refused(|world| world.set(GAME, slot(0), word));
    assert_eq!(odd(status_word(CREATED_AT, 0, 2, true)), layout);
    assert_eq!(odd(status_word(CREATED_AT, L1_TIME, 0, true)), layout);
    assert_eq!(odd(status_word(CREATED_AT + 1, 0, 0, true)), layout);
    assert_eq!(odd(status_word(CREATED_AT, L1_TIME, 3, true)), Refusal::UnknownStatus { got: 3 });
    assert_eq!(odd(status_word(CREATED_AT, L1_TIME + 1, 2, true)), Refusal::AfterL1);
    assert_eq!(odd(U256::from(CREATED_AT)), Refusal::NotInitialized);
}

/// The device's clock says that the delay is over for years.
#[test]
fn finality_is_judged_by_the_time_of_l1() {
    let mut world = captured::world(Moment::Resolved, "game");
    world.time -= 1;
    world.now = world.time + 3_600;
    let until = world.time;
    assert_eq!(proposed(&world), WhyProposed::DelayNotOver { until });
    world.time += 1;
    assert_eq!(accepted(&world).level(), Level::L1Finalized);
}

#[test]
fn an_old_or_unfinal_or_foreign_l1_block_is_refused() {
    let limit = crate::rollup::L1State::MAX_AGE;
    let age = limit + std::time::Duration::from_secs(1);
    assert_eq!(refused(|world| world.now = L1_TIME + 3_601), Refusal::L1TooOld { age, limit });
    assert_eq!(refused(|world| world.is_final = false), Refusal::L1NotFinal);
    let foreign = Refusal::OtherL1 { got: 1, expected: 11_155_111 };
    assert_eq!(refused(|world| world.l1_chain_id = 1), foreign);
}

#[test]
fn a_header_of_another_block_opens_nothing() {
    let accepted = accepted(&world());
    let other = fork(1).pop().unwrap();
    assert_eq!((other.number(), other.state_root()), (LAST, block(LAST).state_root()));
    assert_eq!(accepted.open(&other, None), Err(OpenError::OutputRoot { got: output_root(&other) }));
    // An older block that is sent for the newest one.
    let old = block(LAST - 1);
    assert_eq!(accepted.open(old, None), Err(OpenError::OutputRoot { got: output_root(old) }));
    // The true header with another root of messages.
    let refusal = accepted.open(block(LAST), Some(UNKNOWN)).unwrap_err();
    assert!(matches!(refusal, OpenError::OutputRoot { .. }), "{refusal}");
    let bare = super::world::header(B256::ZERO, LAST, 1, B256::ZERO, None);
    assert_eq!(accepted.open(&bare, None), Err(OpenError::NoMessages));
}

#[test]
fn a_header_that_hashes_elsewhere_is_refused() {
    let mut rlp = block(LAST).rlp().to_vec();
    let expected = block(LAST).hash();
    let end = rlp.len() - 1;
    rlp[end] ^= 1;
    let refusal = ExecutionHeader::from_rlp(&rlp, expected).unwrap_err();
    assert_eq!(refusal, HeaderError::HashMismatch { got: keccak256(&rlp), expected });
}

/// Each root stands at the place of the next one: the block of a root is not the one that the game says.
#[test]
fn an_intermediate_root_off_by_one_opens_nothing() {
    let mut roots = true_roots();
    roots.remove(0);
    roots.insert(roots.len() - 1, UNKNOWN);
    let accepted = accepted(&world_with(claim(&roots)));
    let second = LAST - INTERVAL + 2 * STEP;
    let refusal = accepted.open(block(second), None);
    assert_eq!(refusal, Err(OpenError::Number { got: second, expected: second - STEP }));
    assert_eq!(accepted.open(block(LAST), None).map(|anchor| anchor.number()), Ok(LAST));
}

#[test]
fn extra_data_of_another_form_is_refused() {
    let with = |change: fn(&mut Vec<u8>)| {
        let mut claim = claim(&true_roots());
        let mut extra_data = claim.extra_data.to_vec();
        change(&mut extra_data);
        claim.extra_data = extra_data.into();
        world_with(claim).verdict().unwrap_err()
    };
    let length = |got| Refusal::ExtraData(ExtraDataError::Length { got, expected: 692 });
    assert_eq!(with(|bytes| bytes.truncate(691)), length(691));
    assert_eq!(with(|bytes| bytes.extend([0; 32])), length(724));
    assert_eq!(with(|bytes| bytes[0] = 1), ExtraDataError::BlockNumber.into());
    let before_the_first = |bytes: &mut Vec<u8>| bytes[..32].copy_from_slice(slot(INTERVAL - 1).as_slice());
    assert_eq!(with(before_the_first), ExtraDataError::BlockNumber.into());
    let expected = *true_roots().last().unwrap();
    let mut got = expected;
    got.0[31] ^= 1;
    let refusal = with(|bytes| *bytes.last_mut().unwrap() ^= 1);
    assert_eq!(refusal, ExtraDataError::LastRoot { got, expected }.into());
    assert_eq!(GAME_CODE, world().accounts[&base::VERIFIER].code_hash);
}
