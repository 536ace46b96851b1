//! What is known of the connections to each server: its protocol, the handshakes in progress, and the connections that are
//! free soon. It decides whether a request waits for such a connection or opens a new one.

mod line;

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::timeout;
use url::Origin;

use self::line::Line;
pub(super) use self::line::{Active, Place};

/// The longest wait for a handshake that another request began with the same server. It may have been lost.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// The shortest wait for a connection that is free soon, where a handshake takes less.
const SHORTEST_WAIT: Duration = Duration::from_millis(20);
/// The time from the end of a handshake until the pool has the connection.
const UNTIL_POOLED: Duration = Duration::from_millis(50);
/// How long a connection that was opened early waits for its request.
const OPENED_FOR: Duration = Duration::from_secs(5);
/// The most servers that are remembered. More are never asked, unless the caller's endpoints change all the time.
const MOST_SERVERS: usize = 256;
/// The most connections of HTTP/1.1 to one server that are used at one time. One more is opened only after [`LONGEST_WAIT`] in
/// which none came free. Browsers have the same number.
const MOST_CONNECTIONS: usize = 6;
/// The most cancelled answers that are read to their end at one time.
const MOST_DRAINS: usize = 8;

/// The protocol of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// HTTP/1.1: one request at a time.
    One,
    /// HTTP/2: many requests at a time.
    Two,
}

/// What is known of one server.
#[derive(Debug, Default)]
struct Server {
    protocol: Option<Protocol>,
    handshakes: usize,
    drains: usize,
    /// The number of handshakes whose connection has no request yet.
    opening: usize,
    /// A connection that has no request yet.
    opened: Option<(Box<dyn Any + Send>, Instant)>,
    /// When the last answer came.
    answered: Option<Instant>,
    /// The duration of the last handshake.
    handshake: Duration,
    /// When the last handshake ended.
    connected: Option<Instant>,
    /// Notified when a handshake has ended, or an answer was not read to its end.
    changed: Arc<Notify>,
    /// The requests in progress, and those of them that have no connection.
    line: Line,
}

/// How long a request waits at most for a connection that another request opened.
enum Wait {
    /// Since it began to wait for a connection.
    ForConnection(Duration),
    /// Since it began to wait for its turn on connections that serve other requests now.
    ForTurn(Duration),
}

impl Server {
    /// How long the request with this ticket waits before it opens a connection; `None` if none is free sooner.
    fn wait(&self, is_secure: bool, ticket: u64) -> Option<Wait> {
        // Plain HTTP is never HTTP/2 here.
        let may_share = cfg!(feature = "http2") && is_secure && self.protocol != Some(Protocol::One);
        if self.opening > 0 || (may_share && self.handshakes > 0) {
            return Some(Wait::ForConnection(LONGEST_WAIT));
        }
        let is_new = |at: Instant| at.elapsed() < UNTIL_POOLED;
        if self.protocol == Some(Protocol::Two) && self.connected.is_some_and(is_new) {
            return Some(Wait::ForConnection(UNTIL_POOLED));
        }
        let handshake = self.handshake.clamp(SHORTEST_WAIT, LONGEST_WAIT);
        let is_one = !is_secure || self.protocol == Some(Protocol::One);
        if is_one && self.line.connections() >= MOST_CONNECTIONS {
            return Some(Wait::ForTurn(LONGEST_WAIT));
        }
        if is_one && is_secure && self.line.is_served_within(handshake, ticket, self.handshakes) {
            // A little longer than expected. The wait costs no more than a second handshake.
            return Some(Wait::ForTurn(handshake.saturating_mul(3) / 2));
        }
        // To wait for as long as a handshake takes costs at most twice the time of the better choice.
        (self.drains > 0).then_some(Wait::ForConnection(handshake))
    }
}

/// What is known of all servers.
#[derive(Debug, Default)]
pub(super) struct Servers {
    known: Mutex<HashMap<Origin, Server>>,
}

impl Servers {
    fn known(&self) -> MutexGuard<'_, HashMap<Origin, Server>> {
        // After a panic a number may be wrong. Every wait has its own limit.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The protocol of the last connection to the server.
    pub(super) fn protocol(&self, origin: &Origin) -> Option<Protocol> {
        self.known().get(origin).and_then(|server| server.protocol)
    }

    /// Begins a request, which has a connection or waits for one.
    pub(super) fn begin_request(self: &Arc<Self>, origin: &Origin) -> Active {
        server_of(&mut self.known(), origin).line.begin();
        Active::new(Arc::clone(self), origin.clone())
    }

    /// Takes note of an answer, and of its protocol.
    pub(super) fn note_answer(&self, origin: &Origin, protocol: Protocol) {
        let mut known = self.known();
        let server = server_of(&mut known, origin);
        server.protocol = Some(protocol);
        server.answered = Some(Instant::now());
    }

    /// Begins a handshake for a request that comes soon; `None` if there is a connection that was used within `kept`, or one
    /// is on its way.
    pub(super) fn begin_opening(self: &Arc<Self>, origin: &Origin, kept: Duration) -> Option<Opening> {
        let mut known = self.known();
        let server = server_of(&mut known, origin);
        let is_kept = server.answered.is_some_and(|at| at.elapsed() < kept);
        let is_coming = server.handshakes > 0 || server.drains > 0 || server.opening > 0;
        let is_open = server.opened.as_ref().is_some_and(|(_, at)| at.elapsed() < OPENED_FOR);
        if is_kept || is_coming || is_open {
            return None;
        }
        server.opening = server.opening.saturating_add(1);
        Some(Opening { servers: Arc::clone(self), origin: origin.clone() })
    }

    /// Keeps a connection that was opened early.
    pub(super) fn keep_opened(&self, origin: &Origin, protocol: Protocol, connection: Box<dyn Any + Send>) {
        let mut known = self.known();
        let server = server_of(&mut known, origin);
        server.protocol = Some(protocol);
        server.opened = Some((connection, Instant::now()));
    }

    /// Closes a connection that was opened early, after its time.
    pub(super) async fn close_opened(&self, origin: &Origin) {
        tokio::time::sleep(OPENED_FOR).await;
        if let Some(server) = self.known().get_mut(origin) {
            server.opened = None;
        }
    }

    /// Waits while another connection to the server may serve the request. Then takes one that was opened early, or begins a
    /// handshake.
    pub(super) async fn begin_handshake(self: &Arc<Self>, origin: &Origin, is_secure: bool) -> Turn {
        let (began, mut queued) = (Instant::now(), None);
        let place = self.take_place(origin);
        loop {
            let (longest, changed) = {
                let mut known = self.known();
                let server = server_of(&mut known, origin);
                if let Some((connection, at)) = server.opened.take()
                    && at.elapsed() < OPENED_FOR
                {
                    server.connected = Some(Instant::now());
                    return Turn::Opened(connection);
                }
                let left = server.wait(is_secure, place.ticket()).map(|wait| match wait {
                    Wait::ForConnection(longest) => longest.saturating_sub(began.elapsed()),
                    Wait::ForTurn(longest) => {
                        longest.saturating_sub(queued.get_or_insert_with(Instant::now).elapsed())
                    }
                });
                match left.filter(|left| !left.is_zero()) {
                    Some(left) => (left, Arc::clone(&server.changed).notified_owned()),
                    None => {
                        server.handshakes = server.handshakes.saturating_add(1);
                        // At once: the next request that looks must not see it in the line.
                        server.line.leave(place.ticket());
                        let (servers, origin) = (Arc::clone(self), origin.clone());
                        let began = Instant::now();
                        return Turn::Connect(Handshake { servers, origin, began, protocol: None });
                    }
                }
            };
            let _ = timeout(longest, changed).await;
        }
    }

    /// Puts a request that has no connection at the end of the line.
    fn take_place(self: &Arc<Self>, origin: &Origin) -> Place {
        let ticket = server_of(&mut self.known(), origin).line.enter();
        Place::new(Arc::clone(self), origin.clone(), ticket)
    }

    /// Begins to read a cancelled answer to its end; `None` if too many are read already.
    pub(super) fn begin_drain(self: &Arc<Self>, origin: &Origin) -> Option<Drain> {
        let mut known = self.known();
        let all = known.values().fold(0_usize, |sum, server| sum.saturating_add(server.drains));
        if all >= MOST_DRAINS {
            return None;
        }
        let server = server_of(&mut known, origin);
        server.drains = server.drains.saturating_add(1);
        Some(Drain { servers: Arc::clone(self), origin: origin.clone(), is_whole: false })
    }
}

fn server_of<'a>(known: &'a mut HashMap<Origin, Server>, origin: &Origin) -> &'a mut Server {
    if known.len() >= MOST_SERVERS && !known.contains_key(origin) {
        known.retain(|_, server| {
            server.handshakes > 0 || server.drains > 0 || server.opening > 0 || server.line.is_used()
        });
    }
    known.entry(origin.clone()).or_default()
}

/// What a request does that has no connection.
#[derive(Debug)]
pub(super) enum Turn {
    /// It takes this connection.
    Opened(Box<dyn Any + Send>),
    /// It opens one.
    Connect(Handshake),
}

/// A handshake without a request. Dropped, it has ended.
#[derive(Debug)]
pub(super) struct Opening {
    servers: Arc<Servers>,
    origin: Origin,
}

impl Drop for Opening {
    fn drop(&mut self) {
        let mut known = self.servers.known();
        let Some(server) = known.get_mut(&self.origin) else { return };
        server.opening = server.opening.saturating_sub(1);
        server.changed.notify_waiters();
    }
}

/// A handshake in progress. Dropped without [`Handshake::succeed`], it has failed.
#[derive(Debug)]
pub(super) struct Handshake {
    servers: Arc<Servers>,
    origin: Origin,
    began: Instant,
    protocol: Option<Protocol>,
}

impl Handshake {
    /// Ends it with a connection of this protocol.
    pub(super) fn succeed(mut self, protocol: Protocol) {
        self.protocol = Some(protocol);
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        let mut known = self.servers.known();
        let Some(server) = known.get_mut(&self.origin) else { return };
        server.handshakes = server.handshakes.saturating_sub(1);
        if self.protocol.is_some() {
            server.protocol = self.protocol;
            server.handshake = self.began.elapsed();
            server.connected = Some(Instant::now());
        }
        server.changed.notify_waiters();
    }
}

/// A cancelled answer that is read to its end. Dropped without [`Drain::succeed`], its connection is lost.
#[derive(Debug)]
pub(super) struct Drain {
    servers: Arc<Servers>,
    origin: Origin,
    is_whole: bool,
}

impl Drain {
    /// Ends it: the pool gets the connection in a moment, and gives it to a request that waits.
    pub(super) fn succeed(mut self) {
        self.is_whole = true;
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        let mut known = self.servers.known();
        let Some(server) = known.get_mut(&self.origin) else { return };
        server.drains = server.drains.saturating_sub(1);
        if !self.is_whole {
            server.changed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
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
        servers.note_answer(&origin("a"), Protocol::One);
        assert!(servers.begin_opening(&origin("a"), kept).is_none(), "the pool has it");
        assert!(servers.begin_opening(&origin("a"), Duration::ZERO).is_some(), "the pool has closed it");
    }
}
