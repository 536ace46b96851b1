//! `saldo serve --metrics`: what Prometheus is told is what `docs/metrics.md` lists, each query of the dashboard names it, and no label
//! has an address or a key.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};

use saldo::Address;
use saldo_drill::{Fault, Provider};
use serde_json::{Value, json};

use testbed::served::{Reply, Served, read_reply, serve};
use testbed::{ALICE, BOB, Services, UNUSED, network_file, run, saldo, test_chain};

const KEY: &str = "0123456789abcdef-secret";
/// What no test makes happen: it needs a chain that takes a signed block back.
const UNSEEN: [&str; 1] = ["saldo_withdrawn_total"];

/// The samples of a text: the value of each, by its name and its labels.
type Samples = BTreeMap<(String, BTreeMap<String, String>), f64>;

fn ask(address: SocketAddr, head: &str) -> Reply {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(format!("{head}\r\n\r\n").replace('\n', "\r\n").replace("\r\r", "\r").as_bytes())
        .unwrap();
    read_reply(&mut stream)
}

fn scrape(address: SocketAddr) -> (String, Samples) {
    let reply = ask(address, &format!("GET /metrics HTTP/1.1\nhost: {address}"));
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let lines = reply.body.lines().filter(|line| !line.starts_with('#'));
    let samples = lines.map(sample).collect();
    (reply.body, samples)
}

/// Reads `name{label="value",…} 1.5`.
fn sample(line: &str) -> ((String, BTreeMap<String, String>), f64) {
    let (series, value) = line.rsplit_once(' ').unwrap();
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let labels = labels.strip_suffix('}').unwrap().split_terminator("\",").map(|label| {
        let (key, value) = label.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
        (key.to_owned(), value.trim_end_matches('"').to_owned())
    });
    ((name.to_owned(), labels.collect()), value.parse().unwrap_or_else(|error| panic!("{error}: {line}")))
}

/// The sum of the samples of that name with these labels.
fn sum(samples: &Samples, name: &str, labels: &[(&str, &str)]) -> f64 {
    let is_it = |of: &BTreeMap<String, String>| {
        labels.iter().all(|(key, value)| of.get(*key).is_some_and(|known| known == value))
    };
    samples.iter().filter(|((known, of), _)| known == name && is_it(of)).map(|(_, value)| value).sum()
}

/// The server, where it tells what is counted, and its services.
fn served(options: &[&str]) -> (Served, SocketAddr, Services) {
    let services = Services::new(2, 1);
    let mut command =
        saldo(&["serve", "--json", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--timeout", "3s"]);
    command.arg("--network").arg(network_file(&test_chain().network().to_toml())).args(options);
    for url in services.rpc_urls() {
        command.args(["--rpc-url", &format!("{url}/v3/{KEY}")]);
    }
    for url in services.beacon_urls() {
        command.args(["--beacon-url", &url]);
    }
    let served = Served::start(&mut command, 2);
    assert_eq!(served.lines[1]["event"], "metrics");
    let url = served.lines[1]["url"].as_str().unwrap();
    let address = url.trim_start_matches("http://").trim_end_matches("/metrics").parse().unwrap();
    (served, address, services)
}

/// Lets everything happen that is counted, and returns what is printed then.
fn eventful(served: &Served, address: SocketAddr, services: &Services) -> (String, Samples) {
    let block = served.result("eth_blockNumber", &json!([]));
    for _ in 0..2 {
        served.result("eth_getBalance", &json!([ALICE, block]));
    }
    let call = |byte: u8| {
        let params = json!([Address::repeat_byte(byte), block]);
        json!({ "jsonrpc": "2.0", "id": byte, "method": "eth_getBalance", "params": params })
    };
    served.post(&json!((1..=20).map(call).collect::<Vec<_>>()).to_string());
    served.result("eth_call", &json!([{ "to": ALICE }, "latest"]));
    served.result("saldo_reading", &json!([ALICE]));
    served.error("eth_gasPrice", &json!([]));
    served.error(&format!("eth_{KEY}"), &json!([]));
    // Both providers lie about an account that was not asked for before. Then no provider can be reached.
    services.providers.iter().for_each(|provider| provider.set(Fault::TruncatedProof { nodes: 1 }));
    served.error("eth_getBalance", &json!([BOB, "latest"]));
    services.providers.iter().for_each(Provider::clear);
    services.refuse_all_connections();
    served.call("saldo_reading", &json!([UNUSED]));
    wait_until_nobody_is_connected(address);
    let idle: Vec<TcpStream> = (0..12).map(|_| TcpStream::connect(served.address).unwrap()).collect();
    std::thread::sleep(std::time::Duration::from_millis(300));
    let scraped = scrape(address);
    drop(idle);
    wait_until_nobody_is_connected(address);
    scraped
}

/// The server notices a moment later that a connection is closed; until then it counts.
fn wait_until_nobody_is_connected(address: SocketAddr) {
    for _ in 0..500 {
        if sum(&scrape(address).1, "saldo_serve_connections", &[]) == 0.0 {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("connections are left");
}

/// The metrics of `docs/metrics.md`: the labels of each, by its name. A histogram has the names of its three samples.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let mut documented = BTreeMap::new();
    let rows = include_str!("../../../docs/metrics.md").lines().filter(|line| line.starts_with("| `saldo_"));
    for row in rows {
        let columns: Vec<&str> = row.split('|').map(str::trim).collect();
        let words = |text: &str| -> BTreeSet<String> {
            text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
        };
        let (name, labels) = (columns[1].trim_matches('`').to_owned(), words(columns[3]));
        match columns[2] {
            "histogram" => {
                let with_le = labels.iter().cloned().chain(["le".to_owned()]).collect();
                documented.insert(format!("{name}_bucket"), with_le);
                documented.insert(format!("{name}_sum"), labels.clone());
                documented.insert(format!("{name}_count"), labels);
            }
            "counter" | "gauge" => drop(documented.insert(name, labels)),
            other => panic!("{other}"),
        }
    }
    documented
}

#[test]
fn what_is_printed_is_what_is_documented_and_what_the_dashboard_asks_for() {
    let (served, address, services) = served(&["--connections", "8"]);
    let (text, samples) = eventful(&served, address, &services);

    // Nothing secret, and nothing of an address.
    let lower = text.to_lowercase();
    for secret in [KEY, "://", &format!("{ALICE:x}"), &format!("{BOB:x}"), "127.0.0.1:"] {
        assert!(!lower.contains(secret), "{secret}: {text}");
    }

    // What is printed is documented, with these very labels, and the other way round.
    let documented = documented();
    let mut printed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, labels) in samples.keys() {
        let labels: BTreeSet<String> = labels.keys().cloned().collect();
        assert_eq!(Some(&labels), documented.get(name), "{name}");
        printed.insert(name.clone(), labels);
    }
    let missing: Vec<&String> = documented.keys().filter(|name| !printed.contains_key(*name)).collect();
    assert_eq!(missing, UNSEEN, "{text}");

    // Each query of the dashboard names metrics that are printed, with labels that they have.
    let dashboard: Value = serde_json::from_str(include_str!("../../../docs/grafana/saldo.json")).unwrap();
    let mut queries: Vec<(String, String)> = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let word = |key: &str| target[key].as_str().unwrap().to_owned();
            queries.push((word("expr"), word("legendFormat")));
        }
    }
    assert!(queries.len() > 20);
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        if let Some(query) = variable["query"].as_str().filter(|query| query.starts_with("label_values(")) {
            let (metric, label) = query.trim_start_matches("label_values(").split_once(", ").unwrap();
            queries.push((format!("sum by ({}) ({metric})", label.trim_end_matches(')')), String::new()));
        }
    }
    for (query, legend) in &queries {
        let metrics = metrics_of(query);
        assert!(!metrics.is_empty(), "{query}");
        for (metric, matchers) in &metrics {
            let labels = printed.get(metric).unwrap_or_else(|| panic!("{metric} is not printed: {query}"));
            for label in matchers.union(&grouped_by(query)) {
                assert!(labels.contains(label), "{metric} has no label {label}: {query}");
            }
        }
        for label in legend.split("{{").skip(1).map(|rest| rest.split_once("}}").unwrap().0) {
            assert!(grouped_by(query).contains(label), "{legend}: {query}");
        }
    }
}

/// The metrics in a query, each with the labels that it is filtered by.
fn metrics_of(query: &str) -> Vec<(String, BTreeSet<String>)> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut found = Vec::new();
    for (start, _) in query.match_indices("saldo_") {
        let (_, rest) = query.split_at(start);
        let (name, rest) = rest.split_at(rest.find(|letter| !is_part(letter)).unwrap_or(rest.len()));
        let filter =
            rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map_or("", |(filter, _)| filter);
        let matchers =
            filter.split_terminator(',').map(|matcher| matcher.split(['=', '!']).next().unwrap().to_owned());
        found.push((name.to_owned(), matchers.collect()));
    }
    found
}

/// The labels that the result of a query has.
fn grouped_by(query: &str) -> BTreeSet<String> {
    let groups = query.split("by (").skip(1).map(|rest| rest.split_once(')').unwrap().0);
    groups.flat_map(|group| group.split(',').map(|label| label.trim().to_owned())).collect()
}

#[test]
fn the_numbers_are_those_of_what_happened() {
    let (served, address, services) = served(&["--connections", "8"]);
    let (_, before) = scrape(address);
    assert_eq!(sum(&before, "saldo_answers_total", &[("kind", "state")]), 0.0);
    let (text, samples) = eventful(&served, address, &services);
    let sum = |name: &str, labels: &[(&str, &str)]| sum(&samples, name, labels);

    // Two reads of Alice's balance, twenty in a batch, and Bob's, which is not known.
    let balances =
        |outcome| sum("saldo_serve_calls_total", &[("method", "eth_getBalance"), ("outcome", outcome)]);
    assert_eq!((balances("proven"), balances("not_proven")), (22.0, 1.0), "{text}");
    assert_eq!(sum("saldo_serve_seconds_count", &[("method", "eth_getBalance")]), 23.0);
    assert_eq!(sum("saldo_answers_total", &[("kind", "state"), ("outcome", "proven")]), 22.0);
    assert!(sum("saldo_questions_total", &[("way", "cached")]) >= 1.0, "{text}");
    assert!(sum("saldo_questions_total", &[("way", "shared")]) >= 10.0, "{text}");
    assert_eq!(sum("saldo_serve_calls_total", &[("method", "other"), ("outcome", "invalid")]), 1.0);
    assert_eq!(sum("saldo_serve_calls_total", &[("method", "eth_gasPrice"), ("outcome", "refused")]), 1.0);

    // Readings and answers, with the reasons of those that are not known.
    assert_eq!(sum("saldo_readings_total", &[("state", "proven")]), 1.0, "{text}");
    assert_eq!(sum("saldo_readings_total", &[("state", "unknown")]), 1.0, "{text}");
    assert!(sum("saldo_unknown_total", &[("reason", "all_unreachable")]) >= 1.0, "{text}");

    // Requests: some were answered, with bytes; at the end no connection came about. Each lie counts.
    let requests = |outcome| sum("saldo_requests_total", &[("api", "execution"), ("outcome", outcome)]);
    assert!(requests("answered") >= 3.0 && requests("connect") >= 1.0, "{text}");
    assert_eq!(
        sum("saldo_request_seconds_count", &[]),
        requests("answered") + sum("saldo_requests_total", &[("api", "beacon"), ("outcome", "answered")])
    );
    assert!(sum("saldo_request_bytes_total", &[("direction", "received")]) > 10_000.0, "{text}");
    assert!(sum("saldo_proofs_total", &[("outcome", "verified")]) >= 22.0, "{text}");
    assert!(sum("saldo_proofs_total", &[("outcome", "refused")]) >= 2.0, "{text}");
    assert_eq!(sum("saldo_false_proofs_total", &[]), 2.0, "{text}");
    assert!(sum("saldo_failures_total", &[("code", "proof_refused")]) >= 2.0, "{text}");

    // The gauges are those of `saldo_health`.
    assert_eq!(sum("saldo_endpoint_state", &[]), 3.0, "each endpoint is in one state: {text}");
    let health = served.call("saldo_health", &json!([]))["result"].clone();
    let finalized = sum("saldo_head_slot", &[("level", "finalized")]);
    assert_eq!(Some(finalized), health["heads"]["finalized_slot"].as_f64(), "{health}");
    assert!(sum("saldo_head_age_seconds", &[("level", "finalized")]) > 0.0, "{text}");
    assert!(sum("saldo_cache_blocks", &[]) >= 1.0 && sum("saldo_cache_bytes", &[]) > 1_000.0, "{text}");
    assert_eq!(sum("saldo_serve_connections", &[]), 8.0, "{text}");
    assert!(sum("saldo_serve_connections_refused_total", &[]) >= 4.0, "{text}");
}

#[test]
fn it_answers_one_path_to_this_machine() {
    let (_served, address, _services) = served(&[]);
    for (head, status) in [
        (format!("GET / HTTP/1.1\nhost: {address}"), 404),
        (format!("GET /metrics/x HTTP/1.1\nhost: {address}"), 404),
        (format!("POST /metrics HTTP/1.1\nhost: {address}\ncontent-length: 0"), 404),
        ("GET /metrics HTTP/1.1\nhost: evil.example".to_owned(), 403),
        (format!("GET /metrics HTTP/1.1\nhost: {address}\norigin: https://evil.example"), 403),
        ("GET /metrics HTTP/1.1\nhost: localhost".to_owned(), 200),
    ] {
        assert_eq!(ask(address, &head).status, status, "{head}");
    }
    // Elsewhere than on this machine it needs the names that requests may be for.
    let services = Services::new(1, 1);
    let refused = run(&mut serve(&services, &["--metrics", "0.0.0.0:0"]));
    assert_eq!(
        (refused.status, &refused.only()["error"]["code"]),
        (2, &json!("open_to_others")),
        "{refused:?}"
    );
}
