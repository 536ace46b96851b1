//! A proxy puts a scenario's faults in front of a real server, and saldo refuses the faulty answers. Without a fault
//! the proxy changes nothing.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::U256;
use saldo::{Client, Endpoint, Policy, Reading};
use saldo_drill::http::{HttpRequest, Reaction, Relay, Reply, Service};
use saldo_drill::proxy::{Proxy, beyond_a_proxy};
use saldo_drill::scenario::{Role, Scenario, built_in};
use saldo_drill::simulate::Simulation;
use saldo_drill::{BeaconSource, Chain, Provider};
use serde_json::{Value, json};

const OWNER: saldo::Address = saldo::Address::repeat_byte(0xa1);

/// A wallet whose only provider is behind a proxy.
struct World {
    simulation: Simulation,
    proxy: Proxy,
    client: Client,
}

/// Sends requests to a proxy as if over a network without latency.
struct Through(Proxy, saldo_drill::simulate::Internet);

impl saldo::Transport for Through {
    fn send(
        &self,
        request: saldo::Request,
    ) -> futures_util::future::BoxFuture<'_, Result<saldo::Response, saldo::TransportError>> {
        Box::pin(async move {
            if request.url.expose().host_str() != Some("proxy.test") {
                return self.1.send(request).await;
            }
            let http_request = HttpRequest {
                method: "POST".to_owned(),
                path: "/".to_owned(),
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: request.body.clone(),
                ..HttpRequest::default()
            };
            match self.0.relay(http_request).await {
                Reaction::Reply(Reply { status, headers, body, .. }) => {
                    Ok(saldo::Response { status, headers, body })
                }
                Reaction::Hang => Err(saldo::TransportError::Timeout { after: request.timeout }),
                _ => Err(saldo::TransportError::Connect),
            }
        })
    }
}

impl World {
    fn new() -> Self {
        let chain = Chain::builder(5)
            .accounts([(OWNER, U256::from(15)), (saldo::Address::repeat_byte(0xb0), U256::from(7))])
            .build();
        let simulation = Simulation::new(5, &chain);
        let internet = simulation.internet();
        internet.register("https://real.test", Provider::honest(&chain));
        internet.register("https://beacon.test", BeaconSource::honest(&chain));
        let upstream = Endpoint::new("https://real.test/v1/KEY").unwrap();
        let proxy = Proxy::new(upstream, Arc::new(internet.clone()), Role::Provider);
        let client = Client::builder(chain.network())
            .checkpoint(chain.checkpoint())
            .policy(Policy::signed())
            .transport(Through(proxy.clone(), internet))
            .clock(simulation.clock())
            .rpc("proxy=https://proxy.test")
            .beacon("beacon=https://beacon.test")
            .build()
            .unwrap();
        Self { simulation, proxy, client }
    }

    fn set_faults(&self, faults: &str) {
        let file = format!(
            "title = \"t\"\nlasts = \"1m\"\nlooks_every = \"1m\"\nnaive = \"wrong\"\n[[event]]\nat = \"0s\"\n\
             who = \"anna\"\nfaults = [{faults}]\n"
        );
        let scenario = Scenario::from_toml(&file).unwrap();
        assert_eq!(beyond_a_proxy(&scenario), Vec::<String>::new());
        scenario.events.iter().for_each(|event| self.proxy.apply(0, event));
    }

    /// Reads one slot later.
    fn read(&self) -> Reading {
        self.simulation.pass(Duration::from_secs(12));
        self.simulation.run(self.client.balance(OWNER))
    }

    fn call(&self, body: &Value) -> Value {
        let request = HttpRequest {
            method: "POST".into(),
            path: "/".into(),
            body: body.to_string().into(),
            ..HttpRequest::default()
        };
        let Reaction::Reply(reply) = self.simulation.run(self.proxy.relay(request)) else {
            panic!("no reply")
        };
        serde_json::from_slice(&reply.body).unwrap()
    }
}

fn balance() -> Value {
    json!({ "jsonrpc": "2.0", "id": 7, "method": "eth_getBalance", "params": [OWNER, "latest"] })
}

#[test]
fn without_a_fault_nothing_is_changed() {
    let world = World::new();
    assert_eq!(world.read().proven().map(|proven| proven.amount().base_units()), Some(U256::from(15)));
    assert_eq!(world.call(&balance()), json!({ "jsonrpc": "2.0", "id": 7, "result": "0xf" }));
}

#[test]
fn each_fault_reaches_the_client_and_is_refused() {
    for (faults, outcome) in [
        ("{ truncated_proof = { nodes = 1 } }", "proof_refused"),
        ("\"zero_balance\", { truncated_proof = { nodes = 0 } }", "proof_refused"),
        ("\"other_accounts_proof\", \"zero_balance\"", "proof_refused"),
        ("{ invented_trie = { balance = \"0\" } }", "proof_refused"),
        ("\"extra_nodes\"", "proof_refused"),
        ("{ flipped_byte = { node = 0, byte = 5 } }", "proof_refused"),
        ("\"no_proofs\"", "not_served"),
        ("\"null_result\"", "no_result"),
        ("{ result = \"0x0\" }", "malformed"),
        ("{ error = { code = -32603, message = \"x\" } }", "rpc_error"),
        ("\"wrong_id\"", "malformed"),
        ("{ status = 503 }", "http"),
        ("{ rate_limited = { retry_after = \"9\" } }", "rate_limited"),
        ("\"quota_exhausted\"", "quota_exhausted"),
        ("\"html\"", "web_page"),
        ("\"truncated\"", "malformed"),
        ("\"hang\"", "timeout"),
        ("\"refuse\"", "connect"),
    ] {
        let world = World::new();
        assert!(world.read().proven().is_some(), "{faults}");
        world.set_faults(faults);
        let reading = world.read();
        assert!(reading.proven().is_none(), "{faults}: {reading:?}");
        assert_eq!(
            reading.latest_proven().map(|last| last.amount().base_units()),
            Some(U256::from(15)),
            "{faults}"
        );
        let outcomes: Vec<&str> = reading
            .attempts()
            .iter()
            .filter(|attempt| attempt.provider.as_str() == "proxy")
            .map(|attempt| attempt.outcome.code())
            .collect();
        assert!(outcomes.contains(&outcome), "{faults}: {outcomes:?}");
        world.set_faults("");
        // After `quota_exhausted` the provider is not asked again until the quota is renewed.
        let backs_off = outcome == "quota_exhausted";
        assert!(backs_off || world.read().proven().is_some(), "{faults}: well again");
    }
}

#[test]
fn a_naive_wallet_believes_the_faults() {
    let world = World::new();
    world.set_faults("\"zero_balance\"");
    assert_eq!(world.call(&balance())["result"], "0x0");
    // In a batch each call has its own fault, and calls without a fault are unchanged.
    let chain = json!({ "jsonrpc": "2.0", "id": 8, "method": "eth_chainId", "params": [] });
    let answers = world.call(&json!([chain, balance()]));
    assert_eq!((&answers[0]["result"], &answers[1]["result"]), (&json!("0x7a69"), &json!("0x0")));
}

#[test]
fn faults_that_need_a_chain_are_named() {
    let impossible: Vec<&str> = built_in()
        .iter()
        .filter(|(_, scenario)| !beyond_a_proxy(scenario).is_empty())
        .map(|(name, _)| *name)
        .collect();
    for name in ["split-brain", "stale-node", "wrong-chain", "forged-signature", "tip-only"] {
        assert!(impossible.contains(&name), "{name}");
    }
    for name in ["cloud-region-down", "false-zero", "truncated-proof", "invented-trie", "captive-portal"] {
        assert!(!impossible.contains(&name), "{name}");
    }
}

#[test]
fn a_proxy_that_refuses_connections_reports_it() {
    let world = World::new();
    assert!(!Relay::refuses(&world.proxy));
    world.set_faults("\"refuse\"");
    assert!(Relay::refuses(&world.proxy));
}

#[test]
fn the_url_behind_a_proxy_is_not_shown() {
    let world = World::new();
    let shown = format!("{:?}", world.proxy);
    assert!(shown.contains("real.test") && !shown.contains("KEY"), "{shown}");
}

/// A beacon source behind a proxy receives the same routes.
#[test]
fn a_beacon_source_works_behind_a_proxy() {
    let chain = Chain::new(6);
    let simulation = Simulation::new(6, &chain);
    simulation.internet().register("https://real.test", BeaconSource::honest(&chain));
    let upstream = Endpoint::new("https://real.test/KEY").unwrap();
    let proxy = Proxy::new(upstream, Arc::new(simulation.internet()), Role::Beacon);
    let http_request = HttpRequest {
        method: "GET".into(),
        path: "/eth/v1/beacon/light_client/updates".into(),
        query: vec![("start_period".into(), "0".into()), ("count".into(), "1".into())],
        headers: vec![("accept".into(), "application/json".into())],
        ..HttpRequest::default()
    };
    let Reaction::Reply(reply) = simulation.run(proxy.relay(http_request.clone())) else {
        panic!("no reply")
    };
    let Reaction::Reply(direct) = BeaconSource::honest(&chain).answer(&http_request) else {
        panic!("no reply")
    };
    assert_eq!((reply.status, reply.body), (200, direct.body));
}

/// A server that sets a cookie, permits all web pages, and counts what reaches it.
struct Chatty(std::sync::Mutex<Vec<HttpRequest>>);

impl saldo::Transport for Chatty {
    fn send(
        &self,
        request: saldo::Request,
    ) -> futures_util::future::BoxFuture<'_, Result<saldo::Response, saldo::TransportError>> {
        let headers =
            request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let url = request.url.expose();
        let query = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        let (path, body) = (url.path().to_owned(), request.body);
        self.0.lock().unwrap().push(HttpRequest { path, query, headers, body, ..HttpRequest::default() });
        let sent = [
            ("Content-Type", "application/json"),
            ("Set-Cookie", "session=SECRET"),
            ("Access-Control-Allow-Origin", "*"),
            ("Location", "https://user:SECRET@elsewhere.test"),
            ("Server", "SECRET"),
            ("Retry-After", "7"),
            ("Eth-Consensus-Version", "fulu"),
        ];
        let headers = sent.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let body = br#"{"jsonrpc":"2.0","id":1,"result":"0x1"}"#.to_vec();
        Box::pin(std::future::ready(Ok(saldo::Response { status: 200, headers, body })))
    }
}

/// What a proxy before `upstream` answers to a request with secrets in its headers.
fn ask(upstream: &Arc<Chatty>, role: Role, method: &str, target: &str, body: &str) -> Reply {
    use futures_util::FutureExt;
    let endpoint = Endpoint::new("https://node.test/KEY").unwrap();
    let proxy = Proxy::new(endpoint, Arc::<Chatty>::clone(upstream), role);
    let headers = [("cookie", "SECRET"), ("authorization", "SECRET"), ("origin", "x"), ("accept", "*/*")];
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = HttpRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        body: body.as_bytes().to_vec(),
    };
    match proxy.relay(request).now_or_never() {
        Some(Reaction::Reply(reply)) => reply,
        other => panic!("{other:?}"),
    }
}

const CALL: &str = r#"{"id":1,"method":"eth_chainId"}"#;

/// Neither cookies nor other secrets pass, in either direction.
#[test]
fn a_proxy_passes_only_what_a_wallet_needs() {
    let upstream = Arc::new(Chatty(std::sync::Mutex::default()));
    let root = format!("/eth/v1/beacon/light_client/bootstrap/0x{}", "ab".repeat(32));
    let updates = "/eth/v1/beacon/light_client/updates?start_period=3&count=2&token=SECRET";
    for (role, method, target, body) in [
        (Role::Provider, "POST", "/", CALL),
        (Role::Provider, "POST", "/", &format!("[{CALL},{CALL}]")),
        (Role::Beacon, "GET", "/eth/v1/beacon/light_client/finality_update", ""),
        (Role::Beacon, "GET", "/eth/v1/beacon/headers/finalized", ""),
        (Role::Beacon, "GET", "/eth/v1/beacon/blocks/8192/root", ""),
        (Role::Beacon, "GET", "/eth/v1/config/spec", ""),
        (Role::Beacon, "GET", &root, ""),
        (Role::Beacon, "GET", updates, ""),
    ] {
        let reply = ask(&upstream, role, method, target, body);
        let mut names: Vec<&str> = reply.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let expected = vec!["content-type", "date", "eth-consensus-version", "retry-after"];
        assert_eq!((reply.status, names), (200, expected), "{target}");
        let request = upstream.0.lock().unwrap().pop().unwrap();
        let is_clean = !format!("{request:?}").contains("SECRET") && request.header("origin").is_empty();
        assert!(is_clean, "{request:?}");
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        assert_eq!(request.path, format!("/KEY{}", if path == "/" { "" } else { path }));
        assert_eq!(request.query.len(), if target == updates { 2 } else { 0 }, "{request:?}");
    }
}

#[test]
fn a_proxy_refuses_other_methods_and_paths_and_says_what_passes() {
    let upstream = Arc::new(Chatty(std::sync::Mutex::default()));
    let provider = [
        ("GET", "/", "", 405),
        ("PUT", "/", CALL, 405),
        ("DELETE", "/", "", 405),
        ("OPTIONS", "/", "", 405),
        ("POST", "/admin", CALL, 404),
        ("POST", "//", CALL, 404),
        ("POST", "/../admin", CALL, 404),
        ("POST", "/eth/v1/beacon/genesis", CALL, 404),
        ("GET", "/metrics", "", 404),
        ("POST", "/", "", 400),
        ("POST", "/", "query=1", 400),
        ("POST", "/", "[]", 400),
        ("POST", "/", r#"{"query":"{ block { hash } }"}"#, 400),
    ];
    let beacon = [
        ("POST", "/eth/v1/beacon/genesis", "{}", 405),
        ("PUT", "/eth/v1/beacon/light_client/updates", "", 405),
        ("DELETE", "/eth/v1/beacon/genesis", "", 405),
        ("HEAD", "/eth/v1/node/health", "", 405),
        ("GET", "/", "", 404),
        ("POST", "/", CALL, 404),
        ("GET", "/eth/v1/keystores", "", 404),
        ("GET", "/eth/v1/node/peers", "", 404),
        ("GET", "/eth/v1/beacon/states/head/validators", "", 404),
        ("POST", "/eth/v1/beacon/pool/voluntary_exits", "{}", 404),
        ("GET", "/eth/v1/keystores/eth/v1/beacon/genesis", "", 404),
        ("GET", "/eth/v1/beacon/headers/..", "", 404),
        ("GET", "/eth/v1/beacon/headers/%2e%2e", "", 404),
        ("GET", "/eth/v1/beacon/headers/head%2f..%2f..", "", 404),
        ("GET", "/eth/v1/beacon/headers/../../../keystores", "", 404),
        ("GET", "/eth/v1/beacon/blocks/../root", "", 404),
        ("GET", "/eth/v1/beacon/headers/", "", 404),
        ("GET", "/eth/v1/beacon/genesis/", "", 404),
        ("GET", "//eth/v1/beacon/genesis", "", 404),
        ("GET", "/../eth/v1/beacon/genesis", "", 404),
    ];
    let of = |role, rows: &[(&'static str, &'static str, &'static str, u16)]| {
        rows.iter().map(|row| (role, *row)).collect::<Vec<_>>()
    };
    for (role, (method, path, body, status)) in
        [of(Role::Provider, &provider), of(Role::Beacon, &beacon)].concat()
    {
        let reply = ask(&upstream, role, method, path, body);
        assert_eq!(reply.status, status, "{role:?} {method} {path} {body}");
        let said: Value = serde_json::from_slice(&reply.body).unwrap();
        let passes = if role == Role::Provider { "JSON-RPC, by POST to `/`" } else { "GET of /eth/v1/" };
        assert!(said["code"] == status && said["message"].as_str().unwrap().contains(passes), "{said}");
        assert_eq!(reply.headers.iter().any(|(name, _)| name == "allow"), status == 405, "{reply:?}");
        assert!(upstream.0.lock().unwrap().is_empty(), "{method} {path} reaches the server");
    }
}
