//! Tokens that real compilers made: what saldo finds by running their code is what another virtual machine found, and what the slot
//! says where a layout is known. Hostile contracts are refused by name, are no tokens, or return what the chain's rules give.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use saldo_execute::{Bound, Refusal, execute};
use saldo_tests::compiled::{all_compiled, compiled};
use saldo_tests::proven_world::{Contract, ProvenWorld};
use saldo_token::{NotAToken, Obstacle, VerifiedBalance, balance_of, layouts};

const TOKEN: Address = Address::repeat_byte(0x70);
const OTHER: Address = Address::repeat_byte(0x71);
const OWNER: Address = Address::repeat_byte(0xa1);
const CODE_OF_OWNER: [u8; 1] = [0];

fn word(address: Address) -> U256 {
    U256::from_be_bytes(address.into_word().0)
}

/// A world in which the token is the compiled contract of that name, with what was observed in its storage.
fn world(name: &str) -> ProvenWorld {
    let contract = compiled(name);
    let mut world = ProvenWorld::default().with(TOKEN, contract.deployed_code);
    for (slot, word) in contract.observed.iter().flat_map(|observed| &observed.storage) {
        world = world.storing(TOKEN, *slot, (*word).into());
    }
    world
}

/// The balance of `owner`, by running the code.
fn run(world: &ProvenWorld, owner: Address) -> Result<U256, Obstacle> {
    let executed = world.run(&balance_of(TOKEN, owner)).0.map_err(Obstacle::NotRun)?;
    Ok(VerifiedBalance::from_execution(&executed, TOKEN, owner)?.amount())
}

#[test]
fn the_amount_is_what_another_virtual_machine_returned() {
    let mut names = Vec::new();
    for contract in all_compiled() {
        let Some(observed) = &contract.observed else { continue };
        let mut world = world(&contract.name);
        if contract.name == "interest" {
            // Its pool, just updated, as when it was observed.
            let time = world.environment().timestamp().as_secs();
            let pool = Address::from_word(*observed.storage.get(&B256::with_last_byte(1)).unwrap());
            let rates = (U256::from(10_u128.pow(18)) << 128) | U256::from(10_u128.pow(27));
            world = world.with(pool, compiled("interest-pool").deployed_code);
            world = world.storing(pool, B256::ZERO, rates);
            world = world.storing(pool, B256::with_last_byte(1), U256::from(time));
        }
        assert_eq!(run(&world, observed.holder), Ok(observed.balance), "{}", contract.name);
        assert_eq!(run(&world, Address::repeat_byte(0x99)), Ok(U256::ZERO), "{}", contract.name);
        names.push(contract.name);
    }
    assert!(names.len() >= 11, "{names:?}");
}

#[test]
fn interest_grows_with_the_time_of_the_block() {
    let world = world("interest");
    let time = world.environment().timestamp().as_secs();
    let observed = compiled("interest").observed.unwrap();
    let pool = Address::from_word(*observed.storage.get(&B256::with_last_byte(1)).unwrap());
    let rates = (U256::from(10_u128.pow(24)) << 128) | U256::from(10_u128.pow(27));
    let world = world.with(pool, compiled("interest-pool").deployed_code).storing(pool, B256::ZERO, rates);
    // 100 seconds ago: one part in a thousand for each.
    let world = world.storing(pool, B256::with_last_byte(1), U256::from(time - 100));
    let grown = (observed.units * U256::from(1_100) + U256::from(500)) / U256::from(1_000);
    assert_eq!(run(&world, observed.holder), Ok(grown));
}

/// Wherever a layout is known, the slot and the code say the same: of a holder, of a stranger, of the largest word.
#[test]
fn the_slot_and_the_code_agree() {
    let mut compared = Vec::new();
    for contract in all_compiled() {
        let known = layouts().iter().find(|layout| layout.code_hash == contract.deployed_code_hash);
        let Some(layout) = known else { continue };
        let holders = [(OWNER, U256::from(7)), (OTHER, U256::MAX), (TOKEN, U256::ZERO)];
        let mut world = world(&contract.name);
        for (holder, amount) in holders {
            world = world.storing(TOKEN, layout.mapping.slot(holder), amount);
        }
        for (holder, _) in holders {
            let (environment, mut state) = (world.environment(), world.nothing());
            let by_code = loop {
                match execute(&state, &environment, &balance_of(TOKEN, holder)) {
                    Err(Refusal::Missing(query)) => world.prove(&mut state, &query),
                    ended => break VerifiedBalance::from_execution(&ended.unwrap(), TOKEN, holder).unwrap(),
                }
            };
            let by_slot = loop {
                match VerifiedBalance::from_slot(&state, TOKEN, holder) {
                    Err(Obstacle::Missing(query)) => world.prove(&mut state, &query),
                    found => break found.unwrap(),
                }
            };
            assert_eq!(by_code.amount(), by_slot.amount(), "{} {holder}", contract.name);
        }
        compared.push(contract.name);
    }
    assert!(compared.contains(&"weth9".to_owned()), "{compared:?}");
}

#[test]
fn proxies_of_openzeppelin_follow_their_pointers() {
    let token = compiled("openzeppelin-plain");
    let observed = token.observed.unwrap();
    let implementation =
        alloy_primitives::b256!("360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc");
    // The transparent one answers its admin itself. Without an admin that would be the zero address, which calls.
    let admin = alloy_primitives::b256!("b53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103");
    for name in ["proxy-4-erc1967", "proxy-5-erc1967", "proxy-4-transparent"] {
        let mut world = ProvenWorld::default()
            .with(TOKEN, compiled(name).deployed_code)
            .with(OTHER, token.deployed_code.clone())
            .storing(TOKEN, implementation, word(OTHER))
            .storing(TOKEN, admin, word(OTHER));
        for (slot, word) in &observed.storage {
            world = world.storing(TOKEN, *slot, (*word).into());
        }
        assert_eq!(run(&world, observed.holder), Ok(observed.balance), "{name}");
        // To an address without code.
        let world = world.storing(TOKEN, implementation, word(Address::repeat_byte(0x55)));
        assert!(matches!(run(&world, observed.holder), Err(Obstacle::NotAToken(_))), "{name}");
    }
}

/// What must come of a hostile contract.
#[derive(Clone, Debug)]
enum Expected {
    Amount(U256),
    /// Almost all the gas of the block.
    GasLeft,
    NotAToken(NotAToken),
    Refused(Refusal),
}

fn hostile() -> BTreeMap<&'static str, Expected> {
    use Expected::{Amount, NotAToken as No, Refused};
    let environment = world("hostile-reverts").environment();
    let fails = No(NotAToken::Fails { address: TOKEN });
    let returns = |bytes| No(NotAToken::ReturnsTooLittle { address: TOKEN, bytes });
    let bound = |bound| Refused(Refusal::Bound(bound));
    let number = |number: u64| Amount(U256::from(number));
    BTreeMap::from([
        ("burns-all-gas", bound(Bound::Steps)),
        ("catches-failure", number(0)),
        ("catches-other-token", number(9)),
        ("catches-out-of-gas", Refused(Refusal::OutOfGas)),
        ("creates-contract", Refused(Refusal::Contracts)),
        ("depends-on-base-fee", number(environment.base_fee())),
        ("depends-on-block-hash", Amount(environment.parent_hash().into())),
        ("depends-on-caller", number(1)),
        ("depends-on-chain-id", number(1)),
        ("depends-on-coinbase", Amount(word(environment.coinbase()) + U256::from(8))),
        ("depends-on-ether", number(3 + 4)),
        ("depends-on-gas-left", Expected::GasLeft),
        ("depends-on-gas-limit", number(environment.gas_limit())),
        ("depends-on-gas-price", number(0)),
        ("depends-on-number", number(environment.number())),
        ("depends-on-old-block-hash", Refused(Refusal::BlockHash { number: 800 })),
        ("depends-on-oracle", number(27)),
        ("depends-on-origin", number(1)),
        ("depends-on-other-code", Amount(U256::from_be_bytes(keccak256(CODE_OF_OWNER).0) ^ U256::ONE)),
        ("depends-on-randao", Amount(environment.prev_randao().into())),
        ("depends-on-time", number(environment.timestamp().as_secs())),
        ("destroys-itself", Refused(Refusal::Contracts)),
        ("has-no-balance-of", fails.clone()),
        ("hashes-much-memory", bound(Bound::Work)),
        ("is-invalid", fails.clone()),
        ("logs", number(9)),
        ("long-symbol", number(7)),
        ("odd-description", number(7)),
        ("proxy-to-itself", bound(Bound::Depth)),
        ("reads-many-accounts", bound(Bound::Accounts)),
        ("reads-many-slots", bound(Bound::Slots)),
        ("recurses", bound(Bound::Depth)),
        ("recurses-twice", bound(Bound::Depth)),
        ("repeats-precompile", bound(Bound::Precompiles)),
        ("returns-four-gigabytes", bound(Bound::Memory)),
        ("returns-nothing", returns(0)),
        ("returns-one-megabyte", number(7)),
        ("returns31-bytes", returns(31)),
        ("returns64-bytes", number(7)),
        ("reverts", fails),
        ("uses-transient-storage", number(9)),
        // The word before it is the address of the other token.
        ("writes", Amount(word(OTHER) + U256::ONE)),
    ])
}

#[test]
fn hostile_contracts_are_survived() {
    let names: Vec<String> = all_compiled()
        .into_iter()
        .filter_map(|it| it.name.strip_prefix("hostile-").map(str::to_owned))
        .collect();
    let expected = hostile();
    assert_eq!(expected.keys().copied().collect::<Vec<_>>(), names, "each has its expectation");
    let mut wrong = Vec::new();
    for name in names {
        let mut world = world(&format!("hostile-{name}"));
        // The other token and the oracle are in slot 0.
        world = world.storing(TOKEN, B256::ZERO, word(OTHER));
        world = world.with(OTHER, saldo_tests::assembler::token_of("9"));
        let coinbase = Contract { code: Bytes::new(), balance: U256::from(8), ..Contract::default() };
        world.accounts.insert(Address::repeat_byte(0xc0), coinbase);
        world = world.with(OWNER, CODE_OF_OWNER.into());
        for (address, wei) in [(OWNER, 3), (TOKEN, 4)] {
            world.accounts.entry(address).or_default().balance = U256::from(wei);
        }
        let got = run(&world, OWNER);
        let expected = &expected[name.as_str()];
        let is_right = match expected {
            Expected::Amount(amount) => got == Ok(*amount),
            Expected::GasLeft => {
                let spent = got.as_ref().ok().and_then(|left| U256::from(world.gas_limit).checked_sub(*left));
                spent.is_some_and(|spent| spent > U256::ZERO && spent < U256::from(1_000))
            }
            Expected::NotAToken(reason) => got == Err(Obstacle::NotAToken(*reason)),
            Expected::Refused(refusal) => got == Err(Obstacle::NotRun(refusal.clone())),
        };
        if !is_right {
            wrong.push((expected.clone(), name, got));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
