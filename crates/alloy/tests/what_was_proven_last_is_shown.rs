//! Where nothing is proven now, an error has the last proven answer with its age, as long as it may be shown.

use alloy_primitives::U256;
use alloy_provider::Provider;
use alloy_provider::mock::Asserter;
use alloy_transport::{TransportError, TransportErrorKind, TransportResult};
use layered::{KEY, TOKEN, provider, run, scene};
use saldo_alloy::{NotProven, not_proven};
use saldo_drill::Fault;
use saldo_tests::scene::{ALICE, BEFORE, UNUSED};

mod layered;

#[test]
fn what_is_not_known_has_what_was_proven_last_with_its_age() {
    let scene = scene(14);
    let provider = provider(&scene, &Asserter::new());
    let newest = run(&scene, provider.get_block_number());
    assert_eq!(run(&scene, provider.get_balance(ALICE)), BEFORE);
    assert_eq!(run(&scene, provider.get_storage_at(TOKEN, KEY.into())), U256::from(12));
    scene.providers.iter().for_each(|provider| provider.set(Fault::Refuse));
    scene.pass_slots(3);
    let failed = |call: TransportResult<()>| -> NotProven {
        let error = call.unwrap_err();
        let TransportError::Transport(TransportErrorKind::Custom(source)) = &error else { panic!("{error}") };
        source.downcast_ref::<NotProven>().expect("it can be found by its type").clone()
    };
    let balance = |of| scene.simulation.run(provider.get_balance(of).into_future()).map(|_| ());
    let error = failed(balance(ALICE));
    let last = error.last().expect("it was proven once");
    assert_eq!((last.value(), last.anchor().number()), (Some(BEFORE), newest));
    assert!(last.age().unwrap() >= scene.client.network().slot_duration() * 3, "{last:?}");
    assert_eq!(last.value::<bool>(), None, "it is no such type");
    let word = scene.simulation.run(provider.get_storage_at(TOKEN, KEY.into()).into_future()).map(|_| ());
    assert_eq!(failed(word).last().and_then(saldo_alloy::Last::value), Some(U256::from(12)));
    // The same request at another block shows it too; another request does not.
    let at_block = scene.simulation.run(provider.get_balance(ALICE).number(newest + 2).into_future());
    assert!(failed(at_block.map(|_| ())).last().is_some());
    assert!(failed(balance(UNUSED)).last().is_none());
    let nonce = scene.simulation.run(provider.get_transaction_count(ALICE).into_future()).map(|_| ());
    assert!(failed(nonce).last().is_none());
    let mut batch = alloy_rpc_client::BatchRequest::new(provider.client());
    let balance = batch.add_call::<_, U256>("eth_getBalance", &(ALICE, "latest")).unwrap();
    scene.simulation.run(batch.send()).unwrap();
    let TransportError::ErrorResp(payload) = scene.simulation.run(balance).unwrap_err() else { panic!() };
    let data: serde_json::Value = serde_json::from_str(payload.data.unwrap().get()).unwrap();
    assert_eq!(data["last"]["value"], serde_json::json!(BEFORE), "{data}");
    assert!(data["reason"].is_string() && data["last"]["age_seconds"].is_u64(), "{data}");
}

#[test]
fn what_was_proven_at_a_block_that_the_chain_withdrew_is_not_shown() {
    let scene = scene(15);
    let provider = provider(&scene, &Asserter::new());
    assert_eq!(run(&scene, provider.get_balance(ALICE)), BEFORE);
    scene.chain.set_balance(ALICE, U256::from(5));
    scene.pass_slots(2);
    assert_eq!(run(&scene, provider.get_balance(ALICE)), U256::from(5));
    let number = run(&scene, provider.get_block_number());
    scene.chain.reorg(2);
    scene.pass_slots(1);
    // The client learns which block stands there now.
    assert_eq!(run(&scene, provider.get_balance(UNUSED).number(number)), U256::ZERO);
    scene.providers.iter().for_each(|provider| provider.set(Fault::Refuse));
    scene.pass_slots(1);
    let error = scene.simulation.run(provider.get_balance(ALICE).into_future()).unwrap_err();
    let last = not_proven(&error).unwrap().last();
    assert!(last.is_none(), "its block is gone: {last:?}");
}

#[test]
fn what_was_proven_under_an_earlier_trust_start_is_not_shown() {
    let scene = scene(16);
    let provider = provider(&scene, &Asserter::new());
    assert_eq!(run(&scene, provider.get_balance(ALICE)), BEFORE);
    scene.providers.iter().for_each(|provider| provider.set(Fault::Refuse));
    scene.pass_slots(2);
    let last = || {
        let error = scene.simulation.run(provider.get_balance(ALICE).into_future()).unwrap_err();
        not_proven(&error).unwrap().last().and_then(saldo_alloy::Last::value::<U256>)
    };
    assert_eq!(last(), Some(BEFORE));
    scene.client.start_again(scene.chain.checkpoint());
    assert_eq!(last(), None);
}

/// The app forgets one holding. What is kept does not tell whose it is, so that all of it goes.
#[test]
fn what_the_app_forgot_is_not_shown() {
    let scene = scene(17);
    let provider = provider(&scene, &Asserter::new());
    assert_eq!(run(&scene, provider.get_balance(ALICE)), BEFORE);
    scene.providers.iter().for_each(|provider| provider.set(Fault::Refuse));
    scene.pass_slots(2);
    let has_last = || {
        let error = scene.simulation.run(provider.get_balance(ALICE).into_future()).unwrap_err();
        not_proven(&error).unwrap().last().is_some()
    };
    assert!(has_last());
    scene.client.forget(&scene.client.native(ALICE));
    assert!(!has_last());
}
