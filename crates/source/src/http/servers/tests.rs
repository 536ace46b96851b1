use super::*;

fn origin(name: &str) -> Origin {
    url::Url::parse(&format!("https://{name}")).unwrap().origin()
}

fn with_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

async fn begin(servers: &Arc<Servers>, name: &str) -> Handshake {
    match servers.begin_handshake(&origin(name), true).await {
        Turn::Connect(handshake) => handshake,
        Turn::Opened(_) => panic!("nothing was opened early"),
    }
}

/// Whether a second handshake begins at once.
fn begins_at_once(servers: &Arc<Servers>, is_secure: bool) -> bool {
    with_runtime(async {
        timeout(Duration::from_millis(5), servers.begin_handshake(&origin("a"), is_secure)).await.is_ok()
    })
}

#[test]
fn one_handshake_at_a_time_until_the_protocol_is_known() {
    let servers = Arc::new(Servers::default());
    let first = with_runtime(begin(&servers, "a"));
    assert!(!begins_at_once(&servers, true), "it may be HTTP/2");
    assert!(begins_at_once(&servers, false), "plain HTTP is not");
    first.succeed(Protocol::One);
    let _second = with_runtime(begin(&servers, "a"));
    assert!(begins_at_once(&servers, true), "HTTP/1.1 shares no connection");
}

#[test]
fn the_next_one_begins_when_a_handshake_fails() {
    with_runtime(async {
        let servers = Arc::new(Servers::default());
        let first = begin(&servers, "a").await;
        let waiting = Arc::clone(&servers);
        let began = Instant::now();
        let second = tokio::spawn(async move { begin(&waiting, "a").await });
        tokio::task::yield_now().await;
        drop(first);
        let _second = second.await.unwrap();
        assert!(began.elapsed() < LONGEST_WAIT);
    });
}

#[test]
fn a_lost_handshake_is_not_waited_for_longer_than_a_second() {
    let servers = Arc::new(Servers::default());
    let _lost = with_runtime(begin(&servers, "a"));
    let began = Instant::now();
    let _second = with_runtime(begin(&servers, "a"));
    assert!(began.elapsed() >= LONGEST_WAIT);
}

/// On a slow link each handshake takes longer than a second.
#[test]
fn few_handshakes_begin_while_none_has_ended() {
    let servers = Arc::new(Servers::default());
    let began = Instant::now();
    let handshakes: Vec<Handshake> = (0..3).map(|_| with_runtime(begin(&servers, "a"))).collect();
    // Each waits for itself: nothing, a second, two seconds.
    assert!(began.elapsed() >= LONGEST_WAIT * 3);
    assert!(!begins_at_once(&servers, true));
    drop(handshakes);
    assert!(begins_at_once(&servers, true));
}

#[test]
fn a_drained_connection_is_waited_for_unless_it_is_lost() {
    let servers = Arc::new(Servers::default());
    let drain = servers.begin_drain(&origin("a")).unwrap();
    assert!(!begins_at_once(&servers, false));
    drop(drain);
    assert!(begins_at_once(&servers, false));
}

#[test]
fn few_answers_are_drained_and_few_servers_remembered() {
    let servers = Arc::new(Servers::default());
    let drains: Vec<Drain> =
        (0..MOST_DRAINS).filter_map(|n| servers.begin_drain(&origin(&format!("h{n}")))).collect();
    assert_eq!(drains.len(), MOST_DRAINS);
    assert!(servers.begin_drain(&origin("a")).is_none());
    for number in 0..2_000 {
        drop(with_runtime(begin(&servers, &format!("h{number}"))));
    }
    assert!(servers.known().len() <= MOST_SERVERS);
    drop(drains);
    assert!(servers.begin_drain(&origin("a")).is_some());
}

#[test]
fn a_connection_is_opened_early_only_where_none_is_expected() {
    let servers = Arc::new(Servers::default());
    let kept = Duration::from_secs(55);
    let opening = servers.begin_opening(&origin("a"), kept).unwrap();
    assert!(servers.begin_opening(&origin("a"), kept).is_none(), "one is on its way");
    assert!(!begins_at_once(&servers, false), "the request waits for it");
    servers.keep_opened(&origin("a"), Protocol::One, Box::new("a connection"));
    drop(opening);
    assert!(servers.begin_opening(&origin("a"), kept).is_none(), "one is open");
    let turn = with_runtime(servers.begin_handshake(&origin("a"), true));
    assert!(matches!(turn, Turn::Opened(connection) if connection.is::<&str>()));
    servers.note_answer(&origin("a"), Protocol::One, Pool::First);
    assert!(servers.begin_opening(&origin("a"), kept).is_none(), "the pool has it");
    assert!(servers.begin_opening(&origin("a"), Duration::ZERO).is_some(), "the pool has closed it");
}

/// While the first connection is opened, no further pool is used: its connection would be open no sooner.
#[test]
fn a_first_connection_that_takes_long_is_not_in_doubt() {
    let servers = Arc::new(Servers::default());
    servers.note_sent(&origin("a"));
    let first = with_runtime(begin(&servers, "a"));
    std::thread::sleep(Duration::from_millis(1_100));
    assert_eq!(servers.pool(&origin("a")), (Pool::First, false));
    first.succeed(Protocol::Two);
    assert_eq!(servers.pool(&origin("a")), (Pool::Second, true), "the connection is open, and silent");
}
