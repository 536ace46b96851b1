//! `saldo mirror` writes verified data and reports it, and a balance is proven with the mirror alone.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use saldo_drill::Fault;
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use serde_json::Value;

use testbed::{ALICE, Services, network_file, run, saldo, test_chain};

/// The path of a folder that no other test uses. The folder does not exist yet.
fn folder() -> PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let name = format!("mirror-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn mirror(services: &Services, folder: &PathBuf) -> Command {
    let mut command = saldo(&["mirror", "--network"]);
    command.arg(network_file(&test_chain().network().to_toml())).arg(folder);
    services.beacon_urls().iter().for_each(|url| {
        command.args(["--beacon-url", url]);
    });
    command
}

/// A web server for the files of a folder.
struct Files(PathBuf);

impl Service for Files {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        Reaction::Reply(match std::fs::read(self.0.join(request.path.trim_start_matches('/'))) {
            Ok(bytes) => Reply::new(200, "application/octet-stream", bytes),
            Err(_) => Reply::new(404, "text/plain", "no"),
        })
    }

    fn refuses(&self) -> bool {
        false
    }
}

#[test]
fn a_balance_is_proven_with_the_mirror_alone() {
    let (services, folder) = (Services::new(1, 1), folder());
    let written = run(&mut mirror(&services, &folder));
    assert_eq!((written.status, written.err.as_str()), (0, ""), "{written:?}");
    for line in ["wrote    bootstrap/0x", "wrote    optimistic_update.fulu.ssz", "head at slot ", "--mirror "]
    {
        assert!(written.out.contains(line), "{line}: {written:?}");
    }
    let server = test_chain().serve(Files(folder.clone()));
    let file = network_file(&test_chain().network().to_toml()).display().to_string();
    let rpc = services.rpc_urls().remove(0);
    let owner = ALICE.to_string();
    for place in [folder.display().to_string(), format!("here={}", folder.display()), server.url()] {
        // The chain continues meanwhile: the written head is young enough, but no longer the newest.
        let reading =
            run(&mut saldo(&["balance", "-q", &owner, "-n", &file, "-r", &rpc, "--mirror", &place]));
        assert_eq!(reading.out, format!("{ALICE}  1.5 ether\n"), "{reading:?}");
        let examined = run(&mut saldo(&["doctor", "--json", "-n", &file, "-r", &rpc, "--mirror", &place]));
        assert_eq!(examined.status, 0, "{examined:?}");
    }
}

#[test]
fn json_reports_the_files_and_a_second_run_continues() {
    let (services, folder) = (Services::new(0, 2), folder());
    let first = run(mirror(&services, &folder).args(["--json", "--once", "--periods", "2"])).only();
    assert_eq!(first["schema"], "saldo.mirror/1");
    assert!(first["written"].as_array().unwrap().len() >= 3, "{first}");
    assert!(first["head_slot"].is_u64() && first["finalized"].as_str().unwrap().starts_with("0x"), "{first}");
    // This network file has no checkpoint, so the folder's own bootstrap must serve.
    let file = network_file(&test_chain().chain.network().to_toml());
    let url = services.beacon_urls().remove(0);
    let path = folder.display().to_string();
    let network = file.display().to_string();
    let again = run(&mut saldo(&["mirror", "--json", &path, "-n", &network, "--beacon-url", &url]));
    assert_eq!(again.status, 0, "{again:?}");
    let elsewhere = self::folder().display().to_string();
    let without = run(&mut saldo(&["mirror", "--json", &elsewhere, "-n", &network, "--beacon-url", &url]));
    assert_eq!((without.status, without.only()["error"]["code"].as_str()), (2, Some("no_checkpoint")));
}

#[test]
fn a_forged_update_is_not_written_and_the_status_says_so() {
    let (services, folder) = (Services::new(0, 1), folder());
    assert_eq!(run(&mut mirror(&services, &folder)).status, 0);
    services.sources[0].set(Fault::ForgedSignature);
    let forged = run(mirror(&services, &folder).arg("--json"));
    assert_eq!((forged.status, forged.only()["head_slot"].is_null()), (3, true), "{forged:?}");
    assert_eq!(forged.only()["attempts"][0]["outcome"], "update_refused");
    services.sources[0].set(Fault::Status(503));
    let no_source = run(mirror(&services, &folder).args(["--json", "--timeout", "2s"]));
    assert_eq!(
        (no_source.status, no_source.only()["error"]["code"].as_str()),
        (1, Some("not_started")),
        "{no_source:?}"
    );
}

#[test]
fn the_mirror_is_refreshed_repeatedly() {
    let (services, folder) = (Services::new(0, 1), folder());
    let mut command = mirror(&services, &folder);
    let mut child = command.args(["--json", "--every", "100ms"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut heads =
        lines.map(|line| serde_json::from_str::<Value>(&line).unwrap()["head_slot"].as_u64().unwrap());
    let first = heads.next().unwrap();
    assert!(heads.any(|head| head > first), "the mirror follows the chain");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_mirrors_url_is_secret() {
    const KEY: &str = "5ecret0fTheUser";
    let (services, folder) = (Services::new(1, 1), folder());
    assert_eq!(run(&mut mirror(&services, &folder)).status, 0);
    let server = test_chain().serve(Files(folder));
    let url = server.url().replace("http://", &format!("http://{KEY}:{KEY}@")) + &format!("/?key={KEY}");
    let file = network_file(&test_chain().network().to_toml()).display().to_string();
    let (rpc, owner) = (services.rpc_urls().remove(0), ALICE.to_string());
    let elsewhere = self::folder().display().to_string();
    for url in [url.clone(), url.replace("/?", &format!("/{KEY}?"))] {
        for command in [
            &["balance", "-v", &owner, "-r", &rpc, "--timeout", "700ms"][..],
            &["balance", "--json", &owner, "-r", &rpc, "--timeout", "700ms"],
            &["doctor", "-r", &rpc, "--timeout", "700ms"],
            &["mirror", &elsewhere, "--timeout", "700ms"],
            &["mirror", &elsewhere, "--json", "--timeout", "700ms"],
        ] {
            let mut command = saldo(command);
            command.args(["-n", &file, "--mirror", &url]).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1");
            let shown = run(&mut command);
            assert!(!shown.all().contains(KEY), "{shown:?}");
            assert_eq!(shown.status == 0, !url.contains(&format!("/{KEY}?")), "{shown:?}");
        }
    }
}

#[test]
fn usage_repeats_neither_urls_nor_paths() {
    let file = network_file(&test_chain().network().to_toml()).display().to_string();
    let nowhere = "/nowhere/SECRET";
    for place in [nowhere, "ftp://host/SECRET", "name=SECRET", "=https://host/SECRET"] {
        for command in [
            &["balance", &ALICE.to_string(), "-r", "http://127.0.0.1:9"][..],
            &["mirror", nowhere, "--beacon-url", "http://127.0.0.1:9"],
        ] {
            let refused = run(saldo(command).args(["-n", &file, "--mirror", place]));
            assert_eq!(refused.status, 2, "{refused:?}");
            assert!(
                refused.err.contains("--mirror number 1") && !refused.all().contains("SECRET"),
                "{refused:?}"
            );
        }
    }
}
