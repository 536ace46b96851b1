//! The app's HTTP stack, storage and log throw, panic, hang and answer nonsense. Readings go on, or say why not.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{Scene, wait, why};
use saldo_ffi::{LogFailure, LogLine, LogSink, Reading, SaldoClient, SetupError};

/// What `within` gives within a minute.
fn until<T>(what: &str, mut within: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = within() {
            return found;
        }
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Each failure that an HTTP stack can name, and each that it cannot.
#[test]
fn every_failure_of_the_http_stack_is_a_reason() {
    let mut differences = Vec::new();
    for (does, outcome, code) in [
        ("offline", "offline", "device_offline"),
        ("dns", "dns", "device_offline"),
        ("connect", "connect", "all_unreachable"),
        ("tls", "tls", "all_unreachable"),
        ("tls_untrusted_issuer", "tls_untrusted_issuer", "not_secure"),
        ("tls_other_name", "tls_other_name", "not_secure"),
        ("tls_expired", "tls_expired", "clock_off"),
        ("tls_not_yet_valid", "tls_not_yet_valid", "clock_off"),
        ("tls_revoked", "tls_revoked", "not_secure"),
        ("tls_old_version", "tls_old_version", "not_secure"),
        ("tls_plain_http", "tls_plain_http", "not_secure"),
        ("tls_expected", "tls_expected", "not_secure"),
        ("timeout", "timeout", "deadline"),
        ("broken", "broken", "all_unreachable"),
        ("redirect", "redirect", "moved"),
        ("too_large", "too_large", "all_unreachable"),
        ("floods", "too_large", "all_unreachable"),
        ("encoding", "encoding", "all_unreachable"),
        ("throws", "transport", "all_unreachable"),
        ("panics", "transport", "all_unreachable"),
    ] {
        let scene = Scene::new("");
        scene.http.set(does);
        let client = scene.client();
        let reading = wait(client.balance(scene.holding.owner.clone()));
        differences
            .extend((why(&reading) != code).then(|| format!("{does}: {} is not {code}", why(&reading))));
        let Reading::Unknown { unknown } = &reading else { panic!("{does}: {reading:?}") };
        assert!(unknown.attempts.iter().any(|attempt| attempt.outcome == outcome), "{does}: {unknown:?}");
        assert_eq!(unknown.last, None, "{does}");
        wait(client.shutdown());
    }
    assert_eq!(differences, Vec::<String>::new());
}

#[test]
fn an_http_stack_that_hangs_ends_at_the_deadline_and_leaves_no_request() {
    let mut scene = Scene::new("");
    scene.config.policy = Some(saldo_ffi::Policy {
        finalized: false,
        max_age_seconds: None,
        deadline_ms: Some(300),
        operators_per_address: 2,
        strict: false,
    });
    scene.http.set("hangs");
    let client = scene.client();
    let reading = wait(client.balance(scene.holding.owner.clone()));
    assert!(["all_unreachable", "light_client_behind", "deadline"].contains(&why(&reading)), "{reading:?}");
    until("the requests end", || (scene.http.in_progress() == 0).then_some(()));
}

/// Readings do not depend on the storage. What it could not write is listed, and is written when it works again.
#[test]
fn every_failure_of_the_storage_is_listed_and_mends() {
    for does in ["throws", "full", "loses", "lies_about_a_byte", "keeps_its_version", "panics"] {
        let scene = Scene::new("slot = \"1s\"");
        scene.memory.set(does);
        let client = scene.client();
        scene.proven(&client);
        assert!(scene.memory.writes() > 0, "{does}");
        let faults = wait(client.storage_faults());
        assert_eq!(faults.first().map(|fault| fault.code.as_str()), Some("unwritten"), "{does}: {faults:?}");
        scene.memory.set("pass");
        until(does, || {
            wait(client.balance(scene.holding.owner.clone()));
            wait(client.storage_faults()).is_empty().then_some(())
        });
        wait(client.shutdown());
        let again = scene.client();
        let last = wait(again.last(scene.holding.clone())).expect("it was written");
        assert!(last.is_restored, "{does}");
    }
}

#[test]
fn a_storage_that_cannot_be_read_does_not_stop_readings() {
    for (does, code) in
        [("load_throws", "unreadable"), ("load_panics", "unreadable"), ("load_floods", "unreadable")]
    {
        let scene = Scene::new("");
        scene.memory.set(does);
        let client = scene.client();
        assert_eq!(wait(client.last(scene.holding.clone())), None, "{does}");
        let faults = wait(client.storage_faults());
        assert_eq!(faults.first().map(|fault| fault.code.as_str()), Some(code), "{does}: {faults:?}");
        scene.proven(&client);
    }
}

/// A storage that hangs keeps no reading back for longer than the policy's deadline.
#[test]
fn a_storage_that_hangs_does_not_hang_the_client() {
    for does in ["load_hangs", "hangs"] {
        let scene = Scene::new("");
        scene.memory.set(does);
        let client = scene.client();
        let began = Instant::now();
        scene.proven(&client);
        assert!(began.elapsed() < Duration::from_secs(12), "{does}: {:?}", began.elapsed());
        wait(client.shutdown());
    }
}

/// Another client writes between two writes of this one. It merges and writes again.
#[test]
fn a_conflict_is_merged() {
    let scene = Scene::new("slot = \"1s\"");
    let client = scene.client();
    scene.proven(&client);
    scene.memory.overtake();
    until("it is written again", || {
        scene.proven(&client);
        let before = scene.memory.writes();
        std::thread::sleep(Duration::from_millis(1_100));
        scene.proven(&client);
        (scene.memory.writes() > before && wait(client.storage_faults()).is_empty()).then_some(())
    });
}

/// A log with a switch.
#[derive(Default)]
struct Log {
    does: Mutex<String>,
    calls: AtomicUsize,
    lines: Mutex<Vec<LogLine>>,
}

#[async_trait::async_trait]
impl LogSink for Log {
    async fn write(&self, lines: Vec<LogLine>) -> Result<(), LogFailure> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let does = self.does.lock().unwrap().clone();
        match does.as_str() {
            "throws" => return Err(LogFailure::Unexpected { detail: "no".to_owned() }),
            "panics" => panic!("a log that panics"),
            "hangs" => std::future::pending().await,
            _ => self.lines.lock().unwrap().extend(lines),
        }
        Ok(())
    }
}

fn with_log(scene: &Scene, log: &Arc<Log>, level: &str) -> Result<Arc<SaldoClient>, SetupError> {
    let config = saldo_ffi::ClientConfig { log_level: level.to_owned(), ..scene.config.clone() };
    SaldoClient::new(config, scene.http.clone(), Some(scene.memory.clone()), Some(log.clone()))
}

#[test]
fn a_log_gets_lines_and_may_misbehave() {
    let scene = Scene::new("");
    for does in ["pass", "throws", "panics", "hangs"] {
        let log = Arc::new(Log::default());
        does.clone_into(&mut log.does.lock().unwrap());
        let client = with_log(&scene, &log, "trace").unwrap();
        scene.proven(&client);
        until("the log is called", || (log.calls.load(Ordering::SeqCst) > 0).then_some(()));
        scene.proven(&client);
        wait(client.shutdown());
        let lines = log.lines.lock().unwrap();
        assert_eq!(lines.is_empty(), does != "pass", "{does}");
        for line in lines.iter() {
            assert!(line.target.starts_with("saldo"), "{line:?}");
            let text = line.text.to_lowercase();
            assert!(!text.contains("http://") && !text.contains("a1a1a1a1"), "{line:?}");
        }
    }
    let refused = with_log(&scene, &Arc::default(), "loud").err().map(|error| error.code().to_owned());
    assert_eq!(refused.as_deref(), Some("log_level"));
}

/// Settings that cannot be used are refused with a stable code, and no reading is needed for that.
#[test]
fn settings_that_cannot_be_used_have_a_code() {
    let scene = Scene::new("");
    let refused = |change: &dyn Fn(&mut saldo_ffi::ClientConfig)| {
        let mut config = scene.config.clone();
        change(&mut config);
        let error = SaldoClient::new(config, scene.http.clone(), None, None).err().expect("a refusal");
        assert!(!format!("{error} {error:?}").contains("SECRET"), "{error}");
        error.code().to_owned()
    };
    assert_eq!(refused(&|config| config.rpc.clear()), "no_provider");
    assert_eq!(refused(&|config| config.beacon.clear()), "no_beacon_source");
    assert_eq!(refused(&|config| config.rpc[0].url = "ftp://SECRET.example".to_owned()), "provider");
    assert_eq!(refused(&|config| config.beacon[0].url = "SECRET".to_owned()), "beacon_source");
    assert_eq!(refused(&|config| config.rpc[1].name = config.rpc[0].name.clone()), "same_name");
    assert_eq!(refused(&|config| config.rpc[0].operator = Some("\n".to_owned())), "provider");
    assert_eq!(refused(&|config| config.network = "mainnet2".to_owned()), "unknown_network");
    assert_eq!(refused(&|config| config.network += "\nsurplus = 1\n"), "network_file");
    assert_eq!(refused(&|config| config.checkpoint = None), "no_checkpoint");
    assert_eq!(refused(&|config| config.checkpoint.as_mut().unwrap().root = "0x12".to_owned()), "checkpoint");
    assert_eq!(refused(&|config| config.storage_key = Some(vec![1; 31])), "storage_key");
    assert_eq!(refused(&|config| config.minimum_operators = 9), "too_few_operators");
    assert_eq!(refused(&|config| config.directory_file = Some("SECRET".to_owned())), "directory_file");
    let client = scene.client();
    let malformed = saldo_ffi::Checkpoint { root: "0x12".to_owned(), slot: None };
    assert_eq!(wait(client.start_again(malformed)).unwrap_err().code(), "checkpoint");
    assert_eq!(wait(client.adopt("mainnet".to_owned())).unwrap_err().code(), "other_chain");
    wait(client.shutdown());
    assert_eq!(wait(client.adopt("mainnet".to_owned())).unwrap_err().code(), "closed");
}
