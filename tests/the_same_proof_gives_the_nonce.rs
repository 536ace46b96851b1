//! An account is read by one proof: balance and nonce, both or neither.

use saldo_drill::Fault;
use saldo_tests::scene::{ALICE, BEFORE, NOBODY, Scene};

#[test]
fn both_or_neither() {
    let scene = Scene::new(1, 2, 1);
    scene.chain.set_nonce(ALICE, 7);
    scene.pass_slots(2);
    let account = scene.simulation.run(scene.client.account(ALICE));
    assert_eq!(scene.assert_true(account.balance(), ALICE), BEFORE);
    assert_eq!(account.nonce(), Ok(7));

    let nobody = scene.simulation.run(scene.client.account(NOBODY));
    assert_eq!(nobody.nonce(), Ok(0));
    assert!(scene.assert_true(nobody.balance(), NOBODY).is_zero());

    scene.pass_slots(1);
    scene.providers.iter().for_each(|provider| provider.add(Fault::Refuse));
    let account = scene.simulation.run(scene.client.account(ALICE));
    assert_eq!(account.nonce().unwrap_err().code(), "all_unreachable");
}

/// What lies beside the proof does not reach the nonce either.
#[test]
fn a_claimed_nonce_is_not_believed() {
    let scene = Scene::new(2, 1, 1);
    scene.chain.set_nonce(ALICE, 7);
    scene.pass_slots(2);
    scene.providers[0].add(Fault::ZeroBalance);
    let account = scene.simulation.run(scene.client.account(ALICE));
    assert_eq!(account.nonce(), Ok(7));
}
