//! An account is read with one proof: balance and nonce, both or neither.

use saldo_drill::Fault;
use saldo_tests::scene::{ALICE, BEFORE, Scene, UNUSED};

#[test]
fn balance_and_nonce_come_together() {
    let scene = Scene::new(1, 2, 1);
    scene.chain.set_nonce(ALICE, 7);
    scene.pass_slots(2);
    let account = scene.simulation.run(scene.client.account(ALICE));
    assert_eq!(scene.assert_true(account.balance(), ALICE), BEFORE);
    assert_eq!(account.nonce(), Ok(7));

    let absent = scene.simulation.run(scene.client.account(UNUSED));
    assert_eq!(absent.nonce(), Ok(0));
    assert!(scene.assert_true(absent.balance(), UNUSED).is_zero());

    scene.pass_slots(1);
    scene.providers.iter().for_each(|provider| provider.add(Fault::Refuse));
    let account = scene.simulation.run(scene.client.account(ALICE));
    assert_eq!(account.nonce().unwrap_err().code(), "all_unreachable");
}

/// Values beside the proof do not reach the nonce either.
#[test]
fn a_claimed_nonce_is_not_believed() {
    let scene = Scene::new(2, 1, 1);
    scene.chain.set_nonce(ALICE, 7);
    scene.pass_slots(2);
    scene.providers[0].add(Fault::ZeroBalance);
    let account = scene.simulation.run(scene.client.account(ALICE));
    assert_eq!(account.nonce(), Ok(7));
}
