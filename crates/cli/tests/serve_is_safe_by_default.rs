//! `saldo serve` answers programs of this machine only, holds little for anybody, says no secret, and ends in good order.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use saldo_drill::Fault;
use serde_json::json;

use testbed::served::{Served, read_reply, serve_at};
use testbed::{ALICE, Services, run};

const BODY: &str = r#"{"jsonrpc":"2.0","id":1,"method":"eth_accounts"}"#;

#[test]
fn web_pages_and_other_names_are_refused() {
    let services = Services::new(1, 1);
    let served = Served::new(&services, &["--allow-host", "saldo.example"]);
    let ask = |host: &str, more: &str| {
        let head =
            format!("POST / HTTP/1.1\nhost: {host}\nconnection: close\ncontent-type: application/json{more}");
        served.raw(&head, BODY.as_bytes())
    };
    for host in ["localhost", "127.0.0.1", "[::1]:8545", "saldo.example:443"] {
        assert_eq!(ask(host, "").status, 200, "{host}");
    }
    for host in ["evil.example", "127.0.0.1.evil.example", "192.168.1.1", ""] {
        let reply = ask(host, "");
        assert_eq!(reply.status, 403, "{host}: {reply:?}");
        assert!(!reply.body.contains("result"), "{reply:?}");
    }
    for origin in ["https://evil.example", "http://localhost:3000", "null"] {
        let reply = ask("localhost", &format!("\norigin: {origin}"));
        assert_eq!((reply.status, reply.header("access-control-allow-origin")), (403, None), "{origin}");
    }
    // Without a `Host`, as HTTP/1.0 allows, and a page's question whether it may ask.
    let head = "POST / HTTP/1.0\ncontent-type: application/json";
    assert_eq!(served.raw(head, BODY.as_bytes()).status, 403);
    let preflight = "OPTIONS / HTTP/1.1\nhost: localhost\norigin: https://evil.example\nconnection: close\naccess-control-request-method: POST";
    assert_eq!(served.raw(preflight, b"").status, 403);
}

#[test]
fn a_page_that_is_named_may_ask() {
    let services = Services::new(1, 1);
    let served = Served::new(&services, &["--allow-origin", "https://app.example"]);
    let origin = "\norigin: https://app.example";
    let reply = served.post_with("/", origin, BODY);
    assert_eq!(
        (reply.status, reply.header("access-control-allow-origin")),
        (200, Some("https://app.example"))
    );
    assert_eq!(reply.header("vary"), Some("origin"));
    let head = format!(
        "OPTIONS / HTTP/1.1\nhost: localhost\nconnection: close\naccess-control-request-method: POST{origin}"
    );
    let preflight = served.raw(&head, b"");
    assert_eq!((preflight.status, preflight.header("access-control-allow-methods")), (204, Some("post")));
    assert_eq!(served.post_with("/", "\norigin: https://app.example.evil", BODY).status, 403);
}

#[test]
fn other_machines_need_a_name() {
    let services = Services::new(1, 1);
    let refused = run(&mut serve_at("0.0.0.0:0", &services, &[]));
    assert_eq!(refused.status, 2, "{refused:?}");
    assert_eq!(refused.only()["error"]["code"], "open_to_others");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = run(&mut serve_at(&address, &services, &[]));
    assert_eq!((refused.status, &refused.only()["error"]["code"]), (1, &json!("listen")), "{refused:?}");
}

#[test]
fn bodies_and_connections_are_limited() {
    let services = Services::new(1, 1);
    let served = Served::new(&services, &["--connections", "3"]);
    assert_eq!(served.post(&" ".repeat((1 << 20) + 1)).status, 413);
    assert_eq!(served.post(&format!("{}{BODY}", " ".repeat(1 << 19))).status, 200);
    // A body that names no length is limited all the same.
    let mut stream = TcpStream::connect(served.address).unwrap();
    stream
        .write_all(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n")
        .unwrap();
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
    for _ in 0..17 {
        if stream.write_all(&chunk).is_err() {
            break;
        }
    }
    let reply = read_reply(&mut stream);
    assert!(matches!(reply.status, 413 | 0), "{reply:?}");
    drop(stream);
    std::thread::sleep(Duration::from_millis(200));

    let held: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(served.address).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(200));
    let mut refused = TcpStream::connect(served.address).unwrap();
    refused.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let closed = refused.read(&mut [0]);
    assert!(!matches!(closed, Ok(1..)), "{closed:?}");
    drop(held);
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(served.post(BODY).status, 200, "afterwards there is room again");
}

#[test]
fn slow_callers_are_cut_off() {
    let services = Services::new(1, 1);
    let served = Served::new(&services, &[]);
    let head =
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n";
    // Nothing at all, half a head, and half a body.
    let slow: Vec<TcpStream> = ["", "POST / HT", head]
        .into_iter()
        .map(|sent| {
            let mut stream = TcpStream::connect(served.address).unwrap();
            stream.write_all(sent.as_bytes()).unwrap();
            stream
        })
        .collect();
    let started = Instant::now();
    for mut stream in slow {
        stream.set_read_timeout(Some(Duration::from_secs(25))).unwrap();
        let mut rest = String::new();
        stream.read_to_string(&mut rest).unwrap();
        assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 408"), "{rest}");
    }
    assert!(started.elapsed() < Duration::from_secs(25), "{:?}", started.elapsed());
}

#[test]
fn what_is_in_progress_ends_in_good_order() {
    let services = Services::new(1, 1);
    let served = Served::new(&services, &["--timeout", "8s"]);
    served.result("eth_blockNumber", &json!([]));
    let mut idle = TcpStream::connect(served.address).unwrap();
    services.providers[0].set_latency(Duration::from_secs(2));
    let mut asking = TcpStream::connect(served.address).unwrap();
    let body = json!({ "jsonrpc": "2.0", "id": 7, "method": "eth_getBalance", "params": [ALICE, "latest"] });
    let body = body.to_string();
    write!(
        asking,
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    std::thread::sleep(Duration::from_millis(500));
    served.terminate();
    let reply = read_reply(&mut asking);
    assert_eq!((reply.status, &reply.json()["id"]), (200, &json!(7)), "{reply:?}");
    assert_eq!(idle.read(&mut [0]).unwrap_or(0), 0, "an idle connection is closed");
    let (status, said) = served.end();
    assert_eq!(status, 0, "{said}");
}

#[test]
fn no_key_is_said() {
    let services = Services::new(1, 1);
    let key = "0123456789abcdef-secret";
    let mut command =
        testbed::saldo(&["serve", "--json", "--verbose", "--listen", "127.0.0.1:0", "--network"]);
    command.arg(testbed::network_file(&testbed::test_chain().network().to_toml()));
    let url = services.rpc_urls()[0].split_once('=').unwrap().1.to_owned();
    command.args(["--rpc-url", &format!("{url}/v3/{key}"), "--timeout", "2s", "--pass-through"]);
    command.arg(format!("other={url}/v3/{key}"));
    for url in services.beacon_urls() {
        command.args(["--beacon-url", &format!("{}/{key}", url.split_once('=').unwrap().1)]);
    }
    let served = Served::start(&mut command, 1);
    services.providers[0].set(Fault::Error { code: -32_000, message: format!("the key {key} is wrong") });
    let mut said = String::new();
    for (method, params) in [
        ("eth_getBalance", json!([ALICE, "latest"])),
        ("eth_gasPrice", json!([])),
        ("saldo_health", json!([])),
        ("saldo_reading", json!([ALICE])),
    ] {
        said.push_str(&served.call(method, &params).to_string());
    }
    served.terminate();
    let (_, logged) = served.end();
    let address = ALICE.to_string().to_lowercase();
    assert!(!said.contains(key) && !logged.contains(key), "{said} {logged}");
    assert!(!logged.to_lowercase().contains(&address), "{logged}");
}

/// The system lets the process have few files and connections. Callers that are idle do not take those to the providers.
#[cfg(unix)]
#[test]
fn idle_callers_leave_room_for_providers() {
    let services = Services::new(2, 1);
    let command = testbed::served::serve(&services, &[]);
    let mut limited = std::process::Command::new("sh");
    limited
        .args(["-c", "ulimit -n 200 && exec \"$@\"", "sh"])
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let served = Served::start(&mut limited, 1);
    let idle: Vec<TcpStream> = (0..71).map(|_| TcpStream::connect(served.address).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(300));
    let wei = served.result("eth_getBalance", &json!([testbed::ALICE, "latest"]));
    assert_eq!(wei, format!("{:#x}", testbed::ALICE_WEI.parse::<alloy_primitives::U256>().unwrap()));
    // There is room for 72. Further ones are closed at once.
    let one_more = TcpStream::connect(served.address).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let mut refused = TcpStream::connect(served.address).unwrap();
    refused.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    assert_eq!(refused.read(&mut [0; 1]).unwrap_or(0), 0, "it is closed");
    drop((idle, one_more));
}
