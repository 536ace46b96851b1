//! Everything in an update is proven under the signed header, at the place that its own fork has for it.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use saldo_beacon::container::BeaconBlockHeader;
use saldo_beacon::merkle::hash_pair;
use saldo_beacon::unit::{Period, Slot, UnixTime};
use saldo_beacon::update::FinalizedPart;
use saldo_beacon::{
    AdvanceError, BootstrapError, Checkpoint, Execution, Fault, LightClient, LightClientHeader,
    LightClientUpdate, Network,
};
use saldo_tests::beacon::{Block, Forge, MINIMAL_FULU, Tree};

fn refusal(forge: &Forge, update: LightClientUpdate) -> AdvanceError {
    let mut client = forge.client(8);
    let before = format!("{client:?}");
    let now = forge.now(update.attested_slot().get());
    let refusal = client.advance(update, now).unwrap_err();
    assert_eq!(refusal.fault(), Fault::Source);
    assert_eq!(format!("{client:?}"), before);
    refusal
}

/// All forks up to Capella at genesis, then one per epoch: Deneb at slot 16, Electra at 24, Fulu at 32.
fn changing() -> Forge {
    let toml =
        [("4", 2), ("5", 3), ("6", 4)].iter().fold(MINIMAL_FULU.to_owned(), |toml, (version, epoch)| {
            let line = format!("version = \"0x0{version}000001\", epoch = ");
            assert!(toml.contains(&format!("{line}0")));
            toml.replace(&format!("{line}0"), &format!("{line}{epoch}"))
        });
    Forge { network: Network::from_toml(&toml).unwrap(), seed: 1 }
}

#[test]
fn the_finality_branch_of_another_state_is_refused() {
    let forge = Forge::default();
    let mut update = forge.update(20, 16);
    update.finality = forge.update(21, 17).finality;
    assert_eq!(refusal(&forge, update), AdvanceError::FinalityBranch);
}

#[test]
fn another_finalized_header_is_refused() {
    let forge = Forge::default();
    let mut update = forge.update(20, 16);
    update.finality.as_mut().unwrap().header = Some(forge.block(17, None).header);
    assert_eq!(refusal(&forge, update), AdvanceError::FinalityBranch);
}

#[test]
fn a_committee_branch_of_another_state_is_refused() {
    let forge = Forge::default();
    let mut update = forge.update(20, 16);
    let branch = forge.update(21, 17).next_sync_committee.unwrap().branch;
    update.next_sync_committee.as_mut().unwrap().branch = branch;
    assert_eq!(refusal(&forge, update), AdvanceError::CommitteeBranch);
}

/// The current committee is the next committee's neighbour in the state: it must not be accepted as the next one.
#[test]
fn the_current_committee_is_not_the_next_one() {
    let forge = Forge::default();
    let block = forge.block(20, None);
    let mut update = forge.update_of(&block, None, Some(forge.committee(Period::new(0))));
    update.next_sync_committee.as_mut().unwrap().branch = block.state.branch(86);
    assert_eq!(refusal(&forge, update), AdvanceError::CommitteeBranch);
}

#[test]
fn branches_are_exactly_as_long_as_their_place_is_deep() {
    let forge = Forge::default();
    let genuine = forge.update(20, 16);
    for (shorter, longer) in [(true, false), (false, true)] {
        let change = |branch: &mut Vec<B256>| {
            if shorter {
                branch.pop();
            }
            if longer {
                branch.push(B256::ZERO);
            }
        };
        let mut update = genuine.clone();
        change(&mut update.finality.as_mut().unwrap().branch);
        assert_eq!(refusal(&forge, update), AdvanceError::FinalityBranch);
        let mut update = genuine.clone();
        change(&mut update.next_sync_committee.as_mut().unwrap().branch);
        assert_eq!(refusal(&forge, update), AdvanceError::CommitteeBranch);
        let mut update = genuine.clone();
        change(&mut update.attested_header.execution_branch);
        assert_eq!(refusal(&forge, update), AdvanceError::ExecutionBranch { slot: Slot::new(20) });
    }
}

#[test]
fn an_execution_header_of_another_body_is_refused() {
    let forge = Forge::default();
    let other = forge.block(21, None).header;
    let mut update = forge.update(20, 16);
    update.attested_header.execution.clone_from(&other.execution);
    assert_eq!(refusal(&forge, update), AdvanceError::ExecutionBranch { slot: Slot::new(20) });
    let mut update = forge.update(20, 16);
    update.attested_header.execution_branch[3] = B256::repeat_byte(1);
    assert_eq!(refusal(&forge, update), AdvanceError::ExecutionBranch { slot: Slot::new(20) });
    let mut update = forge.update(20, 16);
    let finalized = update.finality.as_mut().unwrap().header.as_mut().unwrap();
    finalized.execution = other.execution;
    assert_eq!(refusal(&forge, update), AdvanceError::ExecutionBranch { slot: Slot::new(16) });
}

/// The header with a payload that is dated `seconds` later, proven by another body.
fn dated(forge: &Forge, header: &LightClientHeader, seconds: i64) -> LightClientHeader {
    let Execution::Header(mut payload) = header.execution.clone() else { panic!("a payload header") };
    payload.timestamp = payload.timestamp.checked_add_signed(seconds).unwrap();
    let gindex = forge.network.fork_at(header.beacon.slot).unwrap().rules().execution.unwrap();
    let body = Tree(BTreeMap::from([(gindex, payload.hash_tree_root())]));
    let beacon = BeaconBlockHeader { body_root: body.node(1), ..header.beacon };
    LightClientHeader { beacon, execution: Execution::Header(payload), execution_branch: body.branch(gindex) }
}

/// A reading at such a block would seem younger than it is.
#[test]
fn a_payload_that_is_dated_later_than_its_slot_is_refused() {
    let forge = Forge::default();
    for seconds in [1, 12, 3_600, i64::MAX / 2] {
        let start = |slot| forge.network.slot_start(Slot::new(slot)).as_secs();
        let time = |slot| UnixTime::from_secs(start(slot).checked_add_signed(seconds).unwrap());
        let refused = |slot| AdvanceError::ExecutionTime { slot: Slot::new(slot), time: time(slot) };
        let block = forge.block(20, None);
        let header = dated(&forge, &block.header, seconds);
        let update = forge.update_of(&Block { header, ..block }, None, None);
        assert_eq!(refusal(&forge, update), refused(20));
        let finalized = dated(&forge, &forge.block(16, None).header, seconds);
        let block = forge.block(20, Some(&finalized));
        let update = forge.update_of(&block, Some(finalized), None);
        assert_eq!(refusal(&forge, update), refused(16));
        let (checkpoint, mut bootstrap) = forge.bootstrap(8);
        bootstrap.header = dated(&forge, &bootstrap.header, seconds);
        let checkpoint = Checkpoint { root: bootstrap.header.beacon.hash_tree_root(), ..checkpoint };
        let refusal = LightClient::bootstrap(forge.network.clone(), checkpoint, bootstrap, forge.now(8));
        let expected = BootstrapError::ExecutionTime { slot: Slot::new(8), time: time(8) };
        assert_eq!(refusal.unwrap_err(), expected);
    }
}

#[test]
fn every_field_of_the_execution_header_is_proven() {
    let forge = Forge::default();
    for field in 0..8 {
        let mut update = forge.optimistic(20);
        let Execution::Header(execution) = &mut update.attested_header.execution else { panic!() };
        match field {
            0 => execution.state_root = B256::ZERO,
            1 => execution.block_hash = B256::ZERO,
            2 => execution.block_number += 1,
            3 => execution.timestamp += 1,
            4 => execution.parent_hash = B256::ZERO,
            5 => execution.extra_data = [b"forged\0".as_slice()].concat().into(),
            6 => execution.blob_gas_used = None,
            _ => (execution.blob_gas_used, execution.excess_blob_gas) = (None, None),
        }
        assert_eq!(refusal(&forge, update), AdvanceError::ExecutionBranch { slot: Slot::new(20) }, "{field}");
    }
    let mut update = forge.optimistic(20);
    (update.attested_header.execution, update.attested_header.execution_branch) =
        (Execution::Absent, Vec::new());
    assert_eq!(refusal(&forge, update), AdvanceError::ExecutionBranch { slot: Slot::new(20) });
}

/// Before Deneb the block's hash does not cover the blob fields, so they must be absent.
#[test]
fn a_field_that_the_fork_does_not_have_is_refused() {
    let forge = changing();
    for [blob_gas_used, excess_blob_gas] in [[Some(5), None], [None, Some(5)], [Some(0), Some(0)]] {
        let mut update = forge.optimistic(12);
        let Execution::Header(execution) = &mut update.attested_header.execution else { panic!() };
        (execution.blob_gas_used, execution.excess_blob_gas) = (blob_gas_used, excess_blob_gas);
        assert_eq!(refusal(&forge, update), AdvanceError::ExecutionBranch { slot: Slot::new(12) });
    }
}

/// Forks move the leaves: index 105 is the finalized root until Deneb, and another field in Electra.
#[test]
fn a_place_of_another_fork_proves_nothing() {
    let forge = changing();
    let forged = forge.block(17, None).header;
    for (attested, place) in [(20, 169), (28, 105), (36, 105), (36, 735)] {
        let mut block = forge.block(attested, None);
        let genuine = forge.network.fork_at(Slot::new(attested)).unwrap().rules().finalized_root;
        block.state.0.remove(&genuine);
        block.state.0.insert(place, forged.beacon.hash_tree_root());
        let mut update = forge.update_of(&block, None, None);
        // The signed state does hold the forged root, at that place.
        update.attested_header.beacon.state_root = block.state.node(1);
        let branch = block.state.branch(place);
        update.finality = Some(FinalizedPart { header: Some(forged.clone()), branch });
        forge.sign(&mut update, 32);
        assert_eq!(refusal(&forge, update), AdvanceError::FinalityBranch, "{place} at slot {attested}");
    }
}

/// A block builder chooses the graffiti freely: a root in the graffiti must not be accepted as the execution
/// header's.
#[test]
fn a_free_field_of_the_body_proves_nothing() {
    let forge = Forge::default();
    let mut update = forge.optimistic(20);
    let Execution::Header(execution) = &mut update.attested_header.execution else { panic!() };
    execution.state_root = B256::repeat_byte(7);
    let root = execution.hash_tree_root();
    // Graffiti is field 2 of 16: index 18, next to field 3.
    let (mut node, mut branch) = (root, Vec::new());
    for level in 0..4 {
        branch.push(B256::ZERO);
        let is_right = 18_u32 >> level & 1 == 1;
        node = if is_right { hash_pair(B256::ZERO, node) } else { hash_pair(node, B256::ZERO) };
    }
    update.attested_header.execution_branch = branch;
    update.attested_header.beacon.body_root = node;
    forge.sign(&mut update, 32);
    assert_eq!(refusal(&forge, update), AdvanceError::ExecutionBranch { slot: Slot::new(20) });
}

/// The same places in genuine updates: the client follows every fork change by itself.
#[test]
fn a_client_follows_across_fork_changes() {
    let forge = changing();
    let mut client = forge.client(8);
    for (attested, finalized) in [(12, 9), (17, 12), (20, 17), (25, 20), (28, 25), (33, 28), (36, 33)] {
        let advanced = client.advance(forge.update(attested, finalized), forge.now(attested)).unwrap();
        assert!(advanced.finalized && advanced.signed, "{attested}");
        assert_eq!(client.finalized_head().slot(), Slot::new(finalized));
    }
}

#[test]
fn an_empty_finality_part_is_no_finality() {
    let forge = Forge::default();
    let mut update = forge.update(20, 16);
    update.finality = Some(FinalizedPart { header: None, branch: Vec::new() });
    assert_eq!(refusal(&forge, update), AdvanceError::FinalityBranch);
    // Before the first finality the state holds a zero root, which is genuine.
    let block = forge.block(20, None);
    let mut update = forge.update_of(&block, None, Some(forge.committee(Period::new(1))));
    update.finality = Some(FinalizedPart { header: None, branch: block.state.branch(169) });
    let mut client = forge.client(8);
    let advanced = client.advance(update, forge.now(20)).unwrap();
    assert!(advanced.signed && advanced.next_committee && !advanced.finalized);
    // Genesis is never final under its own root, even if a state says so.
    assert_eq!(refusal(&forge, forge.update(20, 0)), AdvanceError::FinalityBranch);
}
