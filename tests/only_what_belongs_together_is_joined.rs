//! A proof and a block give an amount only if account, state root and chain match.

use std::sync::Arc;

use alloy_primitives::{Address, B256, U256, address};
use saldo::{Holding, NetworkId};
use saldo_chain::{Anchor, Chain, Level};
use saldo_proof::claimed_root;
use saldo_proof::eip1186::AccountReply;
use saldo_reading::{Generation, JoinError, ProviderId, join, join_token};
use saldo_tests::assembler::token_of;
use saldo_tests::gate::let_out;
use saldo_tests::gloas::{Made, State, client, sign};
use saldo_tests::proven_world::ProvenWorld;
use saldo_tests::{NETWORK, native};
use saldo_token::{ProvenState, VerifiedBalance, balance_of};

const OWNER: Address = Address::repeat_byte(1);
const USDC: Address = address!("A0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48");
const USDC_CODE: Address = address!("43506849D7C04F9138D1A2050bbF3A0c054402dd");
const HOLDER: Address = address!("37305B1cD40574E4C5Ce33f8e8306Be057fD7341");

fn state(of: Address, word: u8) -> State {
    State::new(of, B256::repeat_byte(2), B256::with_last_byte(1), B256::with_last_byte(word))
}

/// A signed block with this state.
fn chain(state: &State) -> Chain {
    chain_with(state.root())
}

/// A signed block with this state root.
fn chain_with(root: B256) -> Chain {
    let head = Made::alone(20, 0).with_state(root);
    let mut light_client = client(8, Made::alone(7, 0));
    sign(&mut light_client, 21, head);
    let mut chain = Chain::new();
    chain.follow(&light_client).unwrap();
    chain.attach(&head.header()).unwrap();
    chain
}

fn block(state: &State) -> Anchor {
    chain(state).newest(Level::Signed).unwrap().clone()
}

fn provider() -> ProviderId {
    ProviderId::new("provider").unwrap()
}

#[test]
fn what_belongs_together_is_joined() {
    let state = state(OWNER, 1);
    let candidate =
        join(native(OWNER), &state.account(OWNER), &block(&state), provider(), Generation::FIRST).unwrap();
    let proven = let_out(&candidate, &chain(&state));
    assert_eq!((proven.holding().owner(), proven.nonce()), (OWNER, Some(1)));
    assert_eq!(proven.amount().base_units(), U256::ZERO);
    // Absence is a zero too, for the requested address.
    let other = Address::repeat_byte(9);
    let candidate =
        join(native(other), &state.account(other), &block(&state), provider(), Generation::FIRST).unwrap();
    let proven = let_out(&candidate, &chain(&state));
    assert_eq!((proven.holding().owner(), proven.amount().base_units()), (other, U256::ZERO));
}

#[test]
fn another_accounts_proof_is_not_joined() {
    let state = state(OWNER, 1);
    let requested = Address::repeat_byte(9);
    let refusal =
        join(native(requested), &state.account(OWNER), &block(&state), provider(), Generation::FIRST);
    assert_eq!(refusal, Err(JoinError::Subject { got: OWNER, expected: requested }));
}

/// A proof of an older, newer or abandoned block, or of an invented state: each has another root.
#[test]
fn a_proof_under_another_root_is_not_joined() {
    let (genuine, other) = (state(OWNER, 1), state(OWNER, 2));
    assert_ne!(genuine.root(), other.root());
    let refusal = join(native(OWNER), &other.account(OWNER), &block(&genuine), provider(), Generation::FIRST);
    assert_eq!(refusal, Err(JoinError::StateRoot { got: other.root(), expected: genuine.root() }));
}

#[test]
fn another_networks_block_is_not_joined() {
    let state = state(OWNER, 1);
    let refusal = join(
        Holding::native(NetworkId::new(1), OWNER),
        &state.account(OWNER),
        &block(&state),
        provider(),
        Generation::FIRST,
    );
    assert_eq!(refusal, Err(JoinError::Network { got: NETWORK, expected: NetworkId::new(1) }));
}

/// An account's native balance proves nothing about a token.
#[test]
fn an_account_proof_is_no_proof_of_a_token() {
    let state = state(OWNER, 1);
    let token = Holding::erc20(NETWORK, OWNER, Address::repeat_byte(3));
    let refusal = join(token, &state.account(OWNER), &block(&state), provider(), Generation::FIRST);
    assert_eq!(refusal, Err(JoinError::Asset));
}

/// The balance of the real holder of USDC that the vectors prove, under the real state root.
fn usdc() -> Option<Arc<VerifiedBalance>> {
    let folder = saldo_tests::vectors("e2e/mainnet-deneb-11412861-usdc-balance")?;
    let mut state = None;
    for (file, address) in [("eth_getProof_1.json", USDC), ("eth_getProof_0.json", USDC_CODE)] {
        let json: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(folder.join(file)).unwrap()).unwrap();
        let reply: AccountReply = serde_json::from_value(json["result"].clone()).unwrap();
        let root = claimed_root(&reply.account_proof).unwrap();
        let state = state.get_or_insert_with(|| ProvenState::new(root));
        let account = reply.verify(root, address).unwrap();
        state.add_account(&account).unwrap();
        for slot in &reply.storage_proof {
            state.add_slot(&account.slot(slot.key.into(), &slot.proof).unwrap()).unwrap();
        }
    }
    Some(Arc::new(VerifiedBalance::from_slot(&state.unwrap(), USDC, HOLDER).unwrap()))
}

/// A balance of a token is joined only with its own holding, and only under its own root.
#[test]
fn a_tokens_balance_is_joined_with_its_own_holding_only() {
    let Some(balance) = usdc() else { return };
    let state = state(OWNER, 1);
    let join =
        |holding| join_token(holding, Arc::clone(&balance), &block(&state), provider(), Generation::FIRST);
    assert_eq!(join(native(HOLDER)), Err(JoinError::Asset));
    let other = Address::repeat_byte(3);
    let refusal = join(Holding::erc20(NETWORK, HOLDER, other));
    assert_eq!(refusal, Err(JoinError::Token { got: USDC, expected: other }));
    let refusal = join(Holding::erc20(NETWORK, OWNER, USDC));
    assert_eq!(refusal, Err(JoinError::Subject { got: HOLDER, expected: OWNER }));
    let expected = NetworkId::new(1);
    let refusal = join(Holding::erc20(expected, HOLDER, USDC));
    assert_eq!(refusal, Err(JoinError::Network { got: NETWORK, expected }));
    let (got, expected) = (balance.state_root().get(), state.root());
    let refusal = join(Holding::erc20(NETWORK, HOLDER, USDC));
    assert_eq!(refusal, Err(JoinError::StateRoot { got, expected }));
}

/// Two blocks can have one state and differ in their time. What a token's code returns in one of them says nothing about the other.
#[test]
fn a_balance_that_was_run_in_another_block_is_not_joined() {
    let token = Address::repeat_byte(3);
    let world = ProvenWorld::default().with(token, token_of("TIMESTAMP"));
    let executed = world.run(&balance_of(token, OWNER)).0.unwrap();
    let balance = Arc::new(VerifiedBalance::from_execution(&executed, token, OWNER).unwrap());
    let chain = chain_with(world.environment().state_root().get());
    let block = chain.newest(Level::Signed).unwrap();
    let refusal =
        join_token(Holding::erc20(NETWORK, OWNER, token), balance, block, provider(), Generation::FIRST);
    let (got, expected) = (world.environment().block_hash(), block.hash());
    assert_ne!(got, expected);
    assert_eq!(refusal, Err(JoinError::Block { got, expected }));
}
