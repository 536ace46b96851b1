//! Full transactions, as `eth_getBlockByNumber` gives them.

use alloy_consensus::transaction::SignerRecoverable;
use alloy_consensus::{Transaction, TxEnvelope};
use alloy_eips::Decodable2718;
use alloy_primitives::Bytes;
use serde_json::{Map, Value, json};

use crate::quantity::{quantity, read_quantity};

/// The transactions of the block with this header, from the bytes that rebuild its root. The sender of each is found by its signature.
/// `None` if one cannot be read, which no block has.
pub(crate) fn full(header: &Map<String, Value>, raw: &[Bytes]) -> Option<Vec<Value>> {
    raw.iter().enumerate().map(|(place, raw)| one(header, place, raw)).collect()
}

fn one(header: &Map<String, Value>, place: usize, raw: &Bytes) -> Option<Value> {
    let transaction = TxEnvelope::decode_2718_exact(raw).ok()?;
    let Value::Object(mut object) = serde_json::to_value(&transaction).ok()? else { return None };
    let base_fee = header.get("baseFeePerGas").and_then(Value::as_str).and_then(read_quantity);
    let base_fee = base_fee.and_then(|fee| u64::try_from(fee).ok());
    let price = transaction.effective_gas_price(base_fee);
    object.insert("from".to_owned(), json!(transaction.recover_signer().ok()?));
    object.insert("gasPrice".to_owned(), json!(format!("{price:#x}")));
    object.insert("transactionIndex".to_owned(), quantity(u64::try_from(place).ok()?).into());
    for (name, of) in [("blockHash", "hash"), ("blockNumber", "number"), ("blockTimestamp", "timestamp")] {
        object.insert(name.to_owned(), header.get(of)?.clone());
    }
    Some(object.into())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use alloy_consensus::{Block, Header, Typed2718};
    use alloy_primitives::Address;
    use alloy_rlp::Decodable;
    use saldo_chain::{Body, ExecutionHeader};
    use saldo_tests::vectors;

    use super::*;

    /// Each field of the objects that geth gives.
    #[test]
    fn they_are_those_of_geth() {
        let Some(folder) = vectors("mpt/execution-apis-chain/tests/eth_getBlockByNumber") else { return };
        for name in ["get-latest", "get-finalized", "get-safe"] {
            let text = std::fs::read_to_string(folder.join(name).with_extension("io")).unwrap();
            let answer = text.lines().find_map(|line| line.strip_prefix("<< ")).unwrap();
            let block = serde_json::from_str::<Value>(answer).unwrap()["result"].clone();
            let hash = serde_json::from_value(block["hash"].clone()).unwrap();
            let header = ExecutionHeader::from_json(block.to_string().as_bytes(), hash).unwrap();
            let body = Body::from_json(block.to_string().as_bytes(), &header).unwrap();
            let ours = full(&header.to_json().unwrap(), body.raw_transactions()).unwrap();
            assert!(ours.len() > 2, "{name}: {}", ours.len());
            assert_eq!(json!(ours), block["transactions"], "{name}");
        }
    }

    /// Of every type: what is given rebuilds the root again, and each sender has an account in the first block.
    #[test]
    fn every_type_rebuilds_the_root() {
        let Some(folder) = vectors("mpt/execution-apis-chain/tests") else { return };
        let genesis = std::fs::read_to_string(folder.join("genesis.json")).unwrap();
        let genesis: Value = serde_json::from_str(&genesis).unwrap();
        let accounts = genesis["alloc"].as_object().unwrap().keys();
        let accounts: BTreeSet<Address> = accounts.map(|address| address.parse().unwrap()).collect();
        let chain = std::fs::read(folder.join("chain.rlp")).unwrap();
        let (mut rest, mut types) = (chain.as_slice(), BTreeSet::new());
        while !rest.is_empty() {
            let block = Block::<TxEnvelope, Header>::decode(&mut rest).unwrap();
            if !block.body.ommers.is_empty() {
                continue; // Before the merge.
            }
            let rlp = alloy_rlp::encode(&block.header);
            let header = ExecutionHeader::from_rlp(&rlp, block.header.hash_slow()).unwrap();
            let raw: Vec<Bytes> = block.body.transactions.iter().map(raw).collect();
            let objects = full(&header.to_json().unwrap(), &raw).unwrap();
            for object in &objects {
                let sender: Address = serde_json::from_value(object["from"].clone()).unwrap();
                assert!(accounts.contains(&sender), "{object}");
            }
            // A client reads them as they are.
            let read: Vec<alloy_rpc_types_eth::Transaction> = serde_json::from_value(json!(objects)).unwrap();
            let read: Vec<&TxEnvelope> = read.iter().map(|one| one.inner.inner()).collect();
            assert_eq!(read, block.body.transactions.iter().collect::<Vec<_>>());
            let again = json!({ "transactions": objects, "withdrawals": block.body.withdrawals });
            let again = Body::from_json(again.to_string().as_bytes(), &header).unwrap();
            assert_eq!(again.raw_transactions(), raw);
            types.extend(block.body.transactions.iter().map(Typed2718::ty));
        }
        assert_eq!(types, BTreeSet::from([0, 1, 2, 3, 4]));
    }

    fn raw(transaction: &TxEnvelope) -> Bytes {
        alloy_eips::Encodable2718::encoded_2718(transaction).into()
    }

    #[test]
    fn what_is_no_transaction_is_none() {
        let header = Map::new();
        for raw in [&[][..], &[0xc0], &[0x7e, 0xc0], &[0x02]] {
            assert_eq!(full(&header, &[Bytes::copy_from_slice(raw)]), None);
        }
        assert_eq!(full(&header, &[]), Some(Vec::new()));
    }
}
