//! `saldo mirror` writes what verified, says what it wrote, and a balance is proven with it alone.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what goes wrong here is a failed test"
)]

mod stage;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use saldo_drill::Fault;
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use serde_json::Value;

use stage::{ALICE, Cast, network_file, run, saldo, world};

/// A folder that no other test has; not made yet.
fn folder() -> PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let name = format!("mirror-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn mirror(cast: &Cast, folder: &PathBuf) -> Command {
    let mut command = saldo(&["mirror", "--network"]);
    command.arg(network_file(&world().network().to_toml())).arg(folder);
    cast.beacon_urls().iter().for_each(|url| {
        command.args(["--beacon-url", url]);
    });
    command
}

/// A web server that has the files of a folder.
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
fn a_balance_is_proven_with_it_alone() {
    let (cast, folder) = (Cast::new(1, 1), folder());
    let written = run(&mut mirror(&cast, &folder));
    assert_eq!((written.status, written.err.as_str()), (0, ""), "{written:?}");
    for line in ["wrote    bootstrap/0x", "wrote    optimistic_update.fulu.ssz", "head at slot ", "--mirror "]
    {
        assert!(written.out.contains(line), "{line}: {written:?}");
    }
    let server = world().serve(Files(folder.clone()));
    let file = network_file(&world().network().to_toml()).display().to_string();
    let rpc = cast.rpc_urls().remove(0);
    let owner = ALICE.to_string();
    for place in [folder.display().to_string(), format!("here={}", folder.display()), server.url()] {
        // The chain goes on: what was written a moment ago must be young enough, not the newest.
        let reading =
            run(&mut saldo(&["balance", "-q", &owner, "-n", &file, "-r", &rpc, "--mirror", &place]));
        assert_eq!(reading.out, format!("{ALICE}  1.5 ether\n"), "{reading:?}");
        let examined = run(&mut saldo(&["doctor", "--json", "-n", &file, "-r", &rpc, "--mirror", &place]));
        assert_eq!(examined.status, 0, "{examined:?}");
    }
}

#[test]
fn what_it_did_is_said_in_json_and_a_second_run_goes_on_from_there() {
    let (cast, folder) = (Cast::new(0, 2), folder());
    let first = run(mirror(&cast, &folder).args(["--json", "--once", "--periods", "2"])).only();
    assert_eq!(first["schema"], "saldo.mirror/1");
    assert!(first["written"].as_array().unwrap().len() >= 3, "{first}");
    assert!(first["head_slot"].is_u64() && first["finalized"].as_str().unwrap().starts_with("0x"), "{first}");
    // The network file of this run brings no checkpoint: the folder has one.
    let file = network_file(&world().chain.network().to_toml());
    let url = cast.beacon_urls().remove(0);
    let path = folder.display().to_string();
    let network = file.display().to_string();
    let again = run(&mut saldo(&["mirror", "--json", &path, "-n", &network, "--beacon-url", &url]));
    assert_eq!(again.status, 0, "{again:?}");
    let elsewhere = self::folder().display().to_string();
    let without = run(&mut saldo(&["mirror", "--json", &elsewhere, "-n", &network, "--beacon-url", &url]));
    assert_eq!((without.status, without.only()["error"]["code"].as_str()), (2, Some("no_checkpoint")));
}

#[test]
fn nothing_false_is_written_and_the_status_says_so() {
    let (cast, folder) = (Cast::new(0, 1), folder());
    assert_eq!(run(&mut mirror(&cast, &folder)).status, 0);
    cast.sources[0].set(Fault::ForgedSignature);
    let forged = run(mirror(&cast, &folder).arg("--json"));
    assert_eq!((forged.status, forged.only()["head_slot"].is_null()), (3, true), "{forged:?}");
    assert_eq!(forged.only()["attempts"][0]["outcome"], "update_refused");
    cast.sources[0].set(Fault::Status(503));
    let nobody = run(mirror(&cast, &folder).args(["--json", "--timeout", "2s"]));
    assert_eq!(
        (nobody.status, nobody.only()["error"]["code"].as_str()),
        (1, Some("not_started")),
        "{nobody:?}"
    );
}

#[test]
fn it_is_refreshed_again_and_again() {
    let (cast, folder) = (Cast::new(0, 1), folder());
    let mut command = mirror(&cast, &folder);
    let mut child = command.args(["--json", "--every", "100ms"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut heads =
        lines.map(|line| serde_json::from_str::<Value>(&line).unwrap()["head_slot"].as_u64().unwrap());
    let first = heads.next().unwrap();
    assert!(heads.any(|head| head > first), "the chain goes on, and the mirror with it");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_mirrors_url_is_secret() {
    const KEY: &str = "5ecret0fTheUser";
    let (cast, folder) = (Cast::new(1, 1), folder());
    assert_eq!(run(&mut mirror(&cast, &folder)).status, 0);
    let server = world().serve(Files(folder));
    let url = server.url().replace("http://", &format!("http://{KEY}:{KEY}@")) + &format!("/?key={KEY}");
    let file = network_file(&world().network().to_toml()).display().to_string();
    let (rpc, owner) = (cast.rpc_urls().remove(0), ALICE.to_string());
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
    let file = network_file(&world().network().to_toml()).display().to_string();
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
