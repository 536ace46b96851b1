//! A bootstrap is accepted only for the requested block, with everything in it proven by that block.

use alloy_primitives::B256;
use saldo_beacon::unit::Period;
use saldo_beacon::{
    BootstrapError, Checkpoint, Execution, Fault, Finality, LightClient, LightClientBootstrap,
};
use saldo_tests::beacon::Forge;

fn refusal(forge: &Forge, change: impl FnOnce(&mut Checkpoint, &mut LightClientBootstrap)) -> BootstrapError {
    let (mut checkpoint, mut bootstrap) = forge.bootstrap(8);
    change(&mut checkpoint, &mut bootstrap);
    let refusal =
        LightClient::bootstrap(forge.network.clone(), checkpoint, bootstrap, forge.now(8)).unwrap_err();
    assert_eq!(refusal.fault(), Fault::Source);
    refusal
}

#[test]
fn a_genuine_bootstrap_is_accepted_and_labelled() {
    let forge = Forge::default();
    let client = forge.client(8);
    let (checkpoint, bootstrap) = forge.bootstrap(8);
    assert_eq!(client.checkpoint(), &checkpoint);
    assert_eq!(client.finalized_head().finality(), Finality::Checkpoint);
    assert_eq!(client.finalized_head().beacon_root(), checkpoint.root);
    assert_eq!(client.finalized_head().execution(), &bootstrap.header.execution);
    assert_eq!(client.signed_head(), None, "no signature was verified yet");
    assert_eq!(client.network(), &forge.network);
}

#[test]
fn the_bootstrap_of_another_block_is_refused() {
    let forge = Forge::default();
    let (other, _) = forge.bootstrap(16);
    let (requested, _) = forge.bootstrap(8);
    let refusal = refusal(&forge, |_, bootstrap| *bootstrap = forge.bootstrap(16).1);
    assert_eq!(refusal, BootstrapError::WrongRoot { got: other.root, expected: requested.root });
}

#[test]
fn any_change_of_the_header_makes_it_another_block() {
    let forge = Forge::default();
    let refusal = refusal(&forge, |_, bootstrap| bootstrap.header.beacon.state_root = B256::ZERO);
    assert!(matches!(refusal, BootstrapError::WrongRoot { .. }));
}

#[test]
fn another_committee_is_refused() {
    let forge = Forge::default();
    let other = Forge { seed: 2, ..forge.clone() };
    let swapped = refusal(&forge, |_, bootstrap| {
        bootstrap.current_sync_committee = other.committee(Period::new(0));
    });
    assert_eq!(swapped, BootstrapError::CommitteeBranch);
    let next = refusal(&forge, |_, bootstrap| {
        bootstrap.current_sync_committee = forge.committee(Period::new(1));
        bootstrap.current_sync_committee_branch = forge.block(8, None).state.branch(87);
    });
    assert_eq!(next, BootstrapError::CommitteeBranch, "the next committee is the current one's neighbour");
}

#[test]
fn one_key_more_or_less_is_refused() {
    let forge = Forge::default();
    let fewer = refusal(&forge, |_, bootstrap| {
        bootstrap.current_sync_committee.pubkeys.pop();
    });
    assert_eq!(fewer, BootstrapError::CommitteeSize { got: 31, expected: 32 });
    let reordered = refusal(&forge, |_, bootstrap| bootstrap.current_sync_committee.pubkeys.swap(0, 1));
    assert_eq!(reordered, BootstrapError::CommitteeBranch);
    let aggregate = refusal(&forge, |_, bootstrap| {
        let committee = &mut bootstrap.current_sync_committee;
        committee.aggregate_pubkey = committee.pubkeys[0];
    });
    assert_eq!(aggregate, BootstrapError::CommitteeBranch);
}

#[test]
fn another_execution_header_is_refused() {
    let forge = Forge::default();
    let swapped = refusal(&forge, |_, bootstrap| {
        bootstrap.header.execution = forge.block(9, None).header.execution;
    });
    assert_eq!(swapped, BootstrapError::ExecutionBranch);
    let missing = refusal(&forge, |_, bootstrap| {
        bootstrap.header.execution = Execution::Absent;
        bootstrap.header.execution_branch.clear();
    });
    assert_eq!(missing, BootstrapError::ExecutionBranch);
}
