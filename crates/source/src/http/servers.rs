//! What is known of the connections to each server: its protocol, the handshakes in progress, and the connections that are
//! free soon. It decides whether a request waits for such a connection or opens a new one.

mod line;
mod silence;

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::timeout;
use url::Origin;

use self::line::Line;
pub(super) use self::silence::Pool;
use self::silence::Silence;
use super::progress::CONNECT_TIMEOUT;

/// The longest wait for a handshake that another request began with the same server. It may have been lost. With each further
/// handshake in progress it is twice as long: on a slow link all of them take long.
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
    /// The number of those handshakes whose request has another connection meanwhile.
    left: usize,
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
    silence: Silence,
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
            let further = u32::try_from(self.handshakes.saturating_sub(1)).unwrap_or(u32::MAX);
            let times = 1_u32.checked_shl(further).unwrap_or(u32::MAX);
            return Some(Wait::ForConnection(LONGEST_WAIT.saturating_mul(times).min(CONNECT_TIMEOUT)));
        }
        let is_new = |at: Instant| at.elapsed() < UNTIL_POOLED;
        if self.protocol == Some(Protocol::Two) && self.connected.is_some_and(is_new) {
            return Some(Wait::ForConnection(UNTIL_POOLED));
        }
        let handshake = self.handshake.clamp(SHORTEST_WAIT, LONGEST_WAIT);
        let is_one = !is_secure || self.protocol == Some(Protocol::One);
        if is_one && self.line.connections().saturating_add(self.left) >= MOST_CONNECTIONS {
            return Some(Wait::ForTurn(LONGEST_WAIT));
        }
        let connecting = self.handshakes.saturating_sub(self.left);
        if is_one && is_secure && self.line.is_served_within(handshake, ticket, connecting) {
            // A little longer than expected. The wait costs no more than a second handshake.
            return Some(Wait::ForTurn(handshake.saturating_mul(3).checked_div(2).unwrap_or_default()));
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

    /// The pool whose connection a new request uses, and whether that of the other pool is in doubt.
    pub(super) fn pool(&self, origin: &Origin) -> (Pool, bool) {
        let mut known = self.known();
        let server = server_of(&mut known, origin);
        // No connection is silent while the first one is opened.
        let is_first = server.connected.is_none() && server.handshakes > 0;
        let best = server.silence.pool(server.line.answer(), Instant::now());
        if is_first { (Pool::default(), false) } else { best }
    }

    /// A request was sent. Returns its number.
    pub(super) fn note_sent(&self, origin: &Origin) -> u64 {
        server_of(&mut self.known(), origin).silence.begin(Instant::now())
    }

    /// A request has ended without an answer.
    pub(super) fn note_no_answer(&self, origin: &Origin, number: u64) {
        let mut known = self.known();
        let server = server_of(&mut known, origin);
        server.silence.end(number, server.line.answer(), Instant::now());
    }

    /// Takes note of an answer, of its protocol, and of the pool whose connection brought it.
    pub(super) fn note_answer(&self, origin: &Origin, protocol: Protocol, pool: Pool) {
        let mut known = self.known();
        let server = server_of(&mut known, origin);
        server.protocol = Some(protocol);
        server.answered = Some(Instant::now());
        server.silence.hear(pool, Instant::now());
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
                        return Turn::Connect(Handshake {
                            servers,
                            origin,
                            began,
                            protocol: None,
                            is_left: false,
                        });
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
    is_left: bool,
}

impl Handshake {
    /// Its request has another connection. It goes on, so that its connection serves the next request.
    pub(super) fn leave(&mut self) {
        if !std::mem::replace(&mut self.is_left, true)
            && let Some(server) = self.servers.known().get_mut(&self.origin)
        {
            server.left = server.left.saturating_add(1);
        }
    }

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
        server.left = server.left.saturating_sub(usize::from(self.is_left));
        if self.protocol.is_some() {
            server.protocol = self.protocol;
            server.handshake = self.began.elapsed();
            server.connected = Some(Instant::now());
        }
        server.changed.notify_waiters();
    }
}

/// A request in progress. Dropped without [`Active::succeed`], its connection is lost.
#[derive(Debug)]
pub(super) struct Active {
    servers: Arc<Servers>,
    origin: Origin,
    /// Whether its connection serves the next request.
    is_kept: bool,
}

impl Active {
    fn new(servers: Arc<Servers>, origin: Origin) -> Self {
        Self { servers, origin, is_kept: false }
    }

    /// Ends it with a whole answer, which came on a connection that the request had since `sent`, and which the server closes now
    /// unless it is kept.
    pub(super) fn succeed(mut self, sent: Instant, is_kept: bool) {
        self.is_kept = is_kept;
        if let Some(server) = self.servers.known().get_mut(&self.origin) {
            server.line.note_answer(sent.elapsed());
        }
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        let mut known = self.servers.known();
        let Some(server) = known.get_mut(&self.origin) else { return };
        server.line.end();
        // The pool gives a connection that is kept to the next request.
        if !self.is_kept {
            server.changed.notify_waiters();
        }
    }
}

/// The place in the line of a request that has no connection.
#[derive(Debug)]
struct Place {
    servers: Arc<Servers>,
    origin: Origin,
    ticket: u64,
}

impl Place {
    fn new(servers: Arc<Servers>, origin: Origin, ticket: u64) -> Self {
        Self { servers, origin, ticket }
    }

    fn ticket(&self) -> u64 {
        self.ticket
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(server) = self.servers.known().get_mut(&self.origin) {
            server.line.leave(self.ticket);
        }
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
mod tests;
