//! The calls of one handle are ended, and the client goes on: for languages in which a cancelled task does not cancel its call.

mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::{Scene, wait, why};
use saldo_ffi::Change;

/// How soon a call must end. It is long because other tests run beside this one; the deadline of a read is longer still.
const SOON: Duration = Duration::from_secs(2);

#[track_caller]
fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + SOON;
    while !is_so() {
        assert!(Instant::now() < end, "not within {SOON:?}: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn its_pending_calls_end_at_once_with_their_requests() {
    let scene = Scene::new("");
    let client = scene.client();
    scene.http.set("hangs");
    let handle = client.handle();
    let balance = || wait(handle.balance(scene.holding.owner.clone()));
    thread::scope(|scope| {
        let reads: Vec<_> = (0..3).map(|_| scope.spawn(balance)).collect();
        let patient = scope.spawn(|| wait(handle.read_patiently(vec![scene.holding.clone()], 60_000)));
        let refresh = scope.spawn(|| wait(handle.refresh(60_000)));
        until("a request is sent", || scene.http.in_progress() > 0);
        let began = Instant::now();
        handle.cancel_calls();
        for read in reads {
            assert_eq!(why(&read.join().unwrap()), "closed");
        }
        let patient = patient.join().unwrap();
        assert_eq!((patient.len(), why(&patient[0])), (1, "closed"));
        assert_eq!(refresh.join().unwrap(), Vec::new());
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    });
    until("the requests have ended", || scene.http.in_progress() == 0);
}

#[test]
fn the_client_its_other_handles_and_its_watches_go_on() {
    let scene = Scene::new("");
    let client = scene.client();
    let (handle, other) = (client.handle(), client.handle());
    let watch = handle.watch(vec![scene.holding.clone()]);
    scene.http.set("hangs");
    let began = Instant::now();
    let reading = thread::scope(|scope| {
        let pending = scope.spawn(|| wait(other.read_patiently(vec![scene.holding.clone()], 20_000)));
        until("a request is sent", || scene.http.in_progress() > 0);
        handle.cancel_calls();
        thread::sleep(Duration::from_millis(50));
        assert!(!pending.is_finished());
        scene.http.set("pass");
        pending.join().unwrap().pop().unwrap()
    });
    assert!(matches!(reading, saldo_ffi::Reading::Proven { .. }), "{reading:?} after {:?}", began.elapsed());
    scene.proven(&client);
    let mut received = 0;
    let mut is_told = false;
    while !is_told {
        let changes = wait(watch.next(received));
        received = changes.number;
        assert!(!changes.changes.is_empty(), "the watch has ended");
        is_told = changes.changes.iter().any(|change| matches!(change, Change::Reading { .. }));
    }
}

#[test]
fn later_calls_of_it_begin_nothing() {
    let scene = Scene::new("");
    let client = scene.client();
    let handle = client.handle();
    handle.cancel_calls();
    assert_eq!(why(&wait(handle.balance(scene.holding.owner.clone()))), "closed");
    assert_eq!(wait(handle.last(scene.holding.clone())), None);
    assert_eq!(wait(handle.adopt("mainnet".to_owned())).unwrap_err().code(), "closed");
    wait(handle.forget(scene.holding.clone()));
    assert_eq!(scene.http.sent(), 0);
    assert_eq!((handle.network_id(), handle.policy()), (client.network_id(), client.policy()));
    // A handle of a cancelled one works: the client is not over.
    scene.proven(&handle.handle());
}
