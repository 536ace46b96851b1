//! The caller's thread is often the thread of the screen. No exported future computes there.

mod common;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use common::{Scene, wait};
use saldo_ffi::{Holding, Reading, SaldoClient};

/// The most CPU time that one poll may take on the caller's thread.
const MOST: Duration = Duration::from_millis(2);

/// The CPU time of this thread so far. Another process that has the core in between does not count.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().expect("seconds"), time.tv_nsec.try_into().expect("nanoseconds"))
}

struct Nothing;

impl Wake for Nothing {
    fn wake(self: Arc<Self>) {}
}

type Call<'a> = Pin<Box<dyn Future<Output = usize> + 'a>>;

/// Every exported call, as a future that says how many things it gave.
fn calls<'a>(client: &'a SaldoClient, scene: &Scene) -> Vec<Call<'a>> {
    let many: Vec<Holding> = (0..100_u8)
        .map(|number| Holding { owner: format!("0x{number:040x}"), ..scene.holding.clone() })
        .collect();
    let (owner, one) = (scene.holding.owner.clone(), scene.holding.clone());
    vec![
        Box::pin(async move { usize::from(matches!(client.balance(owner).await, Reading::Proven { .. })) }),
        Box::pin({
            let many = many.clone();
            async move { client.read(many).await.len() }
        }),
        Box::pin({
            let many = many.clone();
            async move { client.finalized(many).await.len() }
        }),
        Box::pin(async move { client.totals(many).await.len() }),
        Box::pin(async move { usize::from(client.last(one).await.is_some()) }),
        Box::pin(async move { client.health().await.endpoints.len() }),
        Box::pin(async move { client.diversity().await.len() }),
        Box::pin(async move { client.evidence().await.len() }),
        Box::pin(async move { client.storage_faults().await.len() }),
        Box::pin(async move { client.refresh(3_000).await.len() }),
    ]
}

/// Polls all calls every 5 ms, as a screen that draws would, and returns the longest CPU time of one tick.
fn tick(mut calls: Vec<Call<'_>>) -> (Duration, usize) {
    let waker = Waker::from(Arc::new(Nothing));
    let (mut longest, mut given, mut ticks) = (Duration::ZERO, 0, 0);
    let end = Instant::now() + Duration::from_secs(60);
    while !calls.is_empty() {
        assert!(Instant::now() < end, "{} calls do not end", calls.len());
        calls.retain_mut(|call| {
            let before = cpu_time();
            let polled = call.as_mut().poll(&mut Context::from_waker(&waker));
            longest = longest.max(cpu_time() - before);
            match polled {
                Poll::Ready(number) => given += number,
                Poll::Pending => return true,
            }
            false
        });
        ticks += 1;
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(ticks > 2, "the calls were never pending");
    (longest, given)
}

#[test]
fn a_ticker_is_never_blocked() {
    let scene = Scene::new("slot = \"1s\"");
    // The first reads check signatures and proofs of 100 holdings; the second client reads its storage.
    for _ in 0..2 {
        let before = cpu_time();
        let client = scene.client();
        let building = cpu_time() - before;
        let (longest, given) = tick(calls(&client, &scene));
        println!("a poll takes {longest:?} of CPU time at most, making a client {building:?}");
        assert!(given >= 200, "the calls gave {given}");
        assert!(longest < MOST, "a poll took {longest:?}");
        wait(client.shutdown());
    }
}

#[test]
fn two_hundred_reads_at_once_are_answered() {
    let scene = Scene::new("");
    let client = scene.client();
    scene.proven(&client);
    let reads = (0..200).map(|number: u32| {
        let owner = if number.is_multiple_of(2) { &scene.holding.owner } else { &scene.unused.owner };
        client.balance(owner.clone())
    });
    let readings = wait(futures_util::future::join_all(reads));
    assert_eq!(readings.len(), 200);
    for (number, reading) in readings.iter().enumerate() {
        let Reading::Proven { proven } = reading else { panic!("{number}: {reading:?}") };
        let expected = if number % 2 == 0 { "1500000000000000000" } else { "0" };
        assert_eq!(proven.amount.as_str(), expected);
    }
}
