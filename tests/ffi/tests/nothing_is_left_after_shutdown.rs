//! After `shutdown` no thread of the client is left. In a file of its own: it counts the threads of the process.

mod common;

use std::time::{Duration, Instant};

use common::{Scene, wait, why};

/// The client's threads: they have its name.
fn threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
    let name =
        |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
    tasks.filter_map(Result::ok).map(name).filter(|name| name.trim() == "saldo").count()
}

/// Waits until so many threads are there: a new one has its name a moment later.
fn until(number: usize) {
    within(Duration::from_secs(60), number);
}

fn within(time: Duration, number: usize) {
    let end = Instant::now() + time;
    while threads() != number {
        assert!(Instant::now() < end, "{} threads are there", threads());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn no_thread_is_left() {
    let scene = Scene::new("");
    assert_eq!(threads(), 0);

    // With reads, a watch and hanging requests under way: all end at once.
    scene.http.set("hangs");
    let client = scene.client();
    until(1);
    let watch = client.watch(vec![scene.holding.clone()]);
    let began = Instant::now();
    std::thread::scope(|scope| {
        let reads: Vec<_> =
            (0..10).map(|_| scope.spawn(|| wait(client.balance(scene.holding.owner.clone())))).collect();
        let next = scope.spawn(|| {
            let first = wait(watch.next_all(0));
            assert!(!first.changes.is_empty());
            let mut received = first.number;
            loop {
                let changes = wait(watch.next_all(received));
                if changes.changes.is_empty() {
                    return changes.number;
                }
                received = changes.number;
            }
        });
        std::thread::sleep(Duration::from_millis(300));
        wait(client.shutdown());
        // `shutdown` waits for the thread. Linux still lists a thread for a moment after it can be joined.
        within(Duration::from_millis(500), 0);
        for read in reads {
            assert_eq!(why(&read.join().unwrap()), "closed");
        }
        assert_eq!(next.join().unwrap(), 0);
    });
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let end = Instant::now() + Duration::from_secs(10);
    while scene.http.in_progress() > 0 {
        assert!(Instant::now() < end, "requests are left");
        std::thread::sleep(Duration::from_millis(5));
    }

    // Everything after it is closed, nothing waits, and a second shutdown is allowed.
    wait(client.shutdown());
    assert_eq!(why(&wait(client.balance(scene.holding.owner.clone()))), "closed");
    assert_eq!(why(&wait(client.read_patiently(vec![scene.holding.clone()], 9_000))[0]), "closed");
    assert_eq!(why(&wait(client.finalized(vec![scene.holding.clone()]))[0]), "closed");
    assert!(
        wait(client.refresh(1_000)).is_empty() && wait(client.totals(vec![scene.holding.clone()])).is_empty()
    );
    assert!(wait(client.evidence()).is_empty() && wait(client.diversity()).is_empty());
    assert_eq!((wait(client.now()), wait(client.withdrawn(scene.holding.clone()))), (None, None));
    assert_eq!(wait(client.freshness(1, 0, "signed".to_owned())).code, "unknown");
    assert!(wait(client.health()).is_closed);
    wait(client.forget(scene.holding.clone()));
    client.set_pace(saldo_ffi::Pace::Background);
    client.network_changed(true);
    assert!(wait(client.watch(vec![scene.holding.clone()]).next(0)).changes.is_empty());
    drop((client, watch));

    // Without shutdown: dropping the client and its watches ends the thread too.
    scene.http.set("pass");
    let client = scene.client();
    let watch = client.watch(vec![scene.holding.clone()]);
    scene.proven(&client);
    drop(client);
    assert!(!wait(watch.next_all(0)).changes.is_empty(), "a watch keeps its client");
    assert_eq!(threads(), 1);
    drop(watch);
    until(0);

    // A client that cannot be built leaves none either.
    let mut config = scene.config.clone();
    config.rpc.clear();
    assert!(saldo_ffi::SaldoClient::new(config, scene.http, None, None).is_err());
    until(0);
}
