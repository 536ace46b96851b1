//! A client without a log does not silence another client's log.
//!
//! This file is a process of its own: it needs a client whose thread is the first one to come to each event.

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::log::Log;
use common::{Scene, wait};
use saldo_ffi::SaldoClient;

/// Waits until the log has a line.
fn expect_a_line(log: &Log, which: &str) {
    let end = Instant::now() + Duration::from_secs(60);
    while log.0.lock().unwrap().is_empty() {
        assert!(Instant::now() < end, "the {which} log gets a line");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn with_log(scene: &Scene, log: &Arc<Log>) -> Arc<SaldoClient> {
    let config = saldo_ffi::ClientConfig { log_level: "trace".to_owned(), ..scene.config.clone() };
    SaldoClient::new(config, scene.http.clone(), None, Some(log.clone())).unwrap()
}

#[test]
fn a_client_without_a_log_silences_no_other() {
    let scene = Scene::new("");
    let (first, second) = (Arc::new(Log::default()), Arc::new(Log::default()));
    let loud = with_log(&scene, &first);
    let silent = scene.client();
    scene.proven(&silent);
    scene.proven(&loud);
    expect_a_line(&first, "first");
    let later = with_log(&scene, &second);
    wait(loud.shutdown());
    scene.proven(&silent);
    scene.proven(&later);
    expect_a_line(&second, "second");
    assert!(first.0.lock().unwrap().iter().all(|line| line.target.starts_with("saldo")));
    wait(silent.shutdown());
    wait(later.shutdown());
}
