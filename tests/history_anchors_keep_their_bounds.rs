//! The history contract of EIP-2935 records the blocks N-8191 to N-1 of a trusted block N, and proves nothing else.

use alloy_primitives::{Address, B256, keccak256};
use saldo_beacon::{LightClient, Network};
use saldo_chain::{
    Anchor, Chain, ChainError, HISTORY_CODE_HASH, HISTORY_CONTRACT, HISTORY_WINDOW, HistoryError, Level,
    Path, Standing, history_key,
};
use saldo_proof::StateRoot;
use saldo_tests::beacon::{Forge, MINIMAL_FULU};
use saldo_tests::gloas::{Made, State, client, finalize, sign};

/// The number of the trusted block.
const N: u64 = 20_000;

fn records(number: u64, hash: B256) -> State {
    State::new(HISTORY_CONTRACT, HISTORY_CODE_HASH, history_key(number), hash)
}

/// A chain whose newest signed head is block `N` with this state.
fn chain_at(state: &State) -> (LightClient, Chain, Anchor) {
    chain_of(Made::alone(N, 0).with_state(state.root()))
}

fn chain_of(head: Made) -> (LightClient, Chain, Anchor) {
    let mut light_client = client(8, Made::alone(7, 0));
    sign(&mut light_client, 21, head);
    let mut chain = Chain::new();
    chain.follow(&light_client).unwrap();
    let under = chain.attach(&head.header()).unwrap().clone();
    (light_client, chain, under)
}

/// The outcome of proving `block` under a state that records it at its place.
fn attach(block: Made) -> Result<Path, HistoryError> {
    let state = records(block.number, block.hash());
    let mut head = Made::alone(N, 0).with_state(state.root());
    if block.number == N - 1 {
        head.parent_hash = block.hash();
    }
    let (_, mut chain, under) = chain_of(head);
    let (account, slot) = (state.account(HISTORY_CONTRACT), state.slot(history_key(block.number)));
    let anchor = chain.attach_history(&under, &account, &slot, &block.header())?.clone();
    assert_eq!((anchor.number(), anchor.hash()), (block.number, block.hash()));
    assert_eq!(anchor.assurance(), under.assurance());
    assert_eq!(chain.anchor_at_root(StateRoot::new(block.state_root)), Some(&anchor));
    assert_eq!(chain.standing(&anchor), Standing::Stands);
    assert_eq!(chain.newest(Level::Signed), Some(&under), "an older block is never the newest");
    Ok(anchor.path())
}

#[test]
fn both_edges_of_the_window() {
    for number in [N - HISTORY_WINDOW, N - HISTORY_WINDOW + 1, N - 2, N - 1] {
        assert_eq!(attach(Made::alone(number, 1)), Ok(Path::History { under: N }), "{number}");
    }
    for number in [0, N - HISTORY_WINDOW - 1, N, N + 1, N + HISTORY_WINDOW, u64::MAX] {
        let refusal = HistoryError::OutsideWindow { number, oldest: N - HISTORY_WINDOW, newest: N - 1 };
        assert_eq!(attach(Made::alone(number, 1)), Err(refusal), "{number}");
    }
}

#[test]
fn an_empty_slot_says_nothing() {
    let block = Made::alone(N - 5, 1);
    let state = records(N - 6, Made::alone(N - 6, 1).hash());
    let (_, mut chain, under) = chain_at(&state);
    let (account, slot) = (state.account(HISTORY_CONTRACT), state.slot(history_key(N - 5)));
    assert_eq!(
        chain.attach_history(&under, &account, &slot, &block.header()),
        Err(HistoryError::NotAvailable { number: N - 5 })
    );
}

#[test]
fn the_slot_must_be_the_blocks_own() {
    let block = Made::alone(N - 5, 1);
    let state = records(N - 6, block.hash());
    let (_, mut chain, under) = chain_at(&state);
    let (account, slot) = (state.account(HISTORY_CONTRACT), state.slot(history_key(N - 6)));
    let refusal = HistoryError::Slot { number: N - 5, got: history_key(N - 6), expected: history_key(N - 5) };
    assert_eq!(chain.attach_history(&under, &account, &slot, &block.header()), Err(refusal));
}

#[test]
fn another_block_of_the_number_is_refused() {
    let (block, other) = (Made::alone(N - 5, 1), Made::alone(N - 5, 2));
    let state = records(N - 5, block.hash());
    let (_, mut chain, under) = chain_at(&state);
    let (account, slot) = (state.account(HISTORY_CONTRACT), state.slot(history_key(N - 5)));
    let refusal = HistoryError::OtherBlock { number: N - 5, got: other.hash(), expected: block.hash() };
    assert_eq!(chain.attach_history(&under, &account, &slot, &other.header()), Err(refusal));
}

#[test]
fn only_the_contract_itself_counts() {
    let block = Made::alone(N - 5, 1);
    let key = history_key(N - 5);
    // Other code at the contract's address, such as Arbitrum's contract.
    let other_code = keccak256("other code");
    let state = State::new(HISTORY_CONTRACT, other_code, key, block.hash());
    let (_, mut chain, under) = chain_at(&state);
    let (account, slot) = (state.account(HISTORY_CONTRACT), state.slot(key));
    assert_eq!(
        chain.attach_history(&under, &account, &slot, &block.header()),
        Err(HistoryError::Code { got: Some(other_code) })
    );

    // The same code at another address, with any storage that its owner wrote.
    let other_address = Address::repeat_byte(0x35);
    let state = State::new(other_address, HISTORY_CODE_HASH, key, block.hash());
    let (_, mut chain, under) = chain_at(&state);
    let (absent, account, slot) =
        (state.account(HISTORY_CONTRACT), state.account(other_address), state.slot(key));
    let foreign = HistoryError::Contract { got: other_address };
    assert_eq!(chain.attach_history(&under, &account, &slot, &block.header()), Err(foreign.clone()));
    assert_eq!(chain.attach_history(&under, &absent, &slot, &block.header()), Err(foreign));
}

#[test]
fn the_proofs_must_stand_under_the_trusted_block() {
    let block = Made::alone(N - 5, 1);
    let key = history_key(N - 5);
    let genuine = records(N - 5, block.hash());
    let invented = records(N - 5, Made::alone(N - 5, 2).hash());
    let (_, mut chain, under) = chain_at(&genuine);
    let root = |state: &State| StateRoot::new(state.root());
    let refusal = HistoryError::StateRoot { got: root(&invented), expected: root(&genuine) };
    for (of_account, of_slot) in [(&invented, &invented), (&invented, &genuine), (&genuine, &invented)] {
        let (account, slot) = (of_account.account(HISTORY_CONTRACT), of_slot.slot(key));
        assert_eq!(chain.attach_history(&under, &account, &slot, &block.header()), Err(refusal.clone()));
    }
    // An untrusted block makes no other block trusted, whatever its state records.
    let (_, _, stranger) = chain_at(&invented);
    let (account, slot) = (invented.account(HISTORY_CONTRACT), invented.slot(key));
    assert_eq!(
        chain.attach_history(&stranger, &account, &slot, &block.header()),
        Err(HistoryError::Untrusted { number: N, hash: stranger.hash() })
    );
}

/// When the block whose state recorded it is withdrawn, a recorded block is withdrawn too.
#[test]
fn it_falls_with_the_block_it_was_recorded_in() {
    let block = Made::alone(N - 5, 1);
    let state = records(N - 5, block.hash());
    let (mut light_client, mut chain, under) = chain_at(&state);
    let (account, slot) = (state.account(HISTORY_CONTRACT), state.slot(history_key(N - 5)));
    chain.attach_history(&under, &account, &slot, &block.header()).unwrap();
    let other = Made::alone(N, 9);
    sign(&mut light_client, 22, other);
    chain.follow(&light_client).unwrap();
    assert!(chain.anchor_at_root(StateRoot::new(block.state_root)).is_some(), "nothing excludes it yet");
    chain.attach(&other.header()).unwrap();
    assert!(chain.anchor_at_root(StateRoot::new(block.state_root)).is_none());
}

/// When the block whose state recorded it becomes final, so does a recorded block. Then it stays, and a contradiction
/// is a fault.
#[test]
fn it_becomes_final_with_the_block_it_was_recorded_in() {
    let block = Made::alone(N - 5, 1);
    let state = records(N - 5, block.hash());
    let (mut light_client, mut chain, under) = chain_at(&state);
    let (account, slot) = (state.account(HISTORY_CONTRACT), state.slot(history_key(N - 5)));
    let anchor = chain.attach_history(&under, &account, &slot, &block.header()).unwrap().clone();
    assert_eq!(anchor.assurance().level(), Level::Signed);
    let head = Made::alone(N, 0).with_state(state.root());
    finalize(&mut light_client, 31, Made::alone(N + 9, 0), (21, head));
    chain.follow(&light_client).unwrap();
    assert_eq!(chain.anchor_again(&anchor).unwrap().assurance().level(), Level::Finalized);
    assert_eq!(chain.standing(&anchor), Standing::Stands);
}

/// A state under the newest head shows a reorganisation that was not observed: blocks that it does not record are
/// withdrawn.
#[test]
fn it_withdraws_blocks_signed_on_another_branch() {
    let left = Made::alone(N - 2, 1);
    let block = Made::alone(N - 2, 2);
    let state = records(N - 2, block.hash());
    let head = Made::alone(N, 0).with_state(state.root());
    let mut light_client = client(8, Made::alone(7, 0));
    let mut chain = Chain::new();
    sign(&mut light_client, 20, left);
    chain.follow(&light_client).unwrap();
    let was = chain.attach(&left.header()).unwrap().clone();
    sign(&mut light_client, 22, head);
    chain.follow(&light_client).unwrap();
    let under = chain.attach(&head.header()).unwrap().clone();
    assert_eq!(chain.standing(&was), Standing::Stands);
    let (account, slot) = (state.account(HISTORY_CONTRACT), state.slot(history_key(N - 2)));
    chain.attach_history(&under, &account, &slot, &block.header()).unwrap();
    assert_eq!(chain.standing(&was), Standing::Withdrawn);
}

/// A block that the head's own parent hash excludes is not its parent, even if a state records it.
#[test]
fn the_parents_go_before_the_record() {
    let block = Made::alone(N - 1, 1);
    let state = records(N - 1, block.hash());
    let (_, mut chain, under) = chain_at(&state);
    let (account, slot) = (state.account(HISTORY_CONTRACT), state.slot(history_key(N - 1)));
    assert_eq!(
        chain.attach_history(&under, &account, &slot, &block.header()),
        Err(HistoryError::OtherBranch { number: N - 1 })
    );
}

/// A finalized block stays, whatever a signed state records: that is a contradiction of the validators.
#[test]
fn against_finality_it_is_a_consensus_fault() {
    let finalized = Made::alone(N - 9, 1);
    let block = Made::alone(N - 9, 2);
    let state = records(N - 9, block.hash());
    let head = Made::alone(N, 0).with_state(state.root());
    let mut light_client = client(8, finalized);
    let mut chain = Chain::new();
    sign(&mut light_client, 22, head);
    chain.follow(&light_client).unwrap();
    chain.attach(&finalized.header()).unwrap();
    let under = chain.attach(&head.header()).unwrap().clone();
    let (account, slot) = (state.account(HISTORY_CONTRACT), state.slot(history_key(N - 9)));
    let fault =
        ChainError::ConsensusFault { number: N - 9, finalized: finalized.hash(), signed: block.hash() };
    assert_eq!(
        chain.attach_history(&under, &account, &slot, &block.header()),
        Err(HistoryError::Chain(fault))
    );
}

/// The newest signed block of a Fulu chain, whose head contains the payload's header.
fn head_of(forge: &Forge) -> Anchor {
    let mut light_client = forge.client(8);
    light_client.advance(forge.optimistic(20), forge.now(20)).unwrap();
    let mut chain = Chain::new();
    chain.follow(&light_client).unwrap();
    chain.newest(Level::Signed).unwrap().clone()
}

/// The contract records only a hash. So a block of another chain, or a stored block whose header does not have that
/// hash, proves nothing.
#[test]
fn only_a_block_with_a_known_header_is_confirmed() {
    let forge = Forge::default();
    let block = head_of(&forge);
    let (number, hash, chain_id) = (block.number(), block.hash(), block.chain_id());
    let key = history_key(number);
    let state = State::new(HISTORY_CONTRACT, HISTORY_CODE_HASH, key, hash);
    let (_, mut chain, under) = chain_of(Made::alone(number + 10, 0).with_state(state.root()));
    let (account, slot) = (state.account(HISTORY_CONTRACT), state.slot(key));
    let untrusted = Err(HistoryError::Untrusted { number, hash });

    let stored = Anchor::load(&block.to_bytes(), chain_id).unwrap();
    assert_eq!(chain.confirm_by_history(&under, &account, &slot, &stored), untrusted.clone());
    let toml = MINIMAL_FULU.replace(&format!("chain_id = {chain_id}\n"), "chain_id = 77\n");
    let other_chain = head_of(&Forge { network: Network::from_toml(&toml).unwrap(), ..forge });
    assert_eq!((other_chain.chain_id(), other_chain.hash()), (77, hash));
    assert_eq!(chain.confirm_by_history(&under, &account, &slot, &other_chain), untrusted);
    let confirmed = chain.confirm_by_history(&under, &account, &slot, &block).unwrap();
    assert_eq!(confirmed.path(), Path::History { under: number + 10 });
}
