use std::time::Instant;

use saldo_beacon::signature::{compute_domain, compute_signing_root, verify};
use saldo_beacon::{LightClient, Wants};

use super::*;

const ALICE: Address = Address::repeat_byte(0xa1);

#[test]
fn the_same_seed_is_the_same_chain() {
    let build = |seed| {
        let chain = Chain::new(seed);
        chain.set_balance(ALICE, U256::from(5));
        chain.advance(3);
        chain.reorg(2);
        chain.finality_update()
    };
    assert_eq!(build(1), build(1));
    assert_ne!(build(1), build(2));
}

#[test]
fn every_block_has_its_own_state_root_and_its_parents_hash() {
    let chain = Chain::new(3);
    let blocks: Vec<BlockInfo> =
        (0..=chain.tip().number).map(|number| chain.block(number).unwrap()).collect();
    for pair in blocks.windows(2) {
        assert_ne!(pair[0].state_root, pair[1].state_root);
        let block = chain.block_at(pair[1].number).unwrap();
        assert_eq!(block.execution.parent_hash, pair[0].hash);
        assert_eq!(block.beacon.parent_root, pair[0].beacon_root);
        let slot = B256::from(U256::from(pair[0].number));
        let kept = chain.storage_at(pair[1].number, crate::HISTORY_CONTRACT, slot).unwrap();
        assert_eq!(B256::from(kept), pair[0].hash, "EIP-2935");
    }
    assert_eq!(chain.block(blocks.len().try_into().unwrap()), None);
}

#[test]
fn signatures_are_those_of_the_committee_on_duty() {
    let chain = Chain::new(4);
    let update = chain.finality_update();
    let network = chain.network();
    let bootstrap = chain.bootstrap(chain.checkpoint().root).unwrap();
    let domain = compute_domain(
        [7, 0, 0, 0],
        network.fork_version_at(update.attested_slot()),
        network.genesis_validators_root(),
    );
    let root = compute_signing_root(update.attested_header.beacon.hash_tree_root(), domain);
    verify(&bootstrap.current_sync_committee, &update.sync_aggregate, root).unwrap();
    assert!(verify(&bootstrap.current_sync_committee, &update.sync_aggregate, B256::ZERO).is_err());
}

#[test]
fn changes_come_with_the_next_block_and_leave_with_a_reorg() {
    let chain = Chain::new(5);
    let before = chain.tip();
    chain.set_balance(ALICE, U256::from(5));
    assert_eq!(chain.balance_at(chain.tip().number, ALICE), Some(U256::ZERO));
    chain.advance(2);
    assert_eq!(chain.balance_at(chain.signed().number, ALICE), Some(U256::from(5)));
    let abandoned = chain.signed();

    chain.reorg(2);
    assert_eq!(chain.tip().slot.get(), before.slot.get() + 3);
    assert_ne!(chain.block(abandoned.number).unwrap().hash, abandoned.hash);
    assert_eq!(chain.block(before.number), Some(before));
    assert_eq!(chain.balance_at(chain.signed().number, ALICE), Some(U256::ZERO));
    assert_eq!(chain.block_of_hash(abandoned.hash).unwrap().info(), abandoned);
}

#[test]
fn a_skipped_slot_has_no_block() {
    let chain = Chain::new(6);
    let before = chain.tip();
    chain.skip_slot();
    assert_eq!(chain.tip(), before);
    chain.advance(1);
    assert_eq!(chain.tip().number, before.number + 1);
    assert_eq!(chain.tip().slot.get(), before.slot.get() + 2);
    assert_eq!(chain.tip().timestamp, chain.time());
}

#[test]
fn at_a_slow_pace_most_slots_are_empty() {
    let chain = Chain::new(6);
    let before = chain.tip();
    chain.set_pace(8);
    chain.advance(64);
    assert_eq!(chain.tip().number, before.number + 8);
    assert_eq!(chain.slot().get(), before.slot.get() + 64);
}

#[test]
fn the_tip_leads_by_as_many_blocks_as_said() {
    for lead in 1..4 {
        let chain = Chain::builder(7).tip_lead(lead).build();
        assert_eq!(chain.tip().number - chain.signed().number, lead);
        let abandoned = chain.signed();
        chain.reorg(lead + 1);
        assert_ne!(chain.block(abandoned.number).unwrap(), abandoned);
        assert!(chain.signed().slot > abandoned.slot);
    }
}

#[test]
fn a_light_client_walks_through_periods_with_skips_and_a_reorg() {
    let chain = Chain::new(8);
    let checkpoint = chain.checkpoint();
    let bootstrap = chain.bootstrap(checkpoint.root).unwrap();
    let mut client = LightClient::bootstrap(chain.network(), checkpoint, bootstrap, chain.time()).unwrap();
    for round in 0_u64..30 {
        chain.advance(7);
        if round % 3 == 0 {
            chain.skip_slot();
            chain.advance(1);
        }
        if round % 5 == 0 {
            chain.reorg(2);
        }
        let now = chain.time();
        while let Wants::Updates { start, .. } = client.wants(now) {
            client.advance(chain.update(start).unwrap(), now).unwrap();
        }
        client.advance(chain.finality_update(), now).unwrap();
        assert_eq!(client.signed_head().unwrap().beacon_root(), chain.signed().beacon_root);
        assert_eq!(client.signed_head().unwrap().execution().block_hash(), Some(chain.signed().hash));
        assert_eq!(client.finalized_head().beacon_root(), chain.finalized().beacon_root);
    }
    assert!(client.period() >= Period::new(4));
}

#[test]
#[ignore = "prints timings; says nothing about right or wrong"]
fn timings() {
    let start = Instant::now();
    let chain = Chain::new(1);
    println!("new: {:?}", start.elapsed());
    let start = Instant::now();
    chain.advance(200);
    println!("a slot: {:?}", start.elapsed() / 200);
    let thick = Chain::builder(1).mainnet_shape(true).build();
    (0..100).for_each(|index| thick.set_balance(Address::with_last_byte(index), U256::ONE));
    let start = Instant::now();
    thick.advance(1);
    println!("100 accounts in one block: {:?}", start.elapsed());
    let start = Instant::now();
    chain.update(Period::new(1)).unwrap();
    println!("an update: {:?}", start.elapsed());
}
