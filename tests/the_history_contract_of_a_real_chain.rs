//! The record of block hashes in a real state: OP Mainnet, at both ends of the window.

use alloy_primitives::{B256, Bytes, U256, keccak256};
use saldo_chain::{ExecutionHeader, HISTORY_CODE_HASH, HISTORY_CONTRACT, HISTORY_WINDOW, history_key};
use saldo_proof::{Account, Slot, StateRoot, verify_account};
use serde_json::Value;

fn bytes(value: &Value) -> Bytes {
    value.as_str().unwrap().parse().unwrap()
}

fn nodes(value: &Value) -> Vec<Bytes> {
    value.as_array().unwrap().iter().map(bytes).collect()
}

fn read(rlp: &[u8]) -> ExecutionHeader {
    ExecutionHeader::from_rlp(rlp, keccak256(rlp)).unwrap()
}

#[test]
fn each_step_records_the_block() {
    let Some(folder) = saldo_tests::vectors("l2/op-mainnet-eip2935") else { return };
    let mut steps = 0;
    for name in ["eip2935_header_by_number.json", "eip2935_multi_iteration.json"] {
        let file: Value = serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap();
        let mut under = read(&bytes(&file["safe_head_header_rlp"]));
        assert_eq!(under.number(), file["safe_head_number"].as_u64().unwrap());
        for step in file["steps"].as_array().unwrap() {
            let expected: B256 = step["resolved_block_hash"].as_str().unwrap().parse().unwrap();
            let rlp = bytes(&step["resolved_block_header_rlp"]);
            let header = ExecutionHeader::from_rlp(&rlp, expected).unwrap();
            assert!((under.number() - HISTORY_WINDOW..under.number()).contains(&header.number()));
            let root: StateRoot = under.state_root();
            let account = verify_account(root, HISTORY_CONTRACT, &nodes(&step["account_proof"])).unwrap();
            let Account::Present(state) = account.leaf() else { panic!("{name}: no contract") };
            assert_eq!(state.code_hash, HISTORY_CODE_HASH, "{name}");
            let key = history_key(header.number());
            let slot = account.slot(key, &nodes(&step["storage_proof"])).unwrap();
            assert_eq!(*slot.leaf(), Slot::Present(U256::from_be_bytes(expected.0)), "{name}");
            under = header;
            steps += 1;
        }
        assert_eq!(under.number(), file["target_block_number"].as_u64().unwrap());
    }
    assert_eq!(steps, 3);
}
