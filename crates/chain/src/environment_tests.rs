use std::sync::Arc;

use alloy_primitives::{Bloom, Bytes, U256, keccak256};
use alloy_rlp::Encodable;
use saldo_beacon::Checkpoint;

use super::*;
use crate::assurance::{Assurance, Voucher};
use crate::header::tests::header;

const SIGNED: Assurance = Assurance::Signed { signers: 400, size: 512 };

fn voucher(chain_id: u64) -> Voucher {
    let origin = Checkpoint { root: B256::ZERO, slot: None }.into();
    Voucher { chain_id, assurance: SIGNED, origin, at: Slot::new(9) }
}

/// The time at which an epoch of mainnet starts.
fn start_of(epoch: u64) -> u64 {
    let mainnet = Network::mainnet();
    mainnet.slot_start(Slot::new(epoch.saturating_mul(32))).as_secs()
}

fn payload(timestamp: u64) -> ExecutionPayloadHeader {
    ExecutionPayloadHeader {
        parent_hash: B256::repeat_byte(0x11),
        fee_recipient: Address::repeat_byte(0x13),
        state_root: B256::repeat_byte(0x14),
        receipts_root: B256::ZERO,
        logs_bloom: Bloom::ZERO,
        prev_randao: B256::repeat_byte(0x17),
        block_number: 0x1234,
        gas_limit: 60_000_000,
        gas_used: 1,
        timestamp,
        extra_data: Bytes::from_static(b"extra"),
        base_fee_per_gas: U256::from(7),
        block_hash: B256::repeat_byte(0x21),
        transactions_root: B256::ZERO,
        withdrawals_root: B256::ZERO,
        blob_gas_used: Some(3),
        excess_blob_gas: Some(5),
    }
}

/// The RLP of the header with the same fields as `payload`, without the first `cut` of the later fields.
fn rlp_of(payload: &ExecutionPayloadHeader, cut: usize) -> Vec<u8> {
    let mut fields: Vec<Vec<u8>> = Vec::new();
    let mut push = |field: &dyn Encodable| {
        let mut encoded = Vec::new();
        field.encode(&mut encoded);
        fields.push(encoded);
    };
    push(&payload.parent_hash);
    push(&B256::ZERO);
    push(&payload.fee_recipient);
    push(&payload.state_root);
    push(&payload.transactions_root);
    push(&payload.receipts_root);
    push(&payload.logs_bloom);
    push(&0_u64);
    push(&payload.block_number);
    push(&payload.gas_limit);
    push(&payload.gas_used);
    push(&payload.timestamp);
    push(&payload.extra_data);
    push(&payload.prev_randao);
    push(&[0_u8; 8].as_slice());
    push(&payload.base_fee_per_gas);
    push(&payload.withdrawals_root);
    push(&payload.blob_gas_used.unwrap());
    push(&payload.excess_blob_gas.unwrap());
    push(&B256::ZERO);
    push(&B256::ZERO);
    fields.truncate(fields.len().saturating_sub(cut));
    let payload = fields.concat();
    let mut header = Vec::new();
    alloy_rlp::Header { list: true, payload_length: payload.len() }.encode(&mut header);
    [header, payload].concat()
}

fn of_rlp(rlp: &[u8]) -> Result<Environment, EnvironmentError> {
    let header = ExecutionHeader::from_rlp(rlp, keccak256(rlp)).unwrap();
    Environment::of_header(&header, &Network::mainnet())
}

#[test]
fn the_payload_and_the_header_of_a_block_give_the_same_environment() {
    let mut payload = payload(start_of(400_000));
    let rlp = rlp_of(&payload, 0);
    payload.block_hash = keccak256(&rlp);
    let of_header = of_rlp(&rlp).unwrap();
    let anchor = Anchor::of_payload(&payload, &voucher(1));
    assert_eq!(anchor.environment(&Network::mainnet()).as_ref(), Ok(&of_header));
    let header = ExecutionHeader::from_rlp(&rlp, payload.block_hash).unwrap();
    let anchor = Anchor::of_header(&header, &voucher(1));
    assert_eq!(anchor.environment(&Network::mainnet()).as_ref(), Ok(&of_header));

    assert_eq!((of_header.number(), of_header.gas_limit(), of_header.base_fee()), (0x1234, 60_000_000, 7));
    assert_eq!((of_header.coinbase(), of_header.prev_randao()), (payload.fee_recipient, payload.prev_randao));
    assert_eq!((of_header.excess_blob_gas(), of_header.chain_id()), (Some(5), 1));
    assert_eq!((of_header.parent_hash(), of_header.block_hash()), (payload.parent_hash, payload.block_hash));
    assert_eq!(of_header.slot(), Slot::new(400_000 * 32));
    assert_eq!(of_header.state_root().get(), payload.state_root);
}

#[test]
fn the_fork_follows_from_the_time_and_the_networks_table() {
    let mainnet = Network::mainnet();
    let start = |fork: Fork| {
        let scheduled = mainnet.forks().iter().find(|it| it.fork() == Some(fork)).unwrap();
        start_of(scheduled.epoch().unwrap().get())
    };
    let fork = |timestamp| of_rlp(&rlp_of(&payload(timestamp), 0)).map(|environment| environment.fork());
    for (consensus, execution) in [
        (Fork::Bellatrix, ExecutionFork::Paris),
        (Fork::Capella, ExecutionFork::Shanghai),
        (Fork::Deneb, ExecutionFork::Cancun),
        (Fork::Electra, ExecutionFork::Prague),
        (Fork::Fulu, ExecutionFork::Osaka),
    ] {
        assert_eq!(fork(start(consensus)), Ok(execution));
        let before = fork(start(consensus).saturating_sub(1)).map_err(|_| ());
        assert!(before.is_err() || before < Ok(execution), "{consensus}");
    }
    assert_eq!(fork(start(Fork::Altair)), Err(EnvironmentError::BeforeTheMerge));
    assert_eq!(fork(1), Err(EnvironmentError::BeforeTheMerge));
}

#[test]
fn an_unknown_fork_is_refused_by_name() {
    let next = "name = \"gloas\"\n";
    let text = Network::mainnet().to_toml();
    assert!(text.contains(next));
    let network = Network::from_toml(&text.replace(next, "name = \"fulu2\"\nepoch = 490000\n")).unwrap();
    let rlp = rlp_of(&payload(start_of(500_000)), 0);
    let header = ExecutionHeader::from_rlp(&rlp, keccak256(&rlp)).unwrap();
    let refusal = Environment::of_header(&header, &network).unwrap_err();
    assert_eq!(refusal, EnvironmentError::UnknownFork(UnknownFork::named("fulu2")));
}

#[test]
fn another_network_and_a_missing_field_are_refused_by_name() {
    let anchor = Anchor::of_payload(&payload(start_of(400_000)), &voucher(5));
    let refusal = anchor.environment(&Network::mainnet()).unwrap_err();
    assert_eq!(refusal, EnvironmentError::OtherNetwork { got: 5, expected: 1 });
    // Without the base fee and what follows it.
    let refusal = of_rlp(&rlp_of(&payload(start_of(400_000)), 6)).unwrap_err();
    assert_eq!(refusal, EnvironmentError::Field { field: "baseFeePerGas" });
    let without_blobs = of_rlp(&rlp_of(&payload(start_of(400_000)), 3)).unwrap();
    assert_eq!(without_blobs.excess_blob_gas(), None);
    let huge = ExecutionPayloadHeader { base_fee_per_gas: U256::MAX, ..payload(start_of(400_000)) };
    let mut anchor = Anchor::of_payload(&huge, &voucher(1));
    let refusal = anchor.environment(&Network::mainnet()).unwrap_err();
    assert_eq!(refusal, EnvironmentError::Field { field: "baseFeePerGas" });
    Arc::make_mut(&mut anchor.0).source = Source::Rlp(header(7, B256::ZERO).rlp().clone());
    assert!(anchor.environment(&Network::mainnet()).is_ok());
}
