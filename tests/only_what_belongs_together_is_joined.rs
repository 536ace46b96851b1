//! A proof and a block give an amount only if account, state root and chain match.

use alloy_primitives::{Address, B256, U256};
use saldo::{Holding, NetworkId};
use saldo_chain::{Anchor, Chain, Level};
use saldo_reading::{Generation, JoinError, ProviderId, join};
use saldo_tests::gate::let_out;
use saldo_tests::gloas::{Made, State, client, sign};
use saldo_tests::{NETWORK, native};

const OWNER: Address = Address::repeat_byte(1);

fn state(of: Address, word: u8) -> State {
    State::new(of, B256::repeat_byte(2), B256::with_last_byte(1), B256::with_last_byte(word))
}

/// A signed block with this state.
fn chain(state: &State) -> Chain {
    let head = Made::alone(20, 0).with_state(state.root());
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
