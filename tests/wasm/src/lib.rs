//! The pure crates as a WebAssembly module: from the bytes of a bootstrap, an update and a reply of `eth_getProof` to a
//! proven amount. For `run.mjs`, which calls it from Node.
//!
//! JavaScript requests a [`buffer`] of the needed length, writes its bytes there, and calls a function. The function
//! returns [`ACCEPTED`] or [`REFUSED`]. It leaves in the buffer, as text, the result (JSON) or the reason for the
//! refusal (the error's name, as `Debug` prints it).
//!
//! `unsafe` only keeps the exported names unchanged: the functions take and return integers, and every byte is read
//! and written through a `Vec`.
#![expect(unsafe_code, reason = "names that JavaScript can call: `#[unsafe(no_mangle)]`, and nothing else")]

use std::cell::RefCell;
use std::fmt::Debug;

use alloy_primitives::{Address, B256};
use saldo_beacon::decode::{self, Encoding};
use saldo_beacon::unit::UnixTime;
use saldo_beacon::{Checkpoint, DecodeError, LightClient, LightClientUpdate, Network};
use saldo_chain::{Assurance, Chain, Level};
use saldo_proof::eip1186::AccountReply;
use saldo_proof::{Account, StateRoot};
use saldo_reading::gate::{Demand, Present, admit};
use saldo_reading::{Generation, Holding, NetworkId, Now, Policy, ProviderId, join};

/// The input is valid.
pub const ACCEPTED: u32 = 0;
/// The input was refused, and the state is unchanged.
pub const REFUSED: u32 = 1;

#[derive(Default)]
struct State {
    buffer: Vec<u8>,
    client: Option<LightClient>,
    chain: Chain,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Makes the buffer `length` bytes long and returns its address. The address is valid until the next call of any
/// function.
#[unsafe(no_mangle)]
pub extern "C" fn buffer(length: usize) -> *mut u8 {
    STATE.with_borrow_mut(|state| {
        state.buffer.resize(length, 0);
        state.buffer.as_mut_ptr()
    })
}

/// Returns the address of the answer.
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> *const u8 {
    STATE.with_borrow(|state| state.buffer.as_ptr())
}

/// Returns the length of the answer in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn answer_length() -> usize {
    STATE.with_borrow(|state| state.buffer.len())
}

/// Verifies an account proof. Buffer: the state root (32 bytes), the address (20), the result of `eth_getProof` (JSON).
#[unsafe(no_mangle)]
pub extern "C" fn verify_account() -> u32 {
    respond(|_, input| {
        let (root, rest) = input.split_first_chunk::<32>().ok_or("TooShort")?;
        let (address, reply) = rest.split_first_chunk::<20>().ok_or("TooShort")?;
        let reply: AccountReply = serde_json::from_slice(reply).map_err(refusal)?;
        let verified =
            reply.verify(StateRoot::new(B256::from(root)), Address::from(address)).map_err(refusal)?;
        Ok(match verified.leaf() {
            Account::Absent => r#"{"exists":false,"balance":"0","nonce":"0"}"#.to_owned(),
            Account::Present(account) => {
                format!(r#"{{"exists":true,"balance":"{}","nonce":"{}"}}"#, account.balance, account.nonce)
            }
        })
    })
}

/// Starts from a checkpoint of mainnet. Buffer: its root (32 bytes), the bootstrap (SSZ, or JSON if `json` is 1).
#[unsafe(no_mangle)]
pub extern "C" fn bootstrap(json: u32, now: u64) -> u32 {
    respond(|state, input| {
        let (root, bytes) = input.split_first_chunk::<32>().ok_or("TooShort")?;
        let network = Network::mainnet();
        let bootstrap = decode::bootstrap(bytes, encoding(json), None, &network).map_err(refusal)?;
        let checkpoint = Checkpoint { root: B256::from(root), slot: None };
        let client = LightClient::bootstrap(network, checkpoint, bootstrap, UnixTime::from_secs(now));
        let client = state.client.insert(client.map_err(refusal)?);
        state.chain = Chain::new();
        Ok(format!(r#"{{"finalized_slot":{}}}"#, client.finalized_head().slot()))
    })
}

/// Takes a `LightClientUpdate`. Buffer: its bytes (SSZ, or JSON if `json` is 1).
#[unsafe(no_mangle)]
pub extern "C" fn update(json: u32, now: u64) -> u32 {
    advance(decode::update, json, now)
}

/// Takes a `LightClientFinalityUpdate`, as [`update`] does.
#[unsafe(no_mangle)]
pub extern "C" fn finality_update(json: u32, now: u64) -> u32 {
    advance(decode::finality_update, json, now)
}

/// Takes a `LightClientOptimisticUpdate`, as [`update`] does.
#[unsafe(no_mangle)]
pub extern "C" fn optimistic_update(json: u32, now: u64) -> u32 {
    advance(decode::optimistic_update, json, now)
}

/// Returns the signed and the final head.
#[unsafe(no_mangle)]
pub extern "C" fn heads() -> u32 {
    respond(|state, _| Ok(describe(state.client.as_ref().ok_or("NoBootstrap")?)))
}

/// Proves a balance under a signed header. Buffer: the address (20 bytes), the result of `eth_getProof` (JSON).
#[unsafe(no_mangle)]
pub extern "C" fn balance() -> u32 {
    respond(|state, input| {
        let (address, reply) = input.split_first_chunk::<20>().ok_or("TooShort")?;
        let reply: AccountReply = serde_json::from_slice(reply).map_err(refusal)?;
        let network = state.client.as_ref().ok_or("NoBootstrap")?.network();
        let root = saldo_proof::claimed_root(&reply.account_proof).map_err(refusal)?;
        let anchor = state.chain.anchor_at_root(root).ok_or("UnsignedRoot")?;
        let address = Address::from(address);
        let account = reply.verify(anchor.state_root(), address).map_err(refusal)?;
        let provider = ProviderId::new("node").ok_or("NoName")?;
        let generation = Generation::FIRST;
        let candidate = join(Holding::native(NetworkId::from(network), address), &account, anchor, provider, generation)
            .map_err(refusal)?;
        // The time of the block: this module does not know the device's clock.
        let now = Now::new(anchor.timestamp(), None, network.slot_duration());
        let demand = Demand { generation, level: Level::Signed, policy: Policy::signed() };
        let chain = &state.chain;
        let present = Present { generation, is_faulted: false, wrong_chain_id: None, chain, record: None, now };
        let proven = admit(&candidate, &demand, &present).map_err(refusal)?;
        let anchor = proven.anchor();
        let by = match anchor.assurance() {
            Assurance::Signed { signers, size } => format!("signed by {signers} of {size}"),
            Assurance::Finalized(_) => "finalized".to_owned(),
            Assurance::Rollup(_) => return Err("NotARollup".into()),
        };
        let (amount, number, hash) = (proven.amount().base_units(), anchor.number(), anchor.hash());
        Ok(format!(r#"{{"amount":"{amount}","number":{number},"hash":"{hash}","by":"{by}"}}"#))
    })
}

fn advance(
    decode: fn(&[u8], Encoding, Option<&str>, &Network) -> Result<LightClientUpdate, DecodeError>,
    json: u32,
    now: u64,
) -> u32 {
    respond(|state, input| {
        let client = state.client.as_mut().ok_or("NoBootstrap")?;
        let update = decode(input, encoding(json), None, client.network()).map_err(refusal)?;
        client.advance(update, UnixTime::from_secs(now)).map_err(refusal)?;
        state.chain.follow(client).map_err(refusal)?;
        Ok(describe(client))
    })
}

fn describe(client: &LightClient) -> String {
    let finalized = client.finalized_head().slot();
    match client.signed_head() {
        None => format!(r#"{{"finalized_slot":{finalized}}}"#),
        Some(head) => format!(
            r#"{{"finalized_slot":{finalized},"signed_slot":{},"signers":{},"size":{},"root":"{}"}}"#,
            head.slot(),
            head.signers(),
            head.committee_size(),
            head.beacon_root()
        ),
    }
}

fn encoding(json: u32) -> Encoding {
    if json == 1 { Encoding::Json } else { Encoding::Ssz }
}

fn refusal(error: impl Debug) -> String {
    format!("{error:?}")
}

/// Takes the input out of the buffer, and writes the answer into it.
fn respond(work: impl FnOnce(&mut State, &[u8]) -> Result<String, String>) -> u32 {
    STATE.with_borrow_mut(|state| {
        let input = std::mem::take(&mut state.buffer);
        let (status, text) = match work(state, &input) {
            Ok(text) => (ACCEPTED, text),
            Err(text) => (REFUSED, text),
        };
        state.buffer = text.into_bytes();
        status
    })
}
