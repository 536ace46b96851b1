//! `saldo drill`: its output and its exit status.

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
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use testbed::{ALICE_WEI, Services, run, saldo};

/// Writes a file that no other test uses.
fn file(name: &str, content: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn the_list_names_every_scenario() {
    let list = run(&mut saldo(&["drill", "list"]));
    assert_eq!((list.status, list.err.as_str()), (0, ""));
    let json = run(&mut saldo(&["drill", "list", "--json"])).json();
    assert_eq!(list.out.lines().count(), json.len());
    assert!(json.len() >= 60);
    for (line, object) in list.out.lines().zip(&json) {
        assert!(line.starts_with(object["scenario"].as_str().unwrap()), "{line}");
        assert_eq!(object["schema"], "saldo.drill/1");
    }
    let printed = run(&mut saldo(&["drill", "list", "--file", "split-brain"]));
    assert_eq!(printed.status, 0);
    let again = run(saldo(&["drill", "run", "--scenario"]).arg(file("again.toml", &printed.out)));
    assert_eq!(again.status, 0, "{again:?}");
    assert_eq!(run(&mut saldo(&["drill", "list", "--file", "nothing"])).status, 2);
}

#[test]
fn an_outage_is_drawn_as_text() {
    let drawn = run(&mut saldo(&["drill", "run", "--scenario", "two-lie-one-is-honest"]));
    assert_eq!((drawn.status, drawn.err.as_str()), (0, ""));
    for part in
        ["anna  ", "naive 0 (wrong)", "saldo 1.5 ether at block", "served by cleo", "and never a false one."]
    {
        assert!(drawn.out.contains(part), "{part}: {}", drawn.out);
    }
    let lane = drawn.out.lines().find(|line| line.starts_with("anna")).unwrap();
    assert!(lane.trim_end().ends_with("####"), "{lane}");
}

#[test]
fn an_outage_is_written_as_json() {
    let lines = run(&mut saldo(&["drill", "run", "-s", "everyone-down", "--json"])).json();
    assert!(lines.iter().all(|line| line["schema"] == "saldo.drill/1"));
    let (start, end) = (lines.first().unwrap(), lines.last().unwrap());
    assert_eq!(start["members"].as_array().unwrap().len(), 5);
    assert_eq!(start["members"][0]["states"][1]["condition"], "gone");
    assert_eq!((&end["false"], &end["looks"]), (&Value::from(0), &Value::from(25)));
    assert!(end["naive_wrong"].as_u64().unwrap() > 10);
    let unknown: Vec<&Value> = lines.iter().filter(|line| line["saldo"]["state"] == "unknown").collect();
    assert!(!unknown.is_empty());
    for look in unknown {
        assert_eq!(look["saldo"]["proven"], Value::Null, "{look}");
        assert_eq!(look["saldo"]["last"]["amount"], ALICE_WEI, "{look}");
        assert_eq!(look["saldo"]["why"]["code"], "all_unreachable", "{look}");
    }
}

#[test]
fn a_page_is_self_contained() {
    let path = file("page.html", "");
    let scenario = file(
        "markup.toml",
        "title = \"<b>bold & \\\"quoted\\\"</b>\"\nlasts = \"2m\"\nlooks_every = \"30s\"\nnaive = \"wrong\"\n\
         [[event]]\nat = \"30s\"\nwho = \"anna\"\nfaults = [\"zero_balance\"]\nsays = \"<script>\"\n",
    );
    let drawn = run(saldo(&["drill", "run", "--scenario"]).arg(scenario).arg("--html").arg(&path));
    assert_eq!(drawn.status, 0, "{drawn:?}");
    let page = std::fs::read_to_string(path).unwrap();
    assert!(page.contains("<svg") && page.contains("prefers-color-scheme: dark"));
    assert!(page.contains("&lt;b&gt;bold &amp; &quot;quoted&quot;&lt;/b&gt;"));
    for outside in ["<b>", "<script", "http://", "https://", "url(", "@import", "src="] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn a_wrong_argument_or_scenario_is_a_usage_error() {
    let broken = file("broken.toml", "title = \"x\"\ncolour = \"red\"\n");
    let broken = broken.to_str().unwrap();
    for (arguments, code, words) in [
        (vec!["drill", "run", "--scenario", "no-such-thing"], "unknown_scenario", "no scenario of that name"),
        (vec!["drill", "run", "--scenario", "./no-such-file.toml"], "scenario_file", "cannot be read"),
        (vec!["drill", "run", "--scenario", broken], "scenario_file", "line 2: unknown field `colour`"),
        (vec!["drill", "serve", "--scenario", broken], "scenario_file", "line 2"),
        (
            vec!["drill", "proxy", "-s", "false-zero", "--upstream", "not a url"],
            "not_a_url",
            "--upstream number 1",
        ),
        (
            vec!["drill", "proxy", "-s", "split-brain", "--upstream", "http://127.0.0.1:1"],
            "needs_a_chain",
            "anna, bert: another branch",
        ),
        (
            vec!["drill", "proxy", "-s", "rollup-stopped", "--upstream", "http://127.0.0.1:1"],
            "rollup",
            "rollup-stopped has a rollup",
        ),
        (vec!["drill", "attach", "--upstream", "ftp://127.0.0.1"], "not_a_url", "scheme"),
        (vec!["drill", "attach"], "usage", "required"),
        (vec!["drill", "run"], "usage", "required"),
        (vec!["drill", "serve", "-s", "false-zero", "--speed", "0"], "usage", ""),
    ] {
        let text = run(&mut saldo(&arguments));
        assert_eq!((text.status, text.out.as_str()), (2, ""), "{arguments:?}: {text:?}");
        let json = run(saldo(&arguments).arg("--json"));
        assert_eq!((json.status, json.err.as_str()), (2, ""), "{arguments:?}: {json:?}");
        let error = &json.only()["error"];
        assert_eq!(error["code"], code, "{arguments:?}: {error}");
        assert!(error["detail"].as_str().unwrap().contains(words), "{arguments:?}: {error}");
        assert!(error["next_step"].as_str().unwrap().len() > 10, "{error}");
    }
}

#[test]
fn an_unreachable_node_is_a_failure() {
    let gone = run(&mut saldo(&["drill", "attach", "--upstream", "http://127.0.0.1:1/KEY", "--json"]));
    assert_eq!(gone.status, 1);
    assert_eq!(gone.only()["error"]["code"], "no_node");
    assert!(!gone.all().contains("KEY"), "{gone:?}");
}

/// A command that keeps running, and its output.
struct Running(Child, BufReader<std::process::ChildStdout>);

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self(child, out)
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.1.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_printed_network_file_leads_to_the_served_chain() {
    // At this speed an hour passes in a second, so all events happen at once.
    let scenario = file(
        "served.toml",
        "title = \"two are down\"\nlasts = \"3h\"\nlooks_every = \"1m\"\nnaive = \"wrong\"\n[[event]]\nat = \"10m\"\n\
         who = \"anna, bert\"\nfaults = [\"refuse\"]\n[[event]]\nat = \"11m\"\ndevice = \"offline\"\n",
    );
    let mut command = saldo(&["drill", "serve", "--speed", "3600", "--json", "--scenario"]);
    let mut served = Running::start(command.arg(scenario));
    let said = served.line();
    assert_eq!(said["rpc_urls"].as_array().unwrap().len(), 3);
    let event = served.line();
    assert_eq!(
        (&event["event"], &event["left_out"]),
        (&Value::from("anna, bert: refuses connections"), &false.into())
    );
    assert_eq!(served.line()["left_out"], true, "an event of the device is left out");
    let (owner, network) = (said["address"].as_str().unwrap(), said["network_file"].as_str().unwrap());
    let reading = run(&mut saldo(&["balance", owner, "--network", network, "--json"]));
    assert_eq!(reading.status, 0, "{reading:?}");
    let reading = reading.only();
    assert_eq!((&reading["amount"], &reading["provider"]), (&ALICE_WEI.into(), &"cleo".into()), "{reading}");
}

#[test]
fn a_proxy_stands_before_a_real_provider() {
    let services = Services::new(1, 1);
    let upstream = format!("{}/KEY", services.rpc_urls()[0]);
    let scenario = file(
        "proxied.toml",
        "title = \"all lie\"\nlasts = \"3h\"\nlooks_every = \"1m\"\nnaive = \"wrong\"\n[[event]]\nat = \"0s\"\n\
         who = \"providers\"\nfaults = [\"zero_balance\", { truncated_proof = { nodes = 1 } }]\n",
    );
    let mut command = saldo(&["drill", "proxy", "--json", "--upstream", &upstream, "--scenario"]);
    let mut proxies = Running::start(command.arg(scenario));
    let said = proxies.line();
    assert!(!said.to_string().contains("KEY"), "{said}");
    assert_eq!(proxies.line()["left_out"], false);
    let urls: Vec<&str> =
        said["rpc_urls"].as_array().unwrap().iter().map(|url| url.as_str().unwrap()).collect();
    let mut command =
        saldo(&["balance", &testbed::ALICE.to_string(), "--json", "--no-wait", "--timeout", "5s"]);
    command.arg("--network").arg(testbed::network_file(&testbed::test_chain().network().to_toml()));
    command.args(["--beacon-url", &services.beacon_urls()[0]]);
    for url in urls {
        command.args(["--rpc-url", url]);
    }
    let reading = run(&mut command).only();
    assert_eq!(
        (&reading["amount"], &reading["why"]["code"]),
        (&Value::Null, &"proofs_refused".into()),
        "{reading}"
    );
}

/// The drill's own provider serves as the development node: only its headers matter.
#[test]
fn a_development_nodes_balances_are_proven() {
    let services = Services::new(1, 0);
    let mut attached =
        Running::start(&mut saldo(&["drill", "attach", "--json", "--upstream", &services.rpc_urls()[0]]));
    let said = attached.line();
    assert_eq!(said["chain_id"], 31337);
    let network = said["network_file"].as_str().unwrap();
    let reading = run(&mut saldo(&["balance", &testbed::ALICE.to_string(), "--network", network, "--json"]));
    assert_eq!(reading.status, 0, "{reading:?}");
    assert_eq!(reading.only()["amount"], ALICE_WEI);
}

/// Sends one request with these headers, and gives the whole answer.
fn answer_to(url: &str, headers: &str) -> String {
    answer(url, "POST /", headers)
}

/// The same to another method or path.
fn answer(url: &str, target: &str, headers: &str) -> String {
    use std::io::{Read, Write};
    let address = url.rsplit_once('/').unwrap().1;
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}"#;
    write!(stream, "{target} HTTP/1.1\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn web_pages_reach_a_real_server_only_if_they_are_named() {
    let services = Services::new(1, 0);
    let scenario = file(
        "quiet.toml",
        "title = \"quiet\"\nlasts = \"3h\"\nlooks_every = \"1m\"\nnaive = \"right\"\n[[event]]\nat = \"2h\"\n\
         who = \"providers\"\nfaults = [\"zero_balance\"]\n",
    );
    let scenario = scenario.display().to_string();
    let (upstream, page) = (&services.rpc_urls()[0], "http://localhost:5173");
    let proxy =
        ["drill", "proxy", "--json", "--allow-origin", page, "--upstream", upstream, "--scenario", &scenario];
    let attach = ["drill", "attach", "--json", "--allow-origin", page, "--upstream", upstream];
    for command in [&proxy[..], &attach] {
        let mut running = Running::start(&mut saldo(command));
        let url = running.line()["rpc_urls"][0].as_str().unwrap().to_owned();
        for headers in [
            "host: evil.test\r\n",
            "",
            "host: localhost\r\norigin: https://evil.test\r\n",
            "host: localhost\r\norigin: null\r\n",
            "host: localhost\r\nsec-fetch-site: cross-site\r\n",
        ] {
            let refused = answer_to(&url, headers);
            assert!(refused.starts_with("HTTP/1.1 403 "), "{headers}: {refused}");
            assert!(!refused.contains("access-control"), "{headers}: {refused}");
        }
        // No page, but a request that no wallet sends.
        for (target, status) in
            [("PUT /", 405), ("DELETE /", 405), ("POST /admin", 404), ("GET /metrics", 404)]
        {
            let refused = answer(&url, target, "host: localhost\r\n");
            assert!(refused.starts_with(&format!("HTTP/1.1 {status} ")), "{target}: {refused}");
            assert!(refused.contains("JSON-RPC, by POST to `/`"), "{target}: {refused}");
        }
        let program = answer_to(&url, "host: localhost:8545\r\n");
        assert!(program.starts_with("HTTP/1.1 200 ") && !program.contains("access-control"), "{program}");
        let allowed = answer_to(&url, &format!("host: 127.0.0.1\r\norigin: {page}\r\n"));
        assert!(allowed.contains(&format!("access-control-allow-origin: {page}\r\n")), "{allowed}");
    }
}
