//! Proofs that real clients gave, in `tests/data/captured`.

use alloy_primitives::{Address, U256, hex};
use rlp::RlpStream;
use saldo_proof::StateRoot;
use saldo_proof::eip1186::AccountReply;
use serde_json::Value;

/// A genuine reply of `eth_getProof`, and its request.
#[derive(Clone, Debug)]
pub struct Captured {
    /// Its origin.
    pub name: String,
    /// The root in the header of the requested block.
    pub state_root: StateRoot,
    /// The requested address.
    pub address: Address,
    /// The reply.
    pub reply: AccountReply,
    /// The reply as it arrived.
    pub json: Value,
}

/// Reads one reply, and the root from its block's header.
pub fn captured(proof: &str, header: &str) -> Captured {
    let read = |name: &str| -> Value {
        let path = crate::data("captured").join(name);
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    let json = match read(proof) {
        mut whole if whole.get("result").is_some() => whole["result"].take(),
        reply => reply,
    };
    let reply: AccountReply = serde_json::from_value(json.clone()).unwrap();
    let header: Value = read(header);
    Captured {
        name: proof.to_owned(),
        state_root: StateRoot::new(header["stateRoot"].as_str().unwrap().parse().unwrap()),
        address: reply.address.expect("a captured reply names its account"),
        reply,
        json,
    }
}

/// Four accounts at one finalized block: funded by a transaction, absent, funded at genesis, and a busy one.
pub fn four_accounts() -> [Captured; 4] {
    [
        "00000000000000000000000000000000000c0ffe",
        "00000000000000000000000000000000deadbeef",
        "0001cccccccccccccccccccccccccccccccccccc",
        "f39fd6e51aad88f6f4ce6ab8827279cfffb92266",
    ]
    .map(|address| {
        captured(
            &format!("pyspec-ethrex-fulu/proof_finalized_0x{address}.json"),
            "pyspec-ethrex-fulu/el_block_finalized.json",
        )
    })
}

/// The clients with recorded proofs of a token contract (four slots, one of them empty) and of a customer.
pub const CLIENTS: [&str; 5] = ["anvil", "ejs-electra", "ethrex-electra", "ganache", "hardhat"];

/// A token contract with three holders' slots (the third is empty) and the total supply, in slot 2.
pub fn token(client: &str) -> Captured {
    captured(&format!("{client}/proof_token.json"), &format!("{client}/block_latest.json"))
}

/// An account with only a balance, in the same state as the token.
pub fn customer(client: &str) -> Captured {
    captured(&format!("{client}/proof_customer.json"), &format!("{client}/block_latest.json"))
}

/// A header's fields in the order of RLP, and whether each is an integer.
const FIELDS: [(&str, bool); 24] = [
    ("parentHash", false),
    ("sha3Uncles", false),
    ("miner", false),
    ("stateRoot", false),
    ("transactionsRoot", false),
    ("receiptsRoot", false),
    ("logsBloom", false),
    ("difficulty", true),
    ("number", true),
    ("gasLimit", true),
    ("gasUsed", true),
    ("timestamp", true),
    ("extraData", false),
    ("mixHash", false),
    ("nonce", false),
    ("baseFeePerGas", true),
    ("withdrawalsRoot", false),
    ("blobGasUsed", true),
    ("excessBlobGas", true),
    ("parentBeaconBlockRoot", false),
    ("requestsHash", false),
    ("blockAccessListHash", false),
    ("slotNumber", true),
    ("fieldOfTheFuture", false),
];

/// The RLP of a header, written without any code of saldo.
pub fn header_rlp(header: &Value) -> Vec<u8> {
    let present: Vec<Vec<u8>> = FIELDS
        .iter()
        .map_while(|(name, is_integer)| {
            let text = header.get(name)?.as_str()?;
            let digits = text.trim_start_matches("0x");
            Some(if *is_integer {
                U256::from_str_radix(digits, 16).unwrap().to_be_bytes_trimmed_vec()
            } else {
                hex::decode(digits).unwrap()
            })
        })
        .collect();
    let mut stream = RlpStream::new_list(present.len());
    for field in &present {
        stream.append(&field.as_slice());
    }
    stream.out().to_vec()
}
