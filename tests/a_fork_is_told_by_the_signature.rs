//! Fork times change after a release. The committee's signature shows the fork, so an outdated table stops nothing.
//! Between two verified forks nothing is interpreted.

use std::sync::Arc;

use alloy_primitives::B256;
use saldo_beacon::decode::Encoding;
use saldo_beacon::signature::SignatureError;
use saldo_beacon::unit::{Epoch, Period, Slot};
use saldo_beacon::{
    AdoptError, AdvanceError, Contradiction, Execution, Fault, LightClient, LightClientUpdate, Network,
    SnapshotError, VerifiedFork, decode,
};
use saldo_tests::beacon::{Forge, MINIMAL_FULU};

const FULU: [u8; 4] = [6, 0, 0, 1];
const GLOAS: [u8; 4] = [7, 0, 0, 1];
const UNSET: &str = "{ name = \"gloas\", version = \"0x07000001\" },";

fn network(line: &str) -> Network {
    let toml = MINIMAL_FULU.replace(UNSET, line);
    assert!(toml.contains(line));
    Network::from_toml(&toml).unwrap()
}

fn network_at(epoch: u64) -> Network {
    network(&format!("{{ name = \"gloas\", version = \"0x07000001\", epoch = {epoch} }},"))
}

/// The real chain: Gloas from epoch 3, slot 24.
fn chain() -> Forge {
    Forge { network: network("{ name = \"gloas\", version = \"0x07000001\", epoch = 3 },"), seed: 1 }
}

/// A client whose table does not have the time of Gloas.
fn client_behind(forge: &Forge, slot: u64) -> LightClient {
    let (checkpoint, bootstrap) = forge.bootstrap(slot);
    let behind = Network::from_toml(MINIMAL_FULU).unwrap();
    LightClient::bootstrap(behind, checkpoint, bootstrap, forge.now(slot)).unwrap()
}

fn advance(client: &mut LightClient, forge: &Forge, update: LightClientUpdate) -> Result<bool, AdvanceError> {
    let now = forge.now(update.attested_slot().get() + 8);
    client.advance(update, now).map(|advanced| advanced.signed)
}

fn range(version: [u8; 4], first: u64, last: u64) -> VerifiedFork {
    VerifiedFork { version, first: Epoch::new(first), last: Epoch::new(last) }
}

#[test]
fn a_client_with_an_outdated_table_follows_the_chain() {
    let forge = chain();
    let mut client = client_behind(&forge, 8);
    for (attested, finalized) in [(17, 9), (20, 16), (33, 24), (36, 33)] {
        assert_eq!(advance(&mut client, &forge, forge.update(attested, finalized)), Ok(true), "{attested}");
        assert_eq!(client.finalized_head().slot(), Slot::new(finalized));
    }
    assert!(matches!(client.signed_head().unwrap().execution(), Execution::Hash(_)));
    assert!(matches!(client.finalized_head().execution(), Execution::Hash(_)));
    assert!(client.next_committee_known());
    assert_eq!(client.verified_forks(), [range(FULU, 2, 2), range(GLOAS, 4, 4)]);
}

/// Slot 24 is of Gloas and slot 23 of Fulu. But the client knows only that the fork came after epoch 2 and before
/// epoch 5.
#[test]
fn a_finalized_head_between_two_forks_gives_no_block_hash() {
    let forge = chain();
    for finalized in [23, 24, 39] {
        let mut client = client_behind(&forge, 8);
        advance(&mut client, &forge, forge.update(15, 9)).unwrap();
        let update = forge.update(40, finalized);
        assert!(update.finalized_header().unwrap().execution.block_hash().is_some());
        assert_eq!(advance(&mut client, &forge, update), Ok(true));
        assert_eq!(client.finalized_head().slot(), Slot::new(finalized));
        assert_eq!(client.finalized_head().execution(), &Execution::Absent);
        assert!(client.next_committee_known());
        assert!(client.signed_head().unwrap().execution().block_hash().is_some());
    }
}

/// At the edges the fork is known, and the header is checked against its fork.
#[test]
fn a_finalized_head_at_the_edge_of_a_known_fork_gives_its_hash() {
    let forge = chain();
    for finalized in [15, 40] {
        let client = || {
            let mut client = client_behind(&forge, 8);
            for slot in [14, 41] {
                advance(&mut client, &forge, forge.optimistic(slot)).unwrap();
            }
            client
        };
        let genuine = forge.update(42, finalized);
        let mut known = client();
        assert_eq!(advance(&mut known, &forge, genuine.clone()), Ok(true));
        let hash = genuine.finalized_header().unwrap().execution.block_hash();
        assert!(hash.is_some() && known.finalized_head().execution().block_hash() == hash);
        let mut forged = genuine;
        let header = forged.finality.as_mut().unwrap().header.as_mut().unwrap();
        header.execution = Execution::Hash(B256::repeat_byte(7));
        let slot = header.beacon.slot;
        let refusal = advance(&mut client(), &forge, forged).unwrap_err();
        assert_eq!(refusal, AdvanceError::ExecutionBranch { slot });
    }
}

/// The last block before the fork, signed when the first slot after it had no block: the version is Gloas', the block
/// is not. The signature slot is not signed, so it cannot decide.
#[test]
fn a_head_that_may_be_of_either_fork_is_refused() {
    let forge = chain();
    for signature_slot in [24, 25] {
        let mut client = client_behind(&forge, 8);
        advance(&mut client, &forge, forge.optimistic(15)).unwrap();
        let mut update = forge.optimistic(23);
        update.signature_slot = Slot::new(signature_slot);
        forge.sign_under(&mut update, Period::new(0), GLOAS, 32);
        let before = format!("{client:?}");
        let refusal = advance(&mut client, &forge, update.clone()).unwrap_err();
        assert_eq!(refusal, AdvanceError::UnsettledFork { slot: Slot::new(23) });
        assert_eq!(refusal.fault(), Fault::Network);
        assert_eq!(format!("{client:?}"), before);
        // With the time of the fork in the table, the fork is clear.
        client.adopt(forge.network.clone()).unwrap();
        update.signature_slot = Slot::new(25);
        assert_eq!(advance(&mut client, &forge, update), Ok(true));
    }
}

#[test]
fn a_body_is_never_read_at_the_indices_of_the_other_fork() {
    let forge = chain();
    let mut client = client_behind(&forge, 8);
    // A Fulu block with the layout of Gloas, signed as Fulu.
    let pretender =
        Forge { network: network("{ name = \"gloas\", version = \"0x07000001\", epoch = 0 },"), seed: 1 };
    let mut update = pretender.optimistic(17);
    forge.sign_under(&mut update, Period::new(0), FULU, 32);
    let slot = Slot::new(17);
    assert_eq!(advance(&mut client, &forge, update), Err(AdvanceError::ExecutionBranch { slot }));
    // The same the other way round.
    let plain = Forge::default();
    let mut update = plain.optimistic(33);
    forge.sign_under(&mut update, Period::new(0), GLOAS, 32);
    let slot = Slot::new(33);
    assert_eq!(advance(&mut client, &forge, update), Err(AdvanceError::ExecutionBranch { slot }));
    assert_eq!(client.verified_forks(), []);
}

#[test]
fn after_the_fork_the_old_version_is_refused() {
    let forge = chain();
    let mut client = client_behind(&forge, 8);
    advance(&mut client, &forge, forge.optimistic(33)).unwrap();
    for slot in [34, 41, 62] {
        let mut update = Forge::default().optimistic(slot);
        update.signature_slot = Slot::new(slot + 1);
        forge.sign_under(&mut update, Period::new(0), FULU, 32);
        let refusal = advance(&mut client, &forge, update).unwrap_err();
        assert_eq!(refusal, AdvanceError::Signature(SignatureError::Mismatch), "{slot}");
    }
    assert_eq!(client.verified_forks(), [range(GLOAS, 4, 4)]);
}

#[test]
fn later_heads_narrow_the_unknown_epochs() {
    let forge = chain();
    let mut client = client_behind(&forge, 8);
    advance(&mut client, &forge, forge.optimistic(9)).unwrap();
    advance(&mut client, &forge, forge.optimistic(50)).unwrap();
    assert_eq!(client.verified_forks(), [range(FULU, 1, 1), range(GLOAS, 6, 6)]);
    advance(&mut client, &forge, forge.optimistic(20)).unwrap();
    advance(&mut client, &forge, forge.optimistic(28)).unwrap();
    assert_eq!(client.verified_forks(), [range(FULU, 1, 2), range(GLOAS, 3, 6)]);
}

#[test]
fn a_newer_table_is_adopted_if_it_agrees() {
    let forge = chain();
    let mut client = client_behind(&forge, 8);
    for slot in [20, 33] {
        advance(&mut client, &forge, forge.optimistic(slot)).unwrap();
    }
    for (epoch, verified) in [(2, range(FULU, 2, 2)), (5, range(GLOAS, 4, 4))] {
        let refusal = client.adopt(network_at(epoch)).unwrap_err();
        assert_eq!(refusal, AdoptError::Contradiction { verified });
        assert_eq!(refusal.fault(), Fault::Caller);
    }
    let other = MINIMAL_FULU.replace("chain_id = 31337", "chain_id = 31338");
    let refusal = client.adopt(Network::from_toml(&other).unwrap()).unwrap_err();
    assert_eq!(refusal, AdoptError::OtherChain { field: "chain_id" });
    let other = MINIMAL_FULU.replace("0x1111", "0x2222");
    let refusal = client.adopt(Network::from_toml(&other).unwrap()).unwrap_err();
    assert_eq!(refusal, AdoptError::OtherChain { field: "genesis_validators_root" });
    assert_eq!(client.network(), &Network::from_toml(MINIMAL_FULU).unwrap());
    for epoch in [3, 4] {
        let table = Arc::new(network_at(epoch));
        client.adopt(Arc::clone(&table)).unwrap();
        assert_eq!(client.network(), &*table);
    }
    assert_eq!(advance(&mut client, &forge, forge.optimistic(34)), Ok(true));
}

/// A contradiction shows no fork.
#[test]
fn two_heads_of_one_slot_are_a_fault_across_the_fork() {
    let forge = chain();
    let mut client = client_behind(&forge, 8);
    advance(&mut client, &forge, forge.optimistic(33)).unwrap();
    let other = Forge { seed: 2, ..forge.clone() };
    let mut update = other.optimistic(33);
    forge.sign_under(&mut update, Period::new(0), GLOAS, 32);
    let refusal = advance(&mut client, &forge, update).unwrap_err();
    assert!(
        matches!(refusal, AdvanceError::ConsensusFault(fault) if fault.contradiction() == Contradiction::Signed)
    );
}

#[test]
fn forks_shown_by_signatures_are_stored() {
    let forge = chain();
    for finalized in [23, 24, 40] {
        let mut client = client_behind(&forge, 8);
        advance(&mut client, &forge, forge.update(15, 9)).unwrap();
        advance(&mut client, &forge, forge.update(41, finalized)).unwrap();
        let network = client.network().clone();
        let loaded = LightClient::load(&client.snapshot(), network, forge.now(41)).unwrap();
        assert_eq!(format!("{loaded:?}"), format!("{client:?}"));
        let settled = finalized == 40;
        assert_eq!(loaded.finalized_head().execution().block_hash().is_some(), settled);
        // With the fork's time in the table the layout of that head is clear. But a snapshot does not store the block
        // hash it gave.
        let loaded = LightClient::load(&client.snapshot(), forge.network.clone(), forge.now(41)).unwrap();
        assert_eq!(loaded.finalized_head().execution().block_hash().is_some(), settled);
        let late = network_at(6);
        let refusal = LightClient::load(&client.snapshot(), late, forge.now(41)).unwrap_err();
        let verified = range(GLOAS, 5, 5);
        assert_eq!(refusal, SnapshotError::Schedule(AdoptError::Contradiction { verified }));
    }
    // From the checkpoint directly to a head after the fork.
    let mut client = client_behind(&forge, 8);
    advance(&mut client, &forge, forge.optimistic(41)).unwrap();
    let loaded = LightClient::load(&client.snapshot(), client.network().clone(), forge.now(41)).unwrap();
    assert_eq!(format!("{loaded:?}"), format!("{client:?}"));
}

/// The vectors' Gloas objects, decoded with a table that lacks Gloas' time: by label, by digest and by form.
#[test]
fn an_object_of_the_next_fork_is_decoded_as_that_fork() {
    let Some(case) = saldo_tests::vectors(
        "consensus/spec-tests-generated-v1.7.0-beta.4/tests/mainnet/gloas/ssz_static/LightClientOptimisticUpdate/ssz_random/case_0",
    ) else {
        return;
    };
    let compressed = std::fs::read(case.join("serialized.ssz_snappy")).unwrap();
    let mut bytes = snap::raw::Decoder::new().decompress_vec(&compressed).unwrap();
    let mainnet = Network::mainnet();
    let slot = mainnet.slots_per_epoch() * 500_000;
    bytes[..8].copy_from_slice(&slot.to_le_bytes());
    for label in [Some("gloas"), None, Some("fulu"), Some("deneb"), Some("heze")] {
        let update = decode::optimistic_update(&bytes, Encoding::Ssz, label, &mainnet).unwrap();
        assert_eq!(update.attested_slot(), Slot::new(slot));
        assert!(matches!(update.attested_header.execution, Execution::Hash(_)));
        assert_eq!(update.attested_header.execution_branch.len(), 11);
    }
}
