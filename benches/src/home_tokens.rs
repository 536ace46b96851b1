//! The coin and 50 tokens of one owner, beside a plain client that asks one server for the same numbers and checks nothing.

use std::collections::BTreeSet;
use std::hint::black_box;

use alloy_primitives::{Address, B256, Bytes, U256, hex, keccak256};
use saldo::{Holding, NetworkId};
use saldo_drill::{Chain, Preset};
use saldo_token::layouts;
use serde_json::{Value, json};

use crate::Missing;
use crate::home::Wallet;
use crate::row::{Bound, Row, Work};

const OWNER: Address = Address::repeat_byte(0xa1);
const TOKENS: u64 = 50;
const AMOUNT: U256 = U256::from_limbs([7, 0, 0, 0]);

fn tokens() -> Vec<Address> {
    (1..=TOKENS).map(|number| Address::from_word(keccak256(number.to_be_bytes()))).collect()
}

/// A wallet whose tokens have the code of WETH on mainnet.
fn wallet() -> Result<Wallet, Missing> {
    let layout = layouts().iter().find(|layout| layout.name == "WETH9").ok_or("no layout of WETH9")?;
    let chain =
        Chain::builder(2).preset(Preset::Mainnet).mainnet_shape(true).accounts([(OWNER, AMOUNT)]).build();
    let network = NetworkId::new(Chain::CHAIN_ID);
    let mut holdings = vec![Holding::native(network, OWNER)];
    for token in tokens() {
        chain.set_code_hash(token, layout.code_hash);
        chain.set_storage(token, layout.mapping.slot(OWNER), AMOUNT);
        holdings.push(Holding::erc20(network, OWNER, token));
    }
    chain.advance(4);
    Wallet::of(&chain, &holdings)
}

/// The nodes of all proofs in the responses, each once.
fn nodes(value: &Value, found: &mut BTreeSet<Bytes>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| nodes(item, found)),
        Value::Object(members) => members.values().for_each(|member| nodes(member, found)),
        Value::String(text) if text.len() > 66 => found.extend(hex::decode(text).map(Bytes::from)),
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

/// What a plain client does: one batch of `eth_getBalance` and 50 `eth_call`, whose answers it believes.
fn plain_request() -> Value {
    let balance =
        json!({ "jsonrpc": "2.0", "id": 0, "method": "eth_getBalance", "params": [OWNER, "latest"] });
    let calls = (1_u64..).zip(tokens()).map(|(id, token)| {
        let data = Bytes::from([&hex!("70a08231")[..], OWNER.into_word().as_slice()].concat());
        json!({ "jsonrpc": "2.0", "id": id, "method": "eth_call", "params": [{ "to": token, "data": data }, "latest"] })
    });
    std::iter::once(balance).chain(calls).collect()
}

fn plain_response() -> String {
    let word = B256::from(AMOUNT);
    let answers = (0..=TOKENS).map(|id| json!({ "jsonrpc": "2.0", "id": id, "result": word }));
    Value::from_iter(answers).to_string()
}

/// Reads the plain response, and returns whether it has all amounts.
fn plain_read(response: &str) -> bool {
    let request = black_box(plain_request().to_string());
    let Ok(Value::Array(answers)) = serde_json::from_str(black_box(response)) else { return false };
    let amounts = answers.iter().filter_map(|answer| answer.get("result")?.as_str()?.parse::<U256>().ok());
    !request.is_empty() && amounts.filter(|amount| *amount == AMOUNT).count() == answers.len()
}

/// Proves the coin and 50 tokens again under the newest head. The limit reads the JSON and hashes each node once; the peer only reads
/// numbers.
pub(crate) fn refresh() -> Result<Row, Missing> {
    let wallet = wallet()?;
    let responses = wallet.responses();
    let of_provider: Vec<Bytes> = responses
        .iter()
        .filter(|(request, _)| request.contains("eth_"))
        .map(|(_, body)| body.clone())
        .collect();
    let bytes = |bodies: &[Bytes]| bodies.iter().map(|body| body.len()).sum::<usize>();
    let all: Vec<Bytes> = responses.iter().map(|(_, body)| body.clone()).collect();
    let plain = plain_response();
    let what = format!(
        "the coin and {TOKENS} tokens proven again: {} requests and {} KB; plain: 1 request and {} KB",
        responses.len(),
        bytes(&all) / 1_000,
        plain.len() / 1_000,
    );
    let opened = wallet.clone();
    let limit: Work = Box::new(move || {
        let mut found = BTreeSet::new();
        for body in &of_provider {
            let Ok(value) = serde_json::from_slice::<Value>(black_box(body)) else { return false };
            nodes(&value, &mut found);
        }
        let hashed = found.iter().map(keccak256).filter(|hash| *hash != B256::ZERO).count();
        opened.reopen() && hashed > usize::try_from(TOKENS).unwrap_or(usize::MAX)
    });
    Ok(Row {
        what,
        limit: Some(limit),
        peer: Some(Box::new(move || plain_read(&plain))),
        ours: Box::new(move || wallet.refresh()),
        bound: Bound::TimesLimit(2.5),
    })
}
