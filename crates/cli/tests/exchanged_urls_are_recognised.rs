//! A beacon node's URL after `--rpc-url`, and an execution provider's after `--beacon-url`: `balance` and `doctor` say so, with
//! the next step, whatever the servers answer to a request that they do not know.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a panic fails the test")]

mod testbed;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use saldo_drill::serve::Server;
use saldo_drill::{BeaconSource, Fault, Provider};
use testbed::{ALICE, Run, network_file, run, saldo, test_chain};

/// A server that answers requests of the other kind as a real client does.
struct Client<S> {
    inner: S,
    knows: &'static str,
    otherwise: Reply,
}

impl<S: Service> Service for Client<S> {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        if request.method == self.knows {
            return self.inner.answer(request);
        }
        Reaction::Reply(self.otherwise.clone())
    }

    fn refuses(&self) -> bool {
        self.inner.refuses()
    }
}

fn json(status: u16, body: &str) -> Reply {
    Reply::new(status, "application/json", body)
}

fn beacon(otherwise: Reply) -> Server {
    let inner = BeaconSource::honest(&test_chain().chain);
    test_chain().serve(Client { inner, knows: "GET", otherwise })
}

fn execution(otherwise: Reply) -> Server {
    let inner = Provider::honest(&test_chain().chain);
    test_chain().serve(Client { inner, knows: "POST", otherwise })
}

/// What beacon nodes answer to a JSON-RPC request.
fn refusals_of_beacon_nodes() -> [Reply; 4] {
    [
        json(404, r#"{"message":"Route POST:/ not found","error":"Not Found","statusCode":404}"#),
        json(405, r#"{"code":405,"message":"METHOD_NOT_ALLOWED","stacktraces":[]}"#),
        Reply::new(404, "text/plain", "404 page not found\n"),
        json(400, r#"{"code":400,"message":"Invalid request"}"#),
    ]
}

/// What execution clients answer to a route of the beacon API.
fn refusals_of_execution_clients() -> [Reply; 4] {
    [
        Reply::new(404, "text/plain", ""),
        Reply::new(405, "text/plain", "Used HTTP Method is not allowed. POST is required"),
        Reply::new(200, "text/plain", ""),
        json(200, r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}"#),
    ]
}

fn ask(command: &[&str], rpc: &Server, beacon: &Server) -> Run {
    let mut command = saldo(command);
    command.args(["--json", "--timeout", "6s", "-n"]).arg(network_file(&test_chain().network().to_toml()));
    command.args(["--rpc-url", &format!("r={}", rpc.url()), "--beacon-url", &format!("b={}", beacon.url())]);
    run(&mut command)
}

#[track_caller]
fn assert_said(rpc: &Server, beacon: &Server, words: &str, findings: [Option<&str>; 2]) {
    let balance = ask(&["balance", &ALICE.to_string()], rpc, beacon);
    assert_eq!(balance.status, 2, "{balance:?}");
    let error = balance.only()["error"].clone();
    assert_eq!(error["code"], "exchanged_url", "{balance:?}");
    assert!(error["detail"].as_str().unwrap().contains(words), "{error}");
    let step = error["next_step"].as_str().unwrap();
    assert!(step.contains("--rpc-url") && step.contains("--beacon-url"), "{step}");
    assert!(!balance.all().contains("127.0.0.1"), "a URL is secret: {balance:?}");

    let doctor = ask(&["doctor"], rpc, beacon);
    assert_eq!(doctor.status, 4, "{doctor:?}");
    let report = doctor.only();
    for (list, finding) in ["providers", "beacon_sources"].into_iter().zip(findings) {
        let codes: Vec<_> = report[list][0]["findings"].as_array().unwrap().iter().collect();
        assert_eq!(codes.first().map(|found| &found["code"]), finding.map(Into::into).as_ref(), "{report}");
    }
}

#[test]
fn both_are_exchanged() {
    let pairs = refusals_of_beacon_nodes().into_iter().zip(refusals_of_execution_clients());
    for (of_beacon, of_execution) in pairs {
        let (beacon, execution) = (beacon(of_beacon), execution(of_execution));
        let both = [Some("is_beacon_node"), Some("is_execution_provider")];
        assert_said(&beacon, &execution, "the URLs were exchanged: r is a beacon node, and b an", both);
    }
}

#[test]
fn one_url_is_of_the_other_kind() {
    let [refusal, ..] = refusals_of_beacon_nodes();
    let (one, other) = (beacon(refusal.clone()), beacon(refusal));
    assert_said(&one, &other, "r is a beacon node, and was given as an", [Some("is_beacon_node"), None]);
    let [refusal, ..] = refusals_of_execution_clients();
    let (one, other) = (execution(refusal.clone()), execution(refusal));
    let words = "b is an execution provider, and was given as a";
    assert_said(&one, &other, words, [None, Some("is_execution_provider")]);
}

/// A server of the right kind that fails is not said to be of another kind.
#[test]
fn a_failing_server_is_not_called_exchanged() {
    for fault in [Fault::Status(404), Fault::Status(500), Fault::Html] {
        let provider = Provider::honest(&test_chain().chain);
        provider.set(fault.clone());
        let (rpc, beacon) =
            (test_chain().serve(provider), beacon(Reply::new(404, "text/plain", "not found")));
        let balance = ask(&["balance", &ALICE.to_string()], &rpc, &beacon);
        let why = balance.only()["why"]["code"].clone();
        assert!(
            ["denied", "providers_failing", "log_in_page"].iter().any(|code| why == *code),
            "{balance:?}"
        );
    }
}

/// A watch that can show nothing ends like `balance`. One that has an amount to show goes on.
#[test]
fn a_watch_says_it_too() {
    for json in [true, false] {
        let [of_beacon, ..] = refusals_of_beacon_nodes();
        let [of_execution, ..] = refusals_of_execution_clients();
        let (beacon, execution) = (beacon(of_beacon), execution(of_execution));
        let mut command = saldo(&["balance", "--watch", &ALICE.to_string(), "--timeout", "6s", "-n"]);
        command.arg(network_file(&test_chain().network().to_toml()));
        command.args(["--rpc-url", &format!("r={}", beacon.url())]);
        command.args(["--beacon-url", &format!("b={}", execution.url())]);
        if json {
            command.arg("--json");
        }
        let watch = run(&mut command);
        assert_eq!(watch.status, 2, "{watch:?}");
        assert!(watch.all().contains("the URLs were exchanged: r is a beacon node"), "{watch:?}");
        assert!(watch.all().contains("--rpc-url") && !watch.all().contains("127.0.0.1"), "{watch:?}");
    }
}

/// Every command that reads says it, and so does the server when it begins.
#[test]
fn other_commands_say_it_too() {
    let [of_beacon, ..] = refusals_of_beacon_nodes();
    let [of_execution, ..] = refusals_of_execution_clients();
    let (beacon, execution) = (beacon(of_beacon), execution(of_execution));
    let urls = [format!("r={}", beacon.url()), format!("b={}", execution.url())];
    let file = network_file(&test_chain().network().to_toml()).display().to_string();
    let own = ["--timeout", "6s", "-n", &file, "--rpc-url", &urls[0], "--beacon-url", &urls[1]];
    let (owner, out) = (ALICE.to_string(), format!("{file}.out"));
    for command in [
        &["token", &owner][..],
        &["proof", "save", &owner, "--out", &out],
        &["evidence", "save", &owner, "--out", &out],
    ] {
        let said = run(saldo(command).args(own));
        assert_eq!(said.status, 2, "{said:?}");
        assert!(said.err.contains("the URLs were exchanged: r is a beacon node"), "{command:?}: {said:?}");
    }
    let mut serve = saldo(&["serve", "--listen", "127.0.0.1:0"]);
    let mut serve = serve.args(own).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(serve.stderr.take().unwrap()).lines();
    let said = lines.map(Result::unwrap).find(|line| line.contains("nothing is proven"));
    assert!(said.as_deref().is_some_and(|line| line.contains("the URLs were exchanged")), "{said:?}");
    serve.kill().unwrap();
    serve.wait().unwrap();
}
