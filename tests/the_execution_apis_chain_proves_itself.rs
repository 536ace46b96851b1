//! The chain of the execution-apis tests, from its genesis state to its head: built, hashed, followed and proven. The
//! balances, nonces, storage and code in its exchanges are those that the proofs prove.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rlp::Decodable;
use rlp::{PayloadInfo, Rlp};
use saldo_chain::ExecutionHeader;
use saldo_drill::trie::Trie;
use saldo_proof::eip1186::AccountReply;
use saldo_proof::{Account, Slot, StateRoot, Verified, verify_account};
use saldo_tests::{forge, vectors};
use serde::Deserialize;
use serde_json::{Value, json};

/// The subject of every proof in the exchanges: a contract.
const CONTRACT: &str = "0x7dcd17433742f4c0ca53122ab541d0ba67fc27df";

fn folder() -> Option<PathBuf> {
    vectors("mpt/execution-apis-chain/tests")
}

/// The messages of an exchange: the request and the answer.
fn exchange(path: &Path) -> (Value, Value) {
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .filter(|line| !line.starts_with("//"))
        .map(|line| serde_json::from_str(line.trim_start_matches(['<', '>', ' '])).unwrap())
        .collect();
    let [request, answer] = <[Value; 2]>::try_from(lines).unwrap();
    (request, answer)
}

fn exchanges(folder: &Path, method: &str) -> BTreeMap<String, (Value, Value)> {
    let entries = std::fs::read_dir(folder.join(method)).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), exchange(&path))).collect()
}

/// The headers after genesis. Each block starts with its header.
fn headers(folder: &Path) -> Vec<ExecutionHeader> {
    let bytes = std::fs::read(folder.join("chain.rlp")).unwrap();
    let mut rest = bytes.as_slice();
    let mut headers = Vec::new();
    while !rest.is_empty() {
        let (block, later) = rest.split_at(PayloadInfo::from(rest).unwrap().total());
        rest = later;
        let header = Rlp::new(block).at(0).unwrap();
        let read = ExecutionHeader::from_rlp(header.as_raw(), keccak256(header.as_raw())).unwrap();
        let theirs = Header::decode(&mut header.as_raw()).unwrap();
        assert_eq!((theirs.hash_slow(), theirs.state_root), (read.hash(), read.state_root().get()));
        headers.push(read);
    }
    headers
}

fn block(folder: &Path, name: &str) -> ExecutionHeader {
    let (_, answer) = exchange(&folder.join("eth_getBlockByNumber").join(name).with_extension("io"));
    let hash = serde_json::from_value(answer["result"]["hash"].clone()).unwrap();
    ExecutionHeader::from_json(answer["result"].to_string().as_bytes(), hash).unwrap()
}

#[test]
fn every_block_follows_from_the_one_before() {
    let Some(folder) = folder() else { return };
    let headers = headers(&folder);
    assert_eq!(headers.len(), 54);
    let mut parent = block(&folder, "get-genesis");
    for (number, header) in (1..).zip(&headers) {
        assert_eq!((header.number(), header.parent_hash()), (number, parent.hash()));
        assert!(header.timestamp() > parent.timestamp());
        parent = header.clone();
    }
    // Every exchange that answers with a block answers with one of these.
    let mut served = BTreeMap::new();
    for method in ["eth_getBlockByNumber", "eth_getBlockByHash"] {
        for (name, (_, answer)) in exchanges(&folder, method) {
            let block = &answer["result"];
            if block.is_null() {
                served.insert(name, None);
                continue;
            }
            let hash: B256 = serde_json::from_value(block["hash"].clone()).unwrap();
            let read = ExecutionHeader::from_json(block.to_string().as_bytes(), hash).unwrap();
            let number = usize::try_from(read.number()).unwrap();
            if number > 0 {
                assert_eq!(read, headers[number - 1], "{name}");
            }
            served.insert(name, Some(number));
        }
    }
    let expected = [
        ("get-block-by-empty-hash", None),
        ("get-block-by-hash", Some(1)),
        ("get-block-by-notfound-hash", None),
        ("get-block-cancun-fork", Some(42)),
        ("get-block-london-fork", Some(27)),
        ("get-block-merge-fork", Some(36)),
        ("get-block-notfound", None),
        ("get-block-prague-fork", Some(45)),
        ("get-block-shanghai-fork", Some(39)),
        ("get-finalized", Some(54)),
        ("get-genesis", Some(0)),
        ("get-latest", Some(54)),
        ("get-safe", Some(54)),
    ];
    assert_eq!(served, expected.map(|(name, number)| (name.to_owned(), number)).into());
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Allocated {
    balance: U256,
    #[serde(default)]
    nonce: U256,
    #[serde(default)]
    code: Bytes,
    #[serde(default)]
    storage: BTreeMap<B256, U256>,
}

impl Allocated {
    fn storage_trie(&self) -> Trie {
        let mut trie = Trie::default();
        for (slot, word) in &self.storage {
            trie.insert(keccak256(slot).as_slice(), &forge::word(*word));
        }
        trie
    }
}

#[test]
fn the_genesis_state_has_the_root_of_its_header() {
    let Some(folder) = folder() else { return };
    let genesis: Value =
        serde_json::from_slice(&std::fs::read(folder.join("genesis.json")).unwrap()).unwrap();
    let accounts: BTreeMap<Address, Allocated> = serde_json::from_value(genesis["alloc"].clone()).unwrap();
    assert_eq!(accounts.len(), 27);
    let mut state = Trie::default();
    for (address, account) in &accounts {
        let code_hash = keccak256(&account.code);
        let value =
            forge::account(account.nonce.to(), account.balance, account.storage_trie().root(), code_hash);
        state.insert(keccak256(address).as_slice(), &value);
    }
    let root = block(&folder, "get-genesis").state_root();
    assert_eq!(state.root(), root.get());

    let (mut slots, mut absent) = (0, 0);
    for (address, account) in &accounts {
        let proof = state.prove(keccak256(address).as_slice()).unwrap();
        let verified = verify_account(root, *address, &proof).unwrap();
        let Account::Present(read) = verified.leaf() else { panic!("{address} is absent") };
        assert_eq!((U256::from(read.nonce), read.balance), (account.nonce, account.balance));
        assert_eq!(read.code_hash, keccak256(&account.code));
        let storage = account.storage_trie();
        for (slot, word) in &account.storage {
            let proof = storage.prove(keccak256(slot).as_slice()).unwrap();
            assert_eq!(verified.slot(*slot, &proof).unwrap().leaf(), &Slot::Present(*word));
            slots += 1;
        }
        // A neighbour by one bit, which holds nothing.
        let mut neighbour = *address;
        neighbour.0[19] ^= 1;
        let proof = state.prove(keccak256(neighbour).as_slice()).unwrap();
        assert_eq!(verify_account(root, neighbour, &proof).unwrap().leaf(), &Account::Absent);
        absent += 1;
    }
    assert_eq!((slots, absent), (3, 27));
}

/// The content of an exchange's proof, under the root of the requested block.
fn proven(headers: &[ExecutionHeader], request: &Value, answer: &Value) -> (AccountReply, Verified<Account>) {
    let tip = headers.last().unwrap();
    let header = match request["params"].get(2).map(|block| block.as_str().unwrap()) {
        None | Some("latest") => tip,
        Some(hash) => headers.iter().find(|header| header.hash().to_string() == hash).unwrap(),
    };
    let reply: AccountReply = serde_json::from_value(answer["result"].clone()).unwrap();
    let address: Address = serde_json::from_value(request["params"][0].clone()).unwrap();
    let verified = verify_account(header.state_root(), address, &reply.account_proof).unwrap();
    assert!(!reply.contradictions(&verified).any());
    // Under the root of any other block the proof is refused.
    for other in headers.iter().filter(|other| other.state_root() != header.state_root()) {
        let root = StateRoot::new(other.state_root().get());
        assert!(verify_account(root, address, &reply.account_proof).is_err());
    }
    (reply, verified)
}

#[test]
fn every_exchange_agrees_with_the_proofs() {
    let Some(folder) = folder() else { return };
    let headers = headers(&folder);
    let mut slots = 0;
    let proofs = exchanges(&folder, "eth_getProof");
    assert_eq!(proofs.len(), 4);
    for (name, (request, answer)) in &proofs {
        assert_eq!(request["params"][0], CONTRACT);
        let (reply, verified) = proven(&headers, request, answer);
        let Account::Present(account) = verified.leaf() else { panic!("{name}: absent") };
        let ask = |method: &str, name: &str| {
            let (request, answer) = exchange(&folder.join(method).join(name).with_extension("io"));
            assert_eq!(request["method"], method);
            (request["params"].clone(), answer["result"].clone())
        };
        for name in ["get-balance", "get-balance-default-block"] {
            let (params, result) = ask("eth_getBalance", name);
            assert_eq!(params[0], CONTRACT);
            assert_eq!(serde_json::from_value::<U256>(result).unwrap(), account.balance);
        }
        for storage in &reply.storage_proof {
            let key = B256::from(storage.key);
            let word = verified.slot(key, &storage.proof).unwrap();
            for name in ["get-storage", "get-storage-default-block"] {
                let (params, result) = ask("eth_getStorageAt", name);
                assert_eq!(params.as_array().unwrap()[..2], [json!(CONTRACT), json!(key)]);
                let result: B256 = serde_json::from_value(result).unwrap();
                assert_eq!(word.leaf(), &Slot::Present(result.into()));
            }
            for name in ["get-storage-values", "get-storage-values-default-block"] {
                let (params, result) = ask("eth_getStorageValues", name);
                assert_eq!(params[0], json!({ CONTRACT: [key] }));
                let result: B256 = serde_json::from_value(result[CONTRACT][0].clone()).unwrap();
                assert_eq!(word.leaf(), &Slot::Present(result.into()));
            }
            slots += 1;
        }
        for name in ["get-code", "get-code-default-block"] {
            let (params, result) = ask("eth_getCode", name);
            assert_eq!(params[0], CONTRACT);
            let code: Bytes = serde_json::from_value(result).unwrap();
            assert_eq!(keccak256(code), account.code_hash);
        }
    }
    assert_eq!(slots, 1);
}
