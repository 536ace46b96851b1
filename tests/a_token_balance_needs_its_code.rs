//! Real proofs of USDC, WETH9 and USDT: the amount follows only with the code, the pointer and the guards that belong to it.

use alloy_primitives::{Address, B256, U256, address};
use saldo_proof::claimed_root;
use saldo_proof::eip1186::AccountReply;
use saldo_tests::vectors;
use saldo_token::{Derivation, Hint, Mapping, Obstacle, OtherRoot, ProvenState, VerifiedBalance, layouts};
use serde_json::Value;

const USDC: Address = address!("A0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48");
const USDC_CODE: Address = address!("43506849D7C04F9138D1A2050bbF3A0c054402dd");
const USDC_HOLDER: Address = address!("37305B1cD40574E4C5Ce33f8e8306Be057fD7341");
const WETH: Address = address!("C02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2");
const WETH_HOLDER: Address = address!("De5ae63A348C4d63343C8E20Fb6286909418c8A4");
const USDT: Address = address!("dAC17F958D2ee523a2206206994597C13D831ec7");
const USDT_HOLDER: Address = address!("F977814e90dA44bFA03b6295A0616a897441aceC");

fn read(relative: &str) -> Option<Value> {
    let path = vectors(relative)?;
    Some(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
}

/// Adds the account of a reply, and those of its slots that `wanted` names.
fn add(
    state: &mut ProvenState,
    reply: &AccountReply,
    address: Address,
    wanted: impl Fn(B256) -> bool,
) -> Result<(), OtherRoot> {
    let root = claimed_root(&reply.account_proof).unwrap();
    let account = reply.verify(root, address).unwrap();
    state.add_account(&account)?;
    for slot in &reply.storage_proof {
        let key = B256::from(slot.key);
        if wanted(key) {
            state.add_slot(&account.slot(key, &slot.proof).unwrap())?;
        }
    }
    Ok(())
}

fn reply(json: &Value) -> AccountReply {
    serde_json::from_value(json.clone()).unwrap()
}

fn empty(reply: &AccountReply) -> ProvenState {
    ProvenState::new(claimed_root(&reply.account_proof).unwrap())
}

/// The replies about the contract of USDC and about its implementation.
fn usdc() -> Option<(AccountReply, AccountReply)> {
    let folder = "e2e/mainnet-deneb-11412861-usdc-balance";
    let token = read(&format!("{folder}/eth_getProof_1.json"))?;
    let code = read(&format!("{folder}/eth_getProof_0.json"))?;
    Some((reply(&token["result"]), reply(&code["result"])))
}

#[test]
fn a_real_balance_of_usdc_is_proven() {
    let Some((token, code)) = usdc() else { return };
    let mut state = empty(&token);
    add(&mut state, &token, USDC, |_| true).unwrap();
    add(&mut state, &code, USDC_CODE, |_| true).unwrap();
    let balance = VerifiedBalance::from_slot(&state, USDC, USDC_HOLDER).unwrap();
    assert_eq!(balance.amount(), U256::from(4_996_521_887_269_694_u64));
    assert!(!balance.is_blocked());
    let Derivation::Slot { layout, implementation, .. } = balance.derivation() else { panic!() };
    assert_eq!((*layout, *implementation), ("FiatTokenV2_2", Some(USDC_CODE)));
    assert_eq!((balance.token(), balance.owner(), balance.state_root()), (USDC, USDC_HOLDER, state.root()));
}

#[test]
fn without_one_of_its_proofs_usdc_has_no_balance() {
    let Some((token, code)) = usdc() else { return };
    let keys: Vec<B256> = token.storage_proof.iter().map(|slot| B256::from(slot.key)).collect();
    let balance_key = Mapping::Solidity { base: B256::with_last_byte(9) }.slot(USDC_HOLDER);
    assert!(keys.contains(&balance_key));
    let missing = |leaves_out: Option<B256>, with_code: bool| {
        let mut state = empty(&token);
        add(&mut state, &token, USDC, |key| Some(key) != leaves_out).unwrap();
        if with_code {
            add(&mut state, &code, USDC_CODE, |_| true).unwrap();
        }
        match VerifiedBalance::from_slot(&state, USDC, USDC_HOLDER) {
            Err(Obstacle::Missing(query)) => Some(query),
            _ => None,
        }
    };
    // The pointer to the implementation.
    let pointer = keys[1];
    let query = missing(Some(pointer), true).unwrap();
    assert!(query.slots()[&USDC].contains(&pointer));
    // The implementation's own account.
    assert!(missing(None, false).unwrap().slots().contains_key(&USDC_CODE));
    // The balance.
    assert!(missing(Some(balance_key), true).unwrap().slots()[&USDC].contains(&balance_key));
    // The slot of the admin is not needed.
    assert!(missing(Some(keys[0]), true).is_none());
    // The slot of another holder says nothing.
    let mut state = empty(&token);
    add(&mut state, &token, USDC, |_| true).unwrap();
    add(&mut state, &code, USDC_CODE, |_| true).unwrap();
    assert!(matches!(VerifiedBalance::from_slot(&state, USDC, USDT_HOLDER), Err(Obstacle::Missing(_))));
}

#[test]
fn proofs_of_two_blocks_do_not_mix() {
    let Some((token, code)) = usdc() else { return };
    let Some(later) = read("e2e/mainnet-electra-11650086-usdc-slot/eth_getProof_0.json") else { return };
    let mut state = empty(&reply(&later["result"]));
    add(&mut state, &reply(&later["result"]), USDC, |_| true).unwrap();
    assert_eq!(add(&mut state, &code, USDC_CODE, |_| true), Err(OtherRoot));
    assert_eq!(add(&mut state, &token, USDC, |_| true), Err(OtherRoot));
    let Err(Obstacle::Missing(query)) = VerifiedBalance::from_slot(&state, USDC, USDC_HOLDER) else {
        panic!()
    };
    assert!(query.slots().contains_key(&USDC_CODE));
}

#[test]
fn real_balances_of_weth_and_usdt_are_read_from_their_slots() {
    let Some(nimbus) = read("mpt/real-getproof/nimbus.json") else { return };
    let weth = reply(&nimbus["cases"][0]["proof"]);
    let mut state = empty(&weth);
    add(&mut state, &weth, WETH, |_| true).unwrap();
    let balance = VerifiedBalance::from_slot(&state, WETH, WETH_HOLDER).unwrap();
    assert_eq!(balance.amount(), U256::from(2_921_291_143_473_600_000_u64));

    // USDT has a guard, and this reply does not prove it.
    let Some(avm) = read("mpt/real-getproof/avm.json") else { return };
    let usdt = reply(&avm["cases"][0]["proof"]);
    let mut state = empty(&usdt);
    add(&mut state, &usdt, USDT, |_| true).unwrap();
    let Err(Obstacle::Missing(query)) = VerifiedBalance::from_slot(&state, USDT, USDT_HOLDER) else {
        panic!()
    };
    assert_eq!(query.slots()[&USDT].iter().copied().collect::<Vec<_>>(), [B256::with_last_byte(10)]);
}

/// All replies about accounts in a file of cases, or in a folder of recorded requests.
fn replies(vector: &str) -> Option<Vec<AccountReply>> {
    let path = vectors(vector)?;
    if path.is_file() {
        let cases = read(vector)?;
        return Some(cases["cases"].as_array().unwrap().iter().map(|case| reply(&case["proof"])).collect());
    }
    let names =
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files = names.filter(|name| name.starts_with("eth_getProof_") && name.ends_with(".json"));
    let read = |name: String| reply(&read(&format!("{vector}/{name}")).unwrap()["result"]);
    Some(files.map(read).collect())
}

/// Each entry of the table is tried with the real proof that it names.
#[test]
fn the_real_proof_that_a_layout_names_verifies_against_it() {
    let mut tried = Vec::new();
    for layout in layouts() {
        let Some(vector) = layout.real_proof else { continue };
        let Some(replies) = replies(vector) else { return };
        let (token, holder, units) = match layout.name {
            "WETH9" => (WETH, WETH_HOLDER, 2_921_291_143_473_600_000_u64),
            "TetherToken" => (USDT, USDT_HOLDER, 0),
            "FiatTokenV2_2" => (USDC, USDC_HOLDER, 4_996_521_887_269_694),
            other => panic!("{other} has another token"),
        };
        let mut state = empty(&replies[0]);
        let mut hashes = Vec::new();
        for reply in &replies {
            let address = reply.address.unwrap();
            add(&mut state, reply, address, |_| true).unwrap();
            hashes.extend(state.code_hash_of(address));
        }
        assert!(hashes.contains(&layout.code_hash), "{}", layout.name);
        match VerifiedBalance::from_slot(&state, token, holder) {
            Ok(balance) => {
                assert_eq!(balance.amount(), U256::from(units), "{}", layout.name);
                let Derivation::Slot { layout: name, .. } = balance.derivation() else { panic!() };
                assert_eq!(*name, layout.name);
            }
            // All but the guards: the capture did not ask for them.
            Err(Obstacle::Missing(query)) => {
                let guards: Vec<B256> = layout.guards.iter().map(|guard| guard.slot).collect();
                assert_eq!(query.slots().len(), 1, "{}", layout.name);
                assert_eq!(
                    query.slots()[&token].iter().copied().collect::<Vec<_>>(),
                    guards,
                    "{}",
                    layout.name
                );
                assert!(!guards.is_empty() && query.codes().is_empty(), "{}", layout.name);
            }
            Err(obstacle) => panic!("{}: {obstacle}", layout.name),
        }
        tried.push(layout.name);
    }
    assert_eq!(tried, ["WETH9", "TetherToken", "FiatTokenV2_2"]);
}

#[test]
fn thirty_five_real_keys_follow_from_the_layout() {
    let Some(holders) = read("tokens/usdt-35-holders-block-11346696.json") else { return };
    let holders = holders["holders"].as_array().unwrap();
    assert_eq!(holders.len(), 35);
    for holder in holders {
        let owner: Address = holder["holder"].as_str().unwrap().parse().unwrap();
        let key: B256 = holder["storage_key"].as_str().unwrap().parse().unwrap();
        assert_eq!(Mapping::Solidity { base: B256::with_last_byte(2) }.slot(owner), key);
    }
}

#[test]
fn what_is_known_of_well_known_tokens_makes_one_request_enough() {
    let Some((token, code)) = usdc() else { return };
    let query = Hint::well_known(1).query(USDC, USDC_HOLDER);
    let asked = |address, key| query.slots().get(&address).is_some_and(|keys| keys.contains(&key));
    let mut state = empty(&token);
    add(&mut state, &token, USDC, |key| asked(USDC, key)).unwrap();
    add(&mut state, &code, USDC_CODE, |key| asked(USDC_CODE, key)).unwrap();
    assert!(VerifiedBalance::from_slot(&state, USDC, USDC_HOLDER).is_ok());
    assert!(query.codes().is_empty());

    let query = Hint::well_known(1).query(USDT, USDT_HOLDER);
    assert_eq!(query.slots()[&USDT].len(), 2, "the balance and the guard");
    // Of a token that is not known, first the account.
    let unknown = Hint::well_known(1).query(Address::repeat_byte(5), USDC_HOLDER);
    assert_eq!(unknown.slots().len(), 1);
    assert_eq!(Hint::well_known(10).query(USDC, USDC_HOLDER).slots()[&USDC].len(), 0);
}

#[test]
fn a_wrong_hint_changes_no_balance() {
    let Some((token, code)) = usdc() else { return };
    let mut hint = Hint::well_known(1);
    hint.note_code_hash(USDC, B256::repeat_byte(1));
    let query = hint.query(USDC, USDC_HOLDER);
    let mut state = empty(&token);
    add(&mut state, &token, USDC, |key| query.slots()[&USDC].contains(&key)).unwrap();
    assert!(matches!(VerifiedBalance::from_slot(&state, USDC, USDC_HOLDER), Err(Obstacle::Missing(_))));
    add(&mut state, &token, USDC, |_| true).unwrap();
    add(&mut state, &code, USDC_CODE, |_| true).unwrap();
    assert!(VerifiedBalance::from_slot(&state, USDC, USDC_HOLDER).is_ok());
}
