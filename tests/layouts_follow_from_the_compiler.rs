//! Where a layout says that a balance is, the compiler of the code put it, and an independent virtual machine found it there. Where
//! no compiler here makes the code, the exact code is run.
//! No test adds a layout: the table is closed, so that no caller can name a slot of its own.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, U256, keccak256};
use saldo_tests::compiled::{Compiled, Observed, all_compiled, compiled};
use saldo_tests::deployed::{all_deployed, deployed};
use saldo_tests::proven_world::ProvenWorld;
use saldo_token::{
    BeaconPlace, Mapping, Place, Pointer, VerifiedBalance, Word, balance_of, beacons, layouts, proxies,
};

/// Solady's `_BALANCE_SLOT_SEED`.
const SOLADY: Mapping = Mapping::Solady { seed: 0x87a2_11a2 };
/// Codes that no compiler here makes, and that are here as they are on the chain: `the_exact_code_of_usdt_is_run`.
const DEPLOYED: [&str; 1] = ["TetherToken"];
/// Codes of which not every byte is here: what the table says of them rests on real proofs.
const ONLY_PROVEN: [&str; 2] = ["FiatTokenV2_2", "FiatTokenProxy"];

fn solidity(slot: u64) -> Mapping {
    Mapping::Solidity { base: U256::from(slot).into() }
}

/// The base of a namespace, by the formula of ERC-7201.
fn namespace(name: &str) -> B256 {
    let inner = U256::from_be_bytes(keccak256(name).0) - U256::ONE;
    let mut base = keccak256(inner.to_be_bytes::<32>());
    base.0[31] = 0;
    base
}

/// All mappings by which `units` of the holder would be where they were found.
fn observed_mappings(observed: &Observed) -> Vec<Mapping> {
    let numbers = (0..100).map(|slot| U256::from(slot).into());
    let bases: Vec<B256> = numbers.chain([namespace("openzeppelin.storage.ERC20")]).collect();
    let both =
        bases.iter().flat_map(|base| [Mapping::Solidity { base: *base }, Mapping::Vyper { base: *base }]);
    let holds = |mapping: &Mapping| {
        let word = observed.storage.get(&mapping.slot(observed.holder));
        word.is_some_and(|word| U256::from_be_bytes(word.0) == observed.units)
    };
    both.chain([SOLADY]).filter(holds).collect()
}

/// The mapping that the compiler describes as the variable `label`.
fn compiled_mapping(contract: &Compiled, label: &str) -> Mapping {
    let variable = contract.variable(label);
    let base = variable.slot.into();
    assert_eq!(variable.offset, 0);
    if variable.type_name.starts_with("mapping(address") {
        Mapping::Solidity { base }
    } else {
        assert_eq!(variable.type_name, "HashMap[address, uint256]");
        assert!(contract.compiler.starts_with("vyper"), "{}", contract.compiler);
        Mapping::Vyper { base }
    }
}

#[test]
fn each_code_has_the_hash_that_stands_beside_it() {
    let all = all_compiled();
    assert!(all.len() > 50, "{}", all.len());
    for contract in all {
        assert_eq!(keccak256(&contract.deployed_code), contract.deployed_code_hash, "{}", contract.name);
        for immutable in &contract.immutables {
            let zeroes = &contract.deployed_code[immutable.start..immutable.start + immutable.length];
            assert!(zeroes.iter().all(|byte| *byte == 0), "{}", contract.name);
        }
    }
}

/// What no compiler here makes rests on a real proof too.
#[test]
fn each_layout_is_compiled_here_or_has_a_real_proof() {
    let (all, on_chain) = (all_compiled(), all_deployed());
    for layout in layouts() {
        let is_compiled = all.iter().any(|it| it.deployed_code_hash == layout.code_hash);
        let is_deployed = on_chain.iter().any(|it| it.deployed_code_hash == layout.code_hash);
        assert!(is_compiled || layout.real_proof.is_some(), "{}", layout.name);
        let (is_listed, is_proven) = (DEPLOYED.contains(&layout.name), ONLY_PROVEN.contains(&layout.name));
        assert_eq!((is_compiled, is_deployed), (!is_listed && !is_proven, is_listed), "{}", layout.name);
    }
}

/// The places of the words that the exact code of USDT reads fit one mapping and one guard, for many holders: those of its layout.
#[test]
fn the_layout_of_usdt_follows_from_running_its_code() {
    let code = deployed("tether-token");
    let layout = layouts().iter().find(|layout| layout.code_hash == code.deployed_code_hash).unwrap();
    let numbers = (0..100).map(|slot| B256::from(U256::from(slot)));
    let mut fitting: Vec<Mapping> = numbers
        .flat_map(|base| [Mapping::Solidity { base }, Mapping::Vyper { base }])
        .chain([SOLADY])
        .collect();
    let mut alike: Option<BTreeSet<B256>> = None;
    for byte in 0..=255 {
        let holder = Address::repeat_byte(byte);
        let units = U256::MAX >> usize::from(byte);
        let world = ProvenWorld::default().with(code.address, code.deployed_code.clone());
        let world = world.storing(code.address, layout.mapping.slot(holder), units);
        let executed = world.run(&balance_of(code.address, holder)).0.unwrap();
        let read = &executed.touched().slots()[&code.address];
        fitting.retain(|mapping| read.contains(&mapping.slot(holder)));
        alike = Some(alike.map_or_else(|| read.clone(), |before| &before & read));
        assert_eq!(read.len(), 2, "{holder}");
        let balance = VerifiedBalance::from_execution(&executed, code.address, holder).unwrap();
        assert_eq!((balance.amount(), layout.word), (units, Word::Amount), "{holder}");
    }
    assert_eq!(fitting, [layout.mapping]);
    let [guard] = layout.guards else { panic!("{:?}", layout.guards) };
    assert_eq!(alike, Some(BTreeSet::from([guard.slot])));
    assert_eq!((guard.place, guard.mask, guard.expected), (Place::Token, U256::MAX, U256::ZERO));
}

/// The layouts of the table, of which the compilers are here.
#[test]
fn the_table_says_what_the_compiler_and_the_execution_say() {
    let all = all_compiled();
    let mut compared = Vec::new();
    let is_compiled = |name| !DEPLOYED.contains(&name) && !ONLY_PROVEN.contains(&name);
    for layout in layouts().iter().filter(|layout| is_compiled(layout.name)) {
        let contract = all.iter().find(|contract| contract.deployed_code_hash == layout.code_hash);
        let contract = contract.unwrap_or_else(|| panic!("{} is not compiled", layout.name));
        assert!(contract.immutables.is_empty() && layout.guards.is_empty(), "{}", layout.name);
        assert_eq!(layout.word, Word::Amount);
        // The first compilers do not describe the storage.
        if contract.storage_layout.as_ref().is_some_and(|variables| !variables.is_empty()) {
            assert_eq!(compiled_mapping(contract, "balanceOf"), layout.mapping);
            assert_eq!(contract.variable("balanceOf").type_name, "mapping(address => uint256)");
            compared.push((layout.name, "compiler"));
        }
        if let Some(observed) = &contract.observed {
            assert_eq!(observed_mappings(observed), [layout.mapping]);
            assert_eq!(observed.balance, observed.units);
            compared.push((layout.name, "execution"));
        }
    }
    assert_eq!(compared, [("WETH9", "execution"), ("UniswapV2Pair", "compiler")]);
}

/// Each way to address a mapping, by code that uses it.
#[test]
fn a_mapping_finds_the_balances_of_each_compiler_and_library() {
    let erc7201 = namespace("openzeppelin.storage.ERC20");
    let expected = [
        ("openzeppelin-plain", solidity(0), Some("_balances")),
        ("openzeppelin-upgradeable", Mapping::Solidity { base: erc7201 }, None),
        ("moved", solidity(50), Some("balanceOf")),
        ("solady", SOLADY, None),
        ("solmate", solidity(3), Some("balanceOf")),
        ("weth9", solidity(3), None),
        ("vyper", Mapping::Vyper { base: B256::with_last_byte(2) }, Some("balanceOf")),
        ("packed", solidity(1), Some("balanceAndBlacklistStates")),
    ];
    for (name, mapping, label) in expected {
        let contract = compiled(name);
        let observed = contract.observed.as_ref().unwrap();
        assert_eq!(observed_mappings(observed), [mapping], "{name}");
        assert_eq!(observed.balance, observed.units, "{name}");
        if let Some(label) = label {
            assert_eq!(compiled_mapping(&contract, label), mapping, "{name}");
        }
    }
    // The struct that OpenZeppelin keeps at the base begins with the balances.
    let storage = compiled("openzeppelin-upgradeable-storage");
    let balances = &storage.variable("namespace").members[0];
    assert_eq!((balances.label.as_str(), balances.slot, balances.offset), ("_balances", U256::ZERO, 0));
    assert_eq!(erc7201.to_string(), "0x52c63247e1f47db19d5ce0460030c497f067ca4cebf71ba98eeadabe20bace00");
}

/// The units stand in a slot that looks like a layout, and are not the balance, or only for this holder. Such codes are executed.
#[test]
fn a_slot_with_the_units_is_not_yet_a_layout() {
    for name in ["shares", "interest", "branching", "solmate", "interest-pool"] {
        let contract = compiled(name);
        assert!(layouts().iter().all(|layout| layout.code_hash != contract.deployed_code_hash), "{name}");
    }
    let shares = compiled("shares").observed.unwrap();
    assert_eq!(observed_mappings(&shares), [solidity(0)]);
    assert_ne!(shares.balance, shares.units);
    // An immutable value makes each deployment of the code another one.
    assert!(!compiled("solmate").immutables.is_empty());
    let hostile = all_compiled().into_iter().filter(|contract| contract.name.starts_with("hostile-"));
    for contract in hostile {
        let hash = contract.deployed_code_hash;
        let listed = layouts().iter().map(|it| it.code_hash).chain(proxies().iter().map(|it| it.code_hash));
        assert!(listed.into_iter().all(|it| it != hash), "{}", contract.name);
    }
}

#[test]
fn the_proxies_of_the_table_are_those_that_the_packages_deploy() {
    let all = all_compiled();
    for proxy in proxies().iter().filter(|proxy| !ONLY_PROVEN.contains(&proxy.name)) {
        let contract = all.iter().find(|contract| contract.deployed_code_hash == proxy.code_hash);
        let contract = contract.unwrap_or_else(|| panic!("{} is not compiled", proxy.name));
        assert!(contract.name.starts_with("proxy-"));
        let places: Vec<_> = contract.immutables.iter().map(|it| (it.start, it.length)).collect();
        let code = &contract.deployed_code;
        match proxy.immutable {
            None => assert!(places.is_empty(), "{}", proxy.name),
            Some(immutable) => {
                assert_eq!((places, code.len()), (vec![(immutable.start, 32)], immutable.code_bytes));
                assert!(operands_of_push32(code).contains(&immutable.start), "{}", proxy.name);
            }
        }
        let names_the_slot = |slot: B256| code.windows(32).any(|window| window == slot.as_slice());
        match proxy.pointer {
            Pointer::Slot(slot) | Pointer::Beacon(BeaconPlace::Slot(slot)) => {
                assert!(names_the_slot(slot), "{}", proxy.name);
            }
            Pointer::Beacon(BeaconPlace::Immutable) => assert!(proxy.immutable.is_some()),
        }
        // No function of the proxy itself is `balanceOf`.
        assert!(!code.windows(4).any(|window| window == [0x70, 0xa0, 0x82, 0x31]), "{}", proxy.name);
    }
    assert_eq!(proxies().len(), 11);
}

#[test]
fn the_beacons_of_the_table_keep_the_implementation_where_the_compiler_says() {
    let all = all_compiled();
    for beacon in beacons() {
        let contract = all.iter().find(|it| it.deployed_code_hash == beacon.code_hash).unwrap();
        let variable = contract.variable("_implementation");
        assert_eq!((B256::from(variable.slot), variable.offset), (beacon.slot, 0), "{}", beacon.name);
        assert!(variable.type_name == "address" && contract.immutables.is_empty());
    }
    assert_eq!(beacons().len(), 2);
}

/// Where the operands of `PUSH32` begin, read from the first instruction on.
fn operands_of_push32(code: &[u8]) -> Vec<usize> {
    let (mut place, mut found) = (0, Vec::new());
    while let Some(opcode) = code.get(place) {
        place += 1;
        if *opcode == 0x7f {
            found.push(place);
        }
        if (0x60..=0x7f).contains(opcode) {
            place += usize::from(opcode - 0x5f);
        }
    }
    found
}
