//! Whether the connection to a server may be dead. A phone changes its network, a router forgets a connection: then each
//! further request on it is lost. But a slow link is silent as well. So a connection that is silent is left alone, and new
//! requests use one of another pool. The pool that brings an answer is used from then on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The shortest silence that raises doubt.
const SHORTEST: Duration = Duration::from_secs(1);
/// An answer that takes this many times as long as the last one raises doubt.
const TIMES: u32 = 4;

/// One of two pools of connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::http) enum Pool {
    #[default]
    First,
    Second,
}

impl Pool {
    /// The pool that is not this one.
    pub(in crate::http) fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// What was heard from one server.
#[derive(Debug, Default)]
pub(super) struct Silence {
    /// The pool that brought the last answer.
    used: Pool,
    /// When each request that has no answer was sent.
    sent: BTreeMap<u64, Instant>,
    next: u64,
    heard: Option<Instant>,
    /// A request ended in silence, and nothing was heard since.
    is_doubtful: bool,
}

impl Silence {
    /// The pool of a new request, and whether the one in use is in doubt; `answer` is the time that the last answer took.
    pub(super) fn pool(&self, answer: Option<Duration>, now: Instant) -> (Pool, bool) {
        let is_silent = self.sent.values().any(|sent| self.is_silent_since(*sent, answer, now));
        let is_doubtful = self.is_doubtful || is_silent;
        (if is_doubtful { self.used.other() } else { self.used }, is_doubtful)
    }

    fn is_silent_since(&self, sent: Instant, answer: Option<Duration>, now: Instant) -> bool {
        let longest = answer.map_or(SHORTEST, |answer| answer.saturating_mul(TIMES).max(SHORTEST));
        self.heard.is_none_or(|heard| heard < sent) && now.saturating_duration_since(sent) > longest
    }

    /// A request is sent. Returns its number.
    pub(super) fn begin(&mut self, now: Instant) -> u64 {
        let number = self.next;
        self.next = self.next.saturating_add(1);
        self.sent.insert(number, now);
        number
    }

    /// A request ends without an answer.
    pub(super) fn end(&mut self, number: u64, answer: Option<Duration>, now: Instant) {
        let sent = self.sent.remove(&number);
        self.is_doubtful |= sent.is_some_and(|sent| self.is_silent_since(sent, answer, now));
    }

    /// An answer has come by a connection of this pool.
    pub(super) fn hear(&mut self, pool: Pool, now: Instant) {
        (self.used, self.heard, self.is_doubtful) = (pool, Some(now), false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: Option<Duration> = Some(Duration::from_millis(100));

    fn after(start: Instant, millis: u64) -> Instant {
        start.checked_add(Duration::from_millis(millis)).unwrap()
    }

    fn pool(silence: &Silence, answer: Option<Duration>, now: Instant) -> Pool {
        silence.pool(answer, now).0
    }

    #[test]
    fn silence_makes_new_requests_use_the_other_pool() {
        let (start, mut silence) = (Instant::now(), Silence::default());
        let number = silence.begin(start);
        assert_eq!(pool(&silence, ANSWER, after(start, 1_000)), Pool::First);
        assert_eq!(pool(&silence, ANSWER, after(start, 1_001)), Pool::Second);
        // On a slow link an answer takes its time.
        assert_eq!(pool(&silence, Some(Duration::from_secs(2)), after(start, 8_000)), Pool::First);
        // Another answer shows that the connection is alive.
        silence.hear(Pool::First, after(start, 900));
        assert_eq!(pool(&silence, ANSWER, after(start, 5_000)), Pool::First);
        silence.end(number, ANSWER, after(start, 5_000));
        assert_eq!(pool(&silence, ANSWER, after(start, 5_000)), Pool::First);
    }

    #[test]
    fn a_request_that_ended_in_silence_is_remembered_until_an_answer_comes() {
        let (start, mut silence) = (Instant::now(), Silence::default());
        let number = silence.begin(start);
        silence.end(number, ANSWER, after(start, 900));
        assert_eq!(pool(&silence, ANSWER, after(start, 9_000)), Pool::First, "cancelled early");
        let number = silence.begin(start);
        silence.end(number, ANSWER, after(start, 4_000));
        assert_eq!(pool(&silence, ANSWER, after(start, 9_000)), Pool::Second);
        silence.hear(Pool::Second, after(start, 9_100));
        assert_eq!(
            pool(&silence, ANSWER, after(start, 9_200)),
            Pool::Second,
            "its connection is the newer one"
        );
        silence.begin(after(start, 9_200));
        assert_eq!(pool(&silence, ANSWER, after(start, 19_000)), Pool::First);
    }
}
