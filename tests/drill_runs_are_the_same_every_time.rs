//! The drill in memory: faults become the errors of a real transport, time is virtual, and a seed replays a run.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use saldo_drill::simulate::{Exchange, Simulation};
use saldo_drill::{Chain, Fault, Provider};
use saldo_source::{Clock, Endpoint, Method, Request, Response, Transport, TransportError};

const TIMEOUT: Duration = Duration::from_secs(4);

fn block_number(host: &str) -> Request {
    Request {
        method: Method::Post,
        url: Endpoint::new(host).unwrap().url().clone(),
        headers: vec![("content-type", "application/json".into())],
        body: br#"{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}"#.to_vec(),
        timeout: TIMEOUT,
        max_bytes: 100_000,
    }
}

/// The outcome of a request to a provider with `fault`, and the time it takes.
fn outcome(fault: Fault) -> (Result<Response, TransportError>, Duration) {
    let chain = Chain::new(1);
    let simulation = Simulation::new(1, &chain);
    let internet = simulation.internet();
    internet.register("http://mallory.test", Provider::honest(&chain).with(fault));
    let result = simulation.run(internet.send(block_number("http://mallory.test")));
    (result, simulation.clock().monotonic())
}

#[test]
fn faults_of_the_connection_are_transport_errors() {
    let late = TransportError::Timeout { after: TIMEOUT };
    let cases = [
        (Fault::Refuse, TransportError::Connect),
        (Fault::Unresolvable, TransportError::Dns),
        (Fault::BadCertificate, TransportError::Tls),
        (Fault::Hang, late),
        (Fault::Trickle { bytes_per_second: 1 }, late),
        (Fault::Reset { after: 3 }, TransportError::Broken),
        (Fault::Redirect("http://elsewhere.test/".into()), TransportError::Redirect { status: 302 }),
        (Fault::Huge { bytes: 200_000 }, TransportError::TooLarge { limit: 100_000 }),
        (Fault::GzipBomb { bytes: 1 << 24 }, TransportError::TooLarge { limit: 100_000 }),
    ];
    for (fault, expected) in cases {
        let name = format!("{fault:?}");
        let (result, took) = outcome(fault);
        assert_eq!(result.unwrap_err(), expected, "{name}");
        assert_eq!(took == TIMEOUT, expected == late, "{name}: {took:?}");
    }
}

#[test]
fn other_faults_are_answers() {
    let answer = |fault| outcome(fault).0.unwrap();
    assert_eq!(answer(Fault::Status(500)).status, 500);
    let limited = answer(Fault::RateLimited { retry_after: Some("7".into()) });
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("7")));
    assert_eq!(answer(Fault::RateLimited { retry_after: None }).header("retry-after"), None);
    assert_eq!(answer(Fault::QuotaExhausted).status, 402);
    assert_eq!(answer(Fault::Forbidden).status, 403);
    let page = answer(Fault::Html);
    assert_eq!(page.status, 200);
    assert!(page.body.starts_with(b"<!DOCTYPE html>"));
    assert_eq!(answer(Fault::Body("{}".into())).body, b"{}");
    let honest = answer(Fault::AnswerUnderStatus(503));
    assert_eq!(honest.status, 503);
    assert_eq!(answer(Fault::Truncated).body, honest.body[..honest.body.len() / 2]);
    assert_eq!(answer(Fault::Trickle { bytes_per_second: 1000 }).body, honest.body);
}

#[test]
fn the_chain_and_the_clocks_follow_the_virtual_time() {
    let chain = Chain::new(2);
    let simulation = Simulation::new(2, &chain);
    let clock = simulation.clock();
    let (began, before) = (Instant::now(), chain.tip().number);
    simulation.pass(Duration::from_secs(12 * 300));
    assert!(began.elapsed() < Duration::from_secs(600), "an hour passed in real time");
    assert_eq!(chain.tip().number, before + 300);
    assert_eq!(clock.wall(), chain.time());
    clock.set_behind(Duration::from_secs(30));
    assert_eq!(chain.time().saturating_sub(clock.wall()), Duration::from_secs(30));
    clock.set_ahead(Duration::from_secs(300));
    assert_eq!(clock.wall().saturating_sub(chain.time()), Duration::from_secs(300));
    assert_eq!(clock.monotonic(), Duration::from_secs(3600));
}

#[test]
fn the_device_can_be_offline_and_hosts_unknown() {
    let chain = Chain::new(3);
    let simulation = Simulation::new(3, &chain);
    let internet = simulation.internet();
    let send = || simulation.run(internet.send(block_number("http://alice.test")));
    assert_eq!(send().unwrap_err(), TransportError::Dns);
    internet.register("http://alice.test", Provider::honest(&chain));
    internet.set_offline(true);
    assert_eq!(send().unwrap_err(), TransportError::Offline);
    internet.set_offline(false);
    assert_eq!(send().unwrap().status, 200);
}

/// A run with concurrent requests and waits: what arrived when, and the network's log.
fn run(seed: u64) -> (Vec<(Duration, Vec<u8>)>, Vec<Exchange>) {
    let chain = Chain::new(4);
    let simulation = Simulation::new(seed, &chain);
    let internet = simulation.internet();
    let hosts = ["http://alice.test", "http://bob.test", "http://mallory.test"];
    internet.register(hosts[0], Provider::honest(&chain));
    internet.register(hosts[1], Provider::honest(&chain).latency(Duration::from_secs(1)));
    internet.register(hosts[2], Provider::honest(&chain).with(Fault::Hang.times(2)));
    let clock = simulation.clock();
    let seen = simulation.run(async {
        let mut seen = Vec::new();
        for round in 1..5 {
            let requests = hosts.map(|host| {
                let (internet, clock) = (&internet, &clock);
                async move {
                    let answer = internet.send(block_number(host)).await;
                    (clock.monotonic(), answer.map(|answer| answer.body).unwrap_or_default())
                }
            });
            seen.extend(join_all(requests).await);
            clock.sleep(Duration::from_secs(round)).await;
        }
        seen
    });
    (seen, internet.log())
}

#[test]
fn the_same_seed_is_the_same_run() {
    assert_eq!(run(1), run(1));
    assert_eq!(run(1).1.len(), 12);
    assert_ne!(run(1).0, run(2).0, "the seed decides the latency");
}

#[test]
#[should_panic(expected = "waits for something that can never happen")]
fn a_future_that_can_never_end_is_reported() {
    Simulation::new(1, &Chain::new(1)).run(std::future::pending::<()>());
}
