use std::time::Instant;

use saldo_beacon::signature::{compute_domain, compute_signing_root, verify};
use saldo_beacon::unit::Epoch;
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

/// Whether the client knows what the chain knows.
#[track_caller]
fn assert_up_to_date(client: &mut LightClient, chain: &Chain) {
    let now = chain.time();
    while let Wants::Updates { start, .. } = client.wants(now) {
        client.advance(chain.update(start).unwrap(), now).unwrap();
    }
    client.advance(chain.finality_update(), now).unwrap();
    let (signed, finalized) = (client.signed_head().unwrap(), client.finalized_head());
    assert_eq!(signed.beacon_root(), chain.signed().beacon_root);
    assert_eq!(finalized.beacon_root(), chain.finalized().beacon_root);
    if chain.network().fork_at(chain.signed().slot).unwrap() >= Fork::Capella {
        assert_eq!(signed.execution().block_hash(), Some(chain.signed().hash));
    }
}

fn client_of(chain: &Chain) -> LightClient {
    let checkpoint = chain.checkpoint();
    let bootstrap = chain.bootstrap(checkpoint.root).unwrap();
    LightClient::bootstrap(chain.network(), checkpoint, bootstrap, chain.time()).unwrap()
}

#[test]
fn a_light_client_follows_from_every_fork_into_every_later_one() {
    for (place, from) in Fork::ALL.into_iter().enumerate() {
        for to in Fork::ALL.into_iter().skip(place) {
            let chain = Chain::builder(20).fork(from).fork_at(to, Epoch::new(6)).build();
            let mut client = client_of(&chain);
            // Past the fork, and past the moment when the first head of the new fork is final.
            for _ in 0..10 {
                assert_up_to_date(&mut client, &chain);
                chain.advance(7);
            }
            let version = chain.network().fork_version_at(chain.slot());
            assert_eq!(
                version,
                [u8::try_from(1 + Fork::ALL.iter().position(|fork| *fork == to).unwrap()).unwrap(), 0, 0, 1],
                "{from} to {to}"
            );
        }
    }
}

#[test]
fn a_fork_can_be_crossed_one_after_another_with_a_reorg_in_between() {
    let forks = Fork::ALL.into_iter().skip(1).zip([6, 8, 10, 12, 14, 16]);
    let mut builder = Chain::builder(21).fork(Fork::Altair);
    for (fork, epoch) in forks {
        builder = builder.fork_at(fork, Epoch::new(epoch));
    }
    let chain = builder.build();
    let mut client = client_of(&chain);
    for _ in 0..20 {
        chain.advance(6);
        chain.reorg(2);
        assert_up_to_date(&mut client, &chain);
    }
}

#[test]
fn a_gloas_head_tells_of_the_execution_block_before() {
    let chain = Chain::builder(22).fork(Fork::Gloas).build();
    assert_eq!(chain.tip().number, chain.signed().number + 2);
    let update = chain.optimistic_update();
    let parent = chain.block(chain.signed().number).unwrap();
    assert_eq!(update.attested_header.execution, saldo_beacon::Execution::Hash(parent.hash));
    assert_eq!(update.attested_slot(), parent.slot.saturating_add(1));
    let amsterdam = chain.block_at(chain.tip().number).unwrap();
    assert_eq!(amsterdam.execution.json()["slotNumber"], crate::header::quantity(chain.slot().get()));
}

#[test]
fn a_withheld_payload_is_nowhere_and_its_parent_is_named_again() {
    let chain = Chain::builder(23).fork(Fork::Gloas).build();
    let before = chain.tip();
    chain.set_balance(ALICE, U256::from(5));
    chain.withhold_payload();
    chain.advance(1);
    assert_eq!(chain.tip(), before);
    assert_eq!(chain.block(before.number + 1), None);
    chain.advance(1);
    let tip = chain.tip();
    assert_eq!((tip.number, tip.slot.get()), (before.number + 1, before.slot.get() + 2));
    assert_eq!(chain.balance_at(tip.number, ALICE), Some(U256::from(5)));
    assert_eq!(chain.block(before.number), Some(before));
    // The withheld block is signed now, and tells of the same execution block as the one after it.
    let (first, second) = {
        let first = chain.signed();
        chain.advance(1);
        (first, chain.signed())
    };
    assert_eq!((first.hash, second.hash), (before.hash, before.hash));
    assert_ne!(first.beacon_root, second.beacon_root);
    let mut client = client_of(&chain);
    assert_up_to_date(&mut client, &chain);
}

#[test]
fn before_gloas_nothing_can_be_withheld() {
    let chain = Chain::new(24);
    let before = chain.tip();
    chain.withhold_payload();
    chain.advance(1);
    assert_eq!(chain.tip().number, before.number + 1);
}

#[test]
fn tables_of_earlier_days_know_less() {
    let chain = Chain::builder(25).fork_at(Fork::Gloas, Epoch::new(6)).build();
    let epoch = |network: Network| {
        let fork = network.forks().iter().find(|fork| fork.fork() == Some(Fork::Gloas));
        fork.map(|fork| (fork.version(), fork.epoch()))
    };
    assert_eq!(epoch(chain.network()), Some(([7, 0, 0, 1], Some(Epoch::new(6)))));
    assert_eq!(epoch(chain.network_before(Fork::Gloas)), Some(([7, 0, 0, 1], None)));
    assert_eq!(epoch(chain.network_without(Fork::Gloas)), None);
    assert_eq!(chain.network_without(Fork::Gloas).forks().len(), 6);
}

#[test]
fn a_chain_of_the_mainnet_preset_has_512_members() {
    let chain = Chain::builder(26).preset(crate::Preset::Mainnet).fork(Fork::Gloas).build();
    assert_eq!(chain.finality_update().sync_aggregate.size, 512);
    let mut client = client_of(&chain);
    chain.advance(3);
    assert_up_to_date(&mut client, &chain);
}

/// Blocks that are passed over are known by their hash, and others take their numbers.
#[test]
fn a_light_client_follows_when_blocks_are_passed_over() {
    let chain = Chain::new(27);
    let mut client = client_of(&chain);
    chain.set_balance(ALICE, U256::from(5));
    chain.advance(2);
    assert_up_to_date(&mut client, &chain);
    let gone = chain.signed();
    chain.abandon(2);
    chain.advance(3);
    assert_up_to_date(&mut client, &chain);
    assert_ne!(chain.block(gone.number).unwrap().hash, gone.hash);
    let truth = (chain.balance_at_hash(gone.hash, ALICE), chain.balance_at(gone.number, ALICE));
    assert_eq!(truth, (Some(U256::from(5)), Some(U256::ZERO)));
    assert_eq!(chain.balance_at_hash(B256::ZERO, ALICE), None);
}

#[test]
fn a_recording_plays_what_happened_and_then_goes_on() {
    let chain = Chain::new(28);
    let mut recording = Recording::begin(&chain);
    let began = chain.time();
    let mut tips = vec![chain.tip()];
    for slot in 1..=4_u64 {
        if slot == 2 {
            chain.skip_slot();
        } else {
            chain.advance(1);
        }
        recording.add(&chain);
        tips.push(chain.tip());
    }
    let played = recording.play();
    let slot = |count: u64| began.saturating_add(std::time::Duration::from_secs(count * 12));
    for (count, tip) in (0..).zip(&tips) {
        played.advance_to(slot(count));
        assert_eq!((played.tip(), played.time()), (*tip, slot(count)));
    }
    played.advance_to(slot(6));
    chain.advance(2);
    assert_eq!(played.tip(), chain.tip());

    let leap = recording.play();
    leap.advance_to(slot(4));
    assert_eq!(leap.tip(), tips[4]);
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
