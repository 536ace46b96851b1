//! Balances that a token's own code returns, compared with the keccak hashes of their proofs; and what hostile code costs at most.

use std::hint::black_box;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rlp::Encodable;
use alloy_trie::TrieAccount;
use saldo_beacon::Network;
use saldo_beacon::unit::Slot;
use saldo_chain::{Environment, ExecutionHeader};
use saldo_drill::Seed;
use saldo_drill::trie::Trie;
use saldo_execute::{Call, Refusal, execute, prepare};
use saldo_proof::{HashedCode, ProvenState, StateRoot, verify_account};
use saldo_token::{VerifiedBalance, balance_of};
use serde_json::Value;

use crate::Missing;
use crate::proof::hash_all;
use crate::row::{Bound, Row, Work};

const TOKEN: Address = Address::repeat_byte(0x70);
const HOLDER: Address = Address::repeat_byte(0xa1);
/// The levels of mainnet's state trie, and of the storage trie of a token with many holders.
const FULL_LEVELS: usize = 7;
const AMOUNT: u64 = 1_234_567;

/// The deployed code of a compiled contract of `tests/data/tokens`.
fn code(name: &str) -> Result<Bytes, Missing> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/tokens");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json"))?;
    let contract: Value = serde_json::from_str(&text)?;
    let code = contract.get("deployed_code").and_then(Value::as_str).ok_or("no code")?;
    Ok(code.parse()?)
}

/// A contract with one word in its storage, in tries of mainnet's shape.
struct Token {
    environment: Environment,
    call: Call,
    code: HashedCode,
    account: Vec<Bytes>,
    slot: (B256, Vec<Bytes>),
}

impl Token {
    fn new(name: &str) -> Result<Self, Missing> {
        let code = prepare(code(name)?);
        let key = keccak256([HOLDER.into_word(), B256::ZERO].concat());
        let word = alloy_rlp::encode(U256::from(AMOUNT));
        let (storage_root, slot) = thick(keccak256(key), &word, "storage")?;
        let account = TrieAccount { nonce: 1, balance: U256::ZERO, storage_root, code_hash: code.hash() };
        let (root, account) = thick(keccak256(TOKEN), &alloy_rlp::encode(account), "state")?;
        let (environment, call) = (environment(root)?, balance_of(TOKEN, HOLDER));
        Ok(Self { environment, call, code, account, slot: (key, slot) })
    }

    fn state(&self) -> Option<ProvenState> {
        let root: StateRoot = self.environment.state_root();
        let account = verify_account(black_box(root), TOKEN, black_box(&self.account)).ok()?;
        let mut state = ProvenState::new(root);
        state.add_account(&account).ok()?;
        state.add_slot(&account.slot(self.slot.0, black_box(&self.slot.1)).ok()?).ok()?;
        // Its hash and its jumps are known since it was read first.
        state.add_hashed_code(self.code.clone());
        Some(state)
    }

    fn amount(&self) -> Option<U256> {
        let executed = execute(&self.state()?, &self.environment, black_box(&self.call)).ok()?;
        Some(black_box(VerifiedBalance::from_execution(&executed, TOKEN, HOLDER).ok()?).amount())
    }
}

/// The root of a trie of mainnet's shape with this entry, and its proof.
fn thick(key: B256, value: &[u8], name: &str) -> Result<(B256, Vec<Bytes>), Missing> {
    let (seed, mut index) = (Seed::new(7), 0_u64);
    let mut trie = Trie::default();
    trie.insert(key.as_slice(), value);
    trie.thicken(key.as_slice(), FULL_LEVELS, &mut || {
        index = index.saturating_add(1);
        seed.bytes(name, index)
    });
    let proof = trie.prove(key.as_slice()).map_err(|missing| format!("{missing:?}"))?;
    Ok((trie.root(), proof.iter().map(|node| Bytes::copy_from_slice(node)).collect()))
}

/// The environment of a block of Osaka with this state.
fn environment(root: B256) -> Result<Environment, Missing> {
    let network = Network::mainnet();
    let time = network.slot_start(Slot::new(420_000 * 32)).as_secs();
    let mut fields = Vec::new();
    for field in 0..21 {
        match field {
            0 | 13 => B256::repeat_byte(field).encode(&mut fields),
            2 => Address::repeat_byte(field).encode(&mut fields),
            3 => root.encode(&mut fields),
            8 => 23_000_000_u64.encode(&mut fields),
            9 => 60_000_000_u64.encode(&mut fields),
            11 => time.encode(&mut fields),
            15 => 7_u64.encode(&mut fields),
            _ => 0_u64.encode(&mut fields),
        }
    }
    let mut rlp = Vec::new();
    alloy_rlp::Header { list: true, payload_length: fields.len() }.encode(&mut rlp);
    rlp.extend(fields);
    Ok(Environment::of_header(&ExecutionHeader::from_rlp(&rlp, keccak256(&rlp))?, &network)?)
}

pub(crate) fn executed() -> Result<Row, Missing> {
    let token = Token::new("openzeppelin-plain")?;
    let nodes: Vec<Bytes> = token.account.iter().chain(&token.slot.1).cloned().collect();
    let what =
        format!("a balance by running OpenZeppelin's code: an account and a slot, {} nodes", nodes.len());
    let key = token.slot.0;
    let limit: Work = Box::new(move || {
        black_box(keccak256(black_box(TOKEN)));
        black_box(keccak256(black_box(key)));
        hash_all(&nodes)
    });
    let ours: Work = Box::new(move || token.amount() == Some(U256::from(AMOUNT)));
    Ok(Row { what, limit: Some(limit), peer: None, ours, bound: Bound::TimesLimit(1.5) })
}

pub(crate) fn hostile() -> Result<Row, Missing> {
    let names =
        ["burns-all-gas", "hashes-much-memory", "repeats-precompile", "proxy-to-itself", "recurses-twice"];
    let tokens = names.map(|name| Token::new(&format!("hostile-{name}")));
    let tokens: Vec<Token> = tokens.into_iter().collect::<Result<_, _>>()?;
    let what = format!("giving up {} hostile contracts", tokens.len());
    let is_given_up = |token: &Token| {
        let outcome = token.state().map(|state| execute(&state, &token.environment, &token.call));
        matches!(outcome, Some(Err(Refusal::Bound(_) | Refusal::Missing(_) | Refusal::OutOfGas)))
    };
    let ours: Work = Box::new(move || tokens.iter().all(is_given_up));
    // All of them together: each costs far less.
    Ok(Row { what, limit: None, peer: None, ours, bound: Bound::Microseconds(50_000.0) })
}
