//! Gloas objects give only the execution block hash for older headers too. The proof of each is at the place that its
//! own fork has for that hash, after leading zeros only.

use alloy_primitives::B256;
use saldo_beacon::container::ExecutionPayloadHeader;
use saldo_beacon::fork::HeaderLayout;
use saldo_beacon::unit::Slot;
use saldo_beacon::{
    AdvanceError, BootstrapError, Execution, LightClient, LightClientHeader, LightClientUpdate, Network,
};
use saldo_tests::beacon::{Forge, MINIMAL_FULU, Tree};

/// Bellatrix, then one fork per epoch: Capella from slot 8, Deneb from 16, Fulu from 24 and Gloas from 32.
fn changing() -> Forge {
    let mut toml = MINIMAL_FULU.to_owned();
    for (fork, version, epoch) in [("capella", 3, 1), ("deneb", 4, 2), ("electra", 5, 3), ("fulu", 6, 3)] {
        let line = format!("{{ name = \"{fork}\", version = \"0x0{version}000001\", epoch = ");
        assert!(toml.contains(&line));
        toml = toml.replace(&format!("{line}0 }}"), &format!("{line}{epoch} }}"));
    }
    let line = "version = \"0x07000001\"";
    assert!(toml.contains(line));
    Forge {
        network: Network::from_toml(&toml.replace(line, &format!("{line}, epoch = 4"))).unwrap(),
        seed: 1,
    }
}

fn advance(forge: &Forge, update: LightClientUpdate) -> Result<LightClient, AdvanceError> {
    let mut client = forge.client(2);
    client.advance(update, forge.now(40)).map(|_| client)
}

fn finalized(update: &mut LightClientUpdate) -> &mut LightClientHeader {
    update.finality.as_mut().unwrap().header.as_mut().unwrap()
}

/// The finalized slot, and the number of leading zeros before its proof.
const OLDER: [(u64, usize); 4] = [(9, 3), (17, 2), (25, 2), (33, 0)];

#[test]
fn every_older_header_is_accepted() {
    let forge = changing();
    for (slot, zeros) in OLDER {
        let mut update = forge.update(34, slot);
        let header = finalized(&mut update).clone();
        assert_eq!(header.execution_branch.len(), 11);
        // The neighbouring leaves are zeros in these bodies too, so only the leading zeros are certain.
        assert!(header.execution_branch[..zeros].iter().all(B256::is_zero));
        let client = advance(&forge, update).unwrap();
        assert_eq!(client.finalized_head().slot(), Slot::new(slot));
        assert_eq!(client.finalized_head().execution(), &header.execution);
        assert!(matches!(header.execution, Execution::Hash(_)));
    }
    let client = advance(&forge, forge.update(34, 5)).unwrap();
    assert_eq!(client.finalized_head().execution(), &Execution::Absent);
}

#[test]
fn only_zeros_may_stand_before_the_proof() {
    let forge = changing();
    for (slot, zeros) in OLDER {
        for position in 0..11 {
            let mut update = forge.update(34, slot);
            finalized(&mut update).execution_branch[position] ^= B256::with_last_byte(1);
            let refusal = advance(&forge, update).unwrap_err();
            assert_eq!(
                refusal,
                AdvanceError::ExecutionBranch { slot: Slot::new(slot) },
                "{zeros}: {position}"
            );
        }
    }
}

#[test]
fn a_place_of_another_fork_proves_nothing() {
    let forge = changing();
    for (slot, _) in OLDER {
        let genuine = forge.network.fork_at(Slot::new(slot)).unwrap().rules().execution_block_hash.unwrap();
        for place in [412_u64, 812, 2856].into_iter().filter(|place| *place != genuine) {
            let hash = B256::repeat_byte(7);
            let body = saldo_tests::beacon::Tree([(place, hash)].into());
            let mut block = forge.block(slot, None).header;
            let branch = body.branch(place);
            block.execution = Execution::Hash(hash);
            block.execution_branch = [vec![B256::ZERO; 11 - branch.len()], branch].concat();
            // This block's body does hold the hash at that place.
            block.beacon.body_root = body.node(1);
            let attested = forge.block(34, Some(&block));
            let update = forge.update_of(&attested, Some(block), None);
            let refusal = advance(&forge, update).unwrap_err();
            assert_eq!(refusal, AdvanceError::ExecutionBranch { slot: Slot::new(slot) }, "{place}");
        }
    }
}

#[test]
fn one_object_has_one_layout() {
    let forge = changing();
    let mut update = forge.update(34, 25);
    *finalized(&mut update) = forge.block(25, None).header;
    let refusal = advance(&forge, update).unwrap_err();
    assert_eq!(refusal, AdvanceError::ExecutionBranch { slot: Slot::new(25) });
    let mut update = forge.update(26, 25);
    let header = finalized(&mut update);
    *header = forge.by_hash(header.clone());
    let refusal = advance(&forge, update).unwrap_err();
    assert_eq!(refusal, AdvanceError::ExecutionBranch { slot: Slot::new(25) });
}

#[test]
fn a_header_says_what_its_fork_can_say() {
    let forge = changing();
    let rules = |slot| forge.network.fork_at(Slot::new(slot)).unwrap().rules();
    assert_eq!(rules(5).layout, HeaderLayout::Beacon);
    let slots = [5, 9, 17, 25, 33];
    for slot in slots {
        for other in slots.into_iter().filter(|other| rules(*other).layout != rules(slot).layout) {
            let mut update = forge.optimistic(slot);
            let taken = forge.block(other, None).header;
            update.attested_header.execution = taken.execution;
            update.attested_header.execution_branch = taken.execution_branch;
            let refusal = advance(&forge, update.clone()).unwrap_err();
            assert_eq!(refusal, AdvanceError::ExecutionBranch { slot: Slot::new(slot) }, "{other}");
            let (checkpoint, mut bootstrap) = forge.bootstrap(slot);
            bootstrap.header = update.attested_header;
            let refusal =
                LightClient::bootstrap(forge.network.clone(), checkpoint, bootstrap, forge.now(slot))
                    .unwrap_err();
            assert_eq!(refusal, BootstrapError::ExecutionBranch, "{slot} {other}");
        }
    }
}

#[test]
fn a_proof_of_nothing_is_refused() {
    let forge = changing();
    let mut update = forge.optimistic(5);
    update.attested_header.execution_branch = vec![B256::ZERO];
    let refusal = advance(&forge, update).unwrap_err();
    assert_eq!(refusal, AdvanceError::ExecutionBranch { slot: Slot::new(5) });
}

/// The body itself holds the hash at its fork's place.
#[test]
fn a_layout_of_another_fork_is_refused_although_it_is_proven() {
    let forge = changing();
    let capella = forge.block(9, None).header.execution.header().unwrap().clone();
    let deneb = forge.block(17, None).header.execution.header().unwrap().clone();
    // Half of Deneb's new fields do not change the root.
    let half = ExecutionPayloadHeader { blob_gas_used: Some(7), ..capella.clone() };
    let other_half = ExecutionPayloadHeader { excess_blob_gas: Some(7), ..capella.clone() };
    let attested = |slot: u64, payload: &ExecutionPayloadHeader| {
        let gindex = forge.network.fork_at(Slot::new(slot)).unwrap().rules().execution.unwrap();
        let body = Tree([(gindex, payload.hash_tree_root())].into());
        let mut block = forge.block(slot, None);
        block.header.beacon.body_root = body.node(1);
        block.header.execution = Execution::Header(payload.clone());
        block.header.execution_branch = body.branch(gindex);
        forge.update_of(&block, None, None)
    };
    for (slot, payload, is_its_own) in [
        (9, &capella, true),
        (9, &half, false),
        (9, &other_half, false),
        (9, &deneb, false),
        (17, &deneb, true),
        (17, &capella, false),
        (17, &half, false),
        (17, &other_half, false),
        (33, &capella, false),
        (33, &deneb, false),
    ] {
        let result = advance(&forge, attested(slot, payload)).map(|client| client.signed_head().is_some());
        let refused = Err(AdvanceError::ExecutionBranch { slot: Slot::new(slot) });
        assert_eq!(result, if is_its_own { Ok(true) } else { refused });
    }
}
