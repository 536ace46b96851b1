//! If neither the table nor a signature shows a header's fork, the proofs under its state do. Otherwise a fork at a
//! time that is not in the table could leave a client behind for good.

use saldo_beacon::unit::{Epoch, Period, Slot};
use saldo_beacon::{
    AdoptError, AdvanceError, BootstrapError, Execution, Fault, LightClient, LightClientUpdate, Network,
    SnapshotError, VerifiedFork,
};
use saldo_tests::beacon::{Forge, MINIMAL_FULU, PERIOD};

const FULU: [u8; 4] = [6, 0, 0, 1];
const GLOAS: [u8; 4] = [7, 0, 0, 1];

fn network_at(epoch: u64) -> Network {
    let unset = "version = \"0x07000001\"";
    let toml = MINIMAL_FULU.replace(unset, &format!("{unset}, epoch = {epoch}"));
    assert_ne!(toml, MINIMAL_FULU);
    Network::from_toml(&toml).unwrap()
}

/// The real chain: Gloas from epoch 3, slot 24.
fn chain() -> Forge {
    Forge { network: network_at(3), seed: 1 }
}

/// The released table, without that time.
fn behind() -> Network {
    Network::from_toml(MINIMAL_FULU).unwrap()
}

fn client_behind(forge: &Forge, slot: u64) -> LightClient {
    let (checkpoint, bootstrap) = forge.bootstrap(slot);
    LightClient::bootstrap(behind(), checkpoint, bootstrap, forge.now(slot)).unwrap()
}

fn advance(client: &mut LightClient, forge: &Forge, update: LightClientUpdate) -> Result<bool, AdvanceError> {
    let now = forge.now(update.attested_slot().get() + 8);
    client.advance(update, now).map(|advanced| advanced.signed)
}

fn range(version: [u8; 4], first: u64, last: u64) -> VerifiedFork {
    VerifiedFork { version, first: Epoch::new(first), last: Epoch::new(last) }
}

/// It may be the only update of its period that sources have, and heads of later epochs do not show the fork of its
/// epoch.
#[test]
fn a_committee_update_from_the_end_of_an_epoch_is_accepted() {
    let forge = chain();
    for later in [None, Some(60)] {
        let mut client = client_behind(&forge, 8);
        if let Some(later) = later {
            advance(&mut client, &forge, forge.optimistic(later)).unwrap();
        }
        assert_eq!(advance(&mut client, &forge, forge.update(39, 32)), Ok(later.is_none()));
        assert!(client.next_committee_known());
        assert_eq!(client.finalized_head().slot(), Slot::new(32));
        assert!(matches!(client.finalized_head().execution(), Execution::Hash(_)));
        assert_eq!(client.verified_forks(), [range(GLOAS, 4, if later.is_some() { 7 } else { 4 })]);
        let loaded = LightClient::load(&client.snapshot(), behind(), forge.now(60)).unwrap();
        assert_eq!(format!("{loaded:?}"), format!("{client:?}"));
        assert_eq!(advance(&mut client, &forge, forge.update(PERIOD + 9, PERIOD)), Ok(true));
        assert_eq!(client.period(), Period::new(1));
    }
}

/// Either proof of the state is enough.
#[test]
fn a_finalized_root_or_a_committee_shows_the_fork() {
    let forge = chain();
    let mut committee = forge.update(39, 32);
    committee.finality = None;
    let mut finality = forge.update(39, 32);
    finality.next_sync_committee = None;
    for update in [committee, finality] {
        let mut client = client_behind(&forge, 8);
        assert_eq!(advance(&mut client, &forge, update), Ok(true));
        assert_eq!(client.verified_forks(), [range(GLOAS, 4, 4)]);
    }
}

/// The last block before the fork, signed when the first slot after it had no block.
#[test]
fn a_state_before_the_fork_shows_the_old_fork() {
    let forge = chain();
    let mut client = client_behind(&forge, 8);
    let mut update = forge.update(23, 16);
    update.signature_slot = Slot::new(25);
    forge.sign_under(&mut update, Period::new(0), GLOAS, 32);
    assert_eq!(advance(&mut client, &forge, update.clone()), Ok(true));
    assert_eq!(client.verified_forks(), [range(FULU, 2, 2)]);
    assert_eq!(client.signed_head().unwrap().execution(), &update.attested_header.execution);
    assert!(client.next_committee_known());
}

/// No valid proof, or one proof at the place of one fork and the other at the place of the other fork.
#[test]
fn a_state_that_proves_both_or_neither_shows_no_fork() {
    let forge = chain();
    let refuse = |update: LightClientUpdate| {
        let mut client = client_behind(&forge, 8);
        let before = format!("{client:?}");
        let refusal = advance(&mut client, &forge, update).unwrap_err();
        assert_eq!(refusal, AdvanceError::UnsettledFork { slot: Slot::new(39) });
        assert_eq!(refusal.fault(), Fault::Network);
        assert_eq!(format!("{client:?}"), before);
    };
    let mut bare = forge.update(39, 32);
    (bare.finality, bare.next_sync_committee) = (None, None);
    refuse(bare);
    let mut half = forge.update(39, 32);
    half.finality.as_mut().unwrap().branch[8].0[0] ^= 1;
    refuse(half);
    let mut half = forge.update(39, 32);
    half.next_sync_committee.as_mut().unwrap().branch[10].0[0] ^= 1;
    refuse(half);
    // While only genesis is final, the root is zero, and zeros are also at the places of other forks.
    let mut genesis = forge.update_of(&forge.block(39, None), None, None);
    let branch = forge.block(39, None).state.branch(735);
    genesis.finality = Some(saldo_beacon::update::FinalizedPart { header: None, branch });
    refuse(genesis);
}

/// After the fork, every checkpoint that is young enough is of the new fork.
#[test]
fn trust_can_start_from_a_checkpoint_of_the_fork() {
    let forge = chain();
    let mut client = client_behind(&forge, 40);
    assert_eq!(client.verified_forks(), [range(GLOAS, 5, 5)]);
    assert!(matches!(client.finalized_head().execution(), Execution::Hash(_)));
    assert_eq!(client.adopt(network_at(6)), Err(AdoptError::Contradiction { verified: range(GLOAS, 5, 5) }));
    let loaded = LightClient::load(&client.snapshot(), behind(), forge.now(40)).unwrap();
    assert_eq!(format!("{loaded:?}"), format!("{client:?}"));
    let mut known = client.clone();
    known.adopt(forge.network.clone()).unwrap();
    let loaded = LightClient::load(&known.snapshot(), forge.network.clone(), forge.now(40)).unwrap();
    assert_eq!(format!("{loaded:?}"), format!("{known:?}"));
    assert_eq!(advance(&mut client, &forge, forge.update(50, 41)), Ok(true));
    assert!(client.next_committee_known());
}

#[test]
fn a_checkpoint_that_neither_fork_proves_is_the_sources_fault() {
    let forge = chain();
    let refusal = |slot: u64, edit: &dyn Fn(&mut saldo_beacon::LightClientBootstrap)| {
        let (checkpoint, mut bootstrap) = forge.bootstrap(slot);
        edit(&mut bootstrap);
        let refusal = LightClient::bootstrap(behind(), checkpoint, bootstrap, forge.now(slot)).unwrap_err();
        assert_eq!(refusal.fault(), Fault::Source);
        refusal
    };
    let other_hash = |bootstrap: &mut saldo_beacon::LightClientBootstrap| {
        bootstrap.header.execution = Execution::Hash([7; 32].into());
    };
    let other_committee = |bootstrap: &mut saldo_beacon::LightClientBootstrap| {
        bootstrap.current_sync_committee = forge.committee(Period::new(1));
    };
    assert_eq!(refusal(40, &other_hash), BootstrapError::ExecutionBranch);
    assert_eq!(refusal(40, &other_committee), BootstrapError::ExecutionBranch);
    assert_eq!(refusal(16, &other_hash), BootstrapError::ExecutionBranch);
    assert_eq!(refusal(16, &other_committee), BootstrapError::CommitteeBranch);
    // A genuine Fulu state does not make the body one of Gloas.
    let body = |bootstrap: &mut saldo_beacon::LightClientBootstrap| {
        let gloas = forge.block(40, None).header;
        bootstrap.header.execution = gloas.execution;
        bootstrap.header.execution_branch = gloas.execution_branch;
    };
    assert_eq!(refusal(16, &body), BootstrapError::ExecutionBranch);
}

/// If the table has the fork's time, the state is not used.
#[test]
fn a_fork_time_in_the_table_decides() {
    let forge = chain();
    let late = Forge { network: network_at(6), seed: 1 };
    let (checkpoint, bootstrap) = forge.bootstrap(40);
    let refusal = LightClient::bootstrap(late.network, checkpoint, bootstrap, forge.now(40)).unwrap_err();
    assert_eq!(refusal, BootstrapError::ExecutionBranch);
}

/// Gloas lets stake leave faster, so trust expires sooner, also if only signatures or states show the fork.
#[test]
fn a_fork_that_was_seen_shortens_how_long_trust_lasts() {
    let forge = chain();
    let version = "version = \"0x07000001\"";
    let toml = MINIMAL_FULU.replace(version, &format!("{version}, max_checkpoint_age_epochs = 100"));
    let behind = Network::from_toml(&toml).unwrap();
    let at = |epoch: u64| behind.slot_start(Slot::new(epoch * 8));
    for checkpoint in [8, 40] {
        let bootstrap = |now| {
            let (root, bootstrap) = forge.bootstrap(checkpoint);
            LightClient::bootstrap(behind.clone(), root, bootstrap, now)
        };
        let mut client = bootstrap(at(6)).unwrap();
        advance(&mut client, &forge, forge.optimistic(49)).unwrap();
        let first = checkpoint / 8;
        let load = |now| LightClient::load(&client.snapshot(), behind.clone(), now).map(|_| ());
        assert_eq!(load(at(first + 100)), Ok(()));
        let (age_epochs, limit_epochs) = (101, 100);
        assert_eq!(load(at(first + 101)), Err(SnapshotError::TooOld { age_epochs, limit_epochs }));
        let late = bootstrap(at(first + 101)).map(|_| ());
        let known = checkpoint == 40;
        let refused = Err(BootstrapError::CheckpointTooOld { age_epochs, limit_epochs });
        assert_eq!(late, if known { refused } else { Ok(()) });
    }
}
