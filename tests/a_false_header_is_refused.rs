//! A header is identified by its hash: anything else that a provider sends as the block's header is refused for the
//! right reason.

use alloy_primitives::{B256, keccak256};
use saldo_chain::{Chain, ChainError, ExecutionHeader, HeaderError, Level};
use saldo_tests::captured::{CLIENTS, header_rlp};
use saldo_tests::gloas::{Made, client, sign};
use serde_json::{Value, json};

/// The newest block of each client's own chain, and the block's hash.
fn blocks() -> Vec<(Value, B256)> {
    let read = |client: &str| -> Value {
        let path = saldo_tests::data("captured").join(client).join("block_latest.json");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    };
    CLIENTS.map(read).into_iter().map(|block| (block.clone(), keccak256(header_rlp(&block)))).collect()
}

fn read(block: &Value, hash: B256) -> Result<ExecutionHeader, HeaderError> {
    ExecutionHeader::from_json(block.to_string().as_bytes(), hash)
}

/// The header fields that a block has, in order.
fn fields(block: &Value) -> Vec<&'static str> {
    let names = [
        "parentHash",
        "sha3Uncles",
        "miner",
        "stateRoot",
        "transactionsRoot",
        "receiptsRoot",
        "logsBloom",
        "difficulty",
        "number",
        "gasLimit",
        "gasUsed",
        "timestamp",
        "extraData",
        "mixHash",
        "nonce",
        "baseFeePerGas",
        "withdrawalsRoot",
        "blobGasUsed",
        "excessBlobGas",
        "parentBeaconBlockRoot",
        "requestsHash",
    ];
    names.into_iter().take_while(|name| block[name].is_string()).collect()
}

/// The number of fields that every header has.
const ALWAYS: usize = 15;

#[test]
fn every_field_that_is_missing_or_null_is_refused() {
    let mut tried = 0;
    for (block, hash) in blocks() {
        read(&block, hash).unwrap();
        let fields = fields(&block);
        assert!(fields.len() >= 16, "{}", fields.len());
        for (at, field) in fields.iter().enumerate() {
            let mut without = block.clone();
            without.as_object_mut().unwrap().remove(*field);
            let mut null = block.clone();
            null[field] = Value::Null;
            for block in [without, null] {
                let refusal = read(&block, hash).unwrap_err();
                let next = fields.get(at + 1);
                match next {
                    _ if at < ALWAYS => assert_eq!(refusal, HeaderError::Field { field }),
                    // The next field cannot exist without this one.
                    Some(next) => assert_eq!(refusal, HeaderError::Field { field: next }),
                    // The last field may be missing: then it is the header of another block.
                    None => assert!(
                        matches!(refusal, HeaderError::HashMismatch { expected, got } if expected == hash && got != hash)
                    ),
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 150, "{tried}");
}

#[test]
fn one_field_more_than_the_hash_covers_is_refused() {
    for (block, hash) in blocks() {
        let next = [
            "baseFeePerGas",
            "withdrawalsRoot",
            "blobGasUsed",
            "excessBlobGas",
            "parentBeaconBlockRoot",
            "requestsHash",
            "blockAccessListHash",
        ];
        let next = next.into_iter().find(|name| !block[name].is_string()).unwrap();
        let mut more = block.clone();
        more[next] =
            if next.ends_with("Gas") || next.ends_with("Used") { json!("0x0") } else { json!(B256::ZERO) };
        assert!(matches!(read(&more, hash), Err(HeaderError::HashMismatch { .. })), "{next}");
        // An unknown name is no header field. But if the hash differs, an unknown field may be the reason.
        let mut strange = block.clone();
        strange["fieldOfTheFuture"] = json!("0x1");
        assert!(read(&strange, hash).is_ok());
        assert_eq!(read(&strange, B256::repeat_byte(1)), Err(HeaderError::UnknownLayout));
    }
}

#[test]
fn every_edited_field_is_another_header() {
    for (block, hash) in blocks() {
        for field in fields(&block) {
            let mut edited = block.clone();
            let text = edited[field].as_str().unwrap();
            let last = if text.ends_with('1') { "2" } else { "1" };
            // An empty `extraData` has no last digit to edit.
            edited[field] =
                if text == "0x" { json!("0x11") } else { json!([&text[..text.len() - 1], last].concat()) };
            let refusal = read(&edited, hash).unwrap_err();
            assert!(
                matches!(refusal, HeaderError::HashMismatch { expected, got } if expected == hash && got != hash),
                "{field}: {refusal}"
            );
        }
    }
}

#[test]
fn another_chains_header_is_refused() {
    let blocks = blocks();
    for (at, (_, requested)) in blocks.iter().enumerate() {
        for (other, (block, hash)) in blocks.iter().enumerate().filter(|(other, _)| *other != at) {
            let refusal = HeaderError::HashMismatch { got: *hash, expected: *requested };
            assert_eq!(read(block, *requested), Err(refusal.clone()), "{other} for {at}");
            assert_eq!(ExecutionHeader::from_rlp(&header_rlp(block), *requested), Err(refusal));
        }
    }
}

/// Its hash is right, but it is not a header: no committee signs it, and no client accepts it.
#[test]
fn what_is_no_header_is_refused_under_its_own_hash() {
    let (block, _) = blocks().remove(0);
    let rlp = header_rlp(&block);
    let refusal = |bytes: &[u8]| ExecutionHeader::from_rlp(bytes, keccak256(bytes)).unwrap_err();
    assert_eq!(refusal(&[]), HeaderError::NotAHeader);
    assert_eq!(refusal(&[0xc0]), HeaderError::NotAHeader);
    assert_eq!(refusal(&[&rlp[..], &[0]].concat()), HeaderError::NotAHeader, "trailing bytes");
    assert_eq!(refusal(&rlp[..rlp.len() - 1]), HeaderError::NotAHeader, "cut");
    assert_eq!(refusal(&[&[0xf8, rlp[2]], &rlp[3..]].concat()), HeaderError::NotAHeader, "a false length");
    let got = ExecutionHeader::MAX_BYTES + 1;
    assert_eq!(refusal(&vec![0; got]), HeaderError::TooLarge { got, limit: ExecutionHeader::MAX_BYTES });
    let got = ExecutionHeader::MAX_JSON_BYTES + 1;
    let refusal = ExecutionHeader::from_json(&vec![b' '; got], B256::ZERO).unwrap_err();
    assert_eq!(refusal, HeaderError::TooLarge { got, limit: ExecutionHeader::MAX_JSON_BYTES });
}

/// A chain whose signed head, on Gloas, is `head`.
fn chain_of(head: Made) -> Chain {
    let mut light_client = client(8, Made::alone(7, 0));
    sign(&mut light_client, 21, head);
    let mut chain = Chain::new();
    chain.follow(&light_client).unwrap();
    chain
}

/// A Gloas head gives only a hash. A header that differs in one field has another hash.
#[test]
fn a_head_known_by_hash_takes_no_edited_header() {
    let head = Made::alone(20, 0);
    let mut chain = chain_of(head);
    let edits = [
        Made { number: 21, ..head },
        Made { state_root: B256::repeat_byte(1), ..head },
        Made { parent_hash: B256::repeat_byte(1), ..head },
    ];
    for edited in edits {
        let refusal = HeaderError::HashMismatch { got: edited.hash(), expected: head.hash() };
        assert_eq!(ExecutionHeader::from_rlp(&edited.rlp(), head.hash()), Err(refusal));
        assert_eq!(chain.attach(&edited.header()), Err(ChainError::NotAParent { hash: edited.hash() }));
    }
    assert!(chain.newest(Level::Signed).is_none());
    assert_eq!(chain.attach(&head.header()).unwrap().hash(), head.hash());
}

/// The hash is the parent's, but the number is not one less: the child itself is invalid.
#[test]
fn a_parent_of_another_number_is_refused() {
    for number in [0, 18, 20, 21, u64::MAX] {
        let parent = Made::alone(number, 1);
        let head = Made { parent_hash: parent.hash(), ..Made::alone(20, 0) };
        let mut chain = chain_of(head);
        chain.attach(&head.header()).unwrap();
        let refusal = ChainError::Number { hash: parent.hash(), got: number, expected: 19 };
        assert_eq!(chain.attach(&parent.header()), Err(refusal));
    }
}

/// The chain accepts parents down to 64 blocks below the signed head. It refuses the next one, although it is
/// genuine.
#[test]
fn a_chain_of_headers_over_the_cap_is_refused() {
    let mut blocks = vec![Made::alone(100, 0)];
    for _ in 0..=Chain::MAX_ANCESTRY {
        blocks.push(blocks.last().unwrap().child(0));
    }
    let mut below = blocks.iter().rev();
    let head = below.next().unwrap();
    let mut chain = chain_of(*head);
    chain.attach(&head.header()).unwrap();
    for _ in 0..Chain::MAX_ANCESTRY {
        chain.attach(&below.next().unwrap().header()).unwrap();
    }
    assert_eq!(chain.missing_parent(0), None, "no further parent is requested");
    assert_eq!(chain.attach(&below.next().unwrap().header()), Err(ChainError::TooDeep));
    assert!(below.next().is_none());
}
