//! The requests to one server that are in progress, and the line of those that have no connection. Over HTTP/1.1 each
//! connection serves one request at a time, so that a request that has no connection knows when its turn comes.

use std::collections::BTreeSet;
use std::time::Duration;

/// The requests to one server.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// The number of requests in progress.
    active: usize,
    /// The tickets of those that wait for a connection, the oldest first.
    waiting: BTreeSet<u64>,
    next_ticket: u64,
    /// The time that the last whole answer took on its connection.
    answer: Option<Duration>,
}

impl Line {
    /// A request begins.
    pub(super) fn begin(&mut self) {
        self.active = self.active.saturating_add(1);
    }

    /// A request that has no connection waits. Returns its ticket.
    pub(super) fn enter(&mut self) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket = self.next_ticket.saturating_add(1);
        self.waiting.insert(ticket);
        ticket
    }

    /// A request waits no longer.
    pub(super) fn leave(&mut self, ticket: u64) {
        self.waiting.remove(&ticket);
    }

    /// The time that the last whole answer took on its connection.
    pub(super) fn answer(&self) -> Option<Duration> {
        self.answer
    }

    /// A request ends.
    pub(super) fn end(&mut self) {
        self.active = self.active.saturating_sub(1);
    }

    /// Notes the time that a whole answer took on its connection.
    pub(super) fn note_answer(&mut self, took: Duration) {
        self.answer = Some(took);
    }

    /// Whether a request is in progress.
    pub(super) fn is_used(&self) -> bool {
        self.active > 0
    }

    /// The number of connections that serve a request, or are opened for one.
    pub(super) fn connections(&self) -> usize {
        self.active.saturating_sub(self.waiting.len())
    }

    /// Whether the turn of the request with this ticket is expected within the time of a handshake. `handshakes` of the
    /// connections are being opened, each for a request of its own.
    pub(super) fn is_served_within(&self, handshake: Duration, ticket: u64, handshakes: usize) -> bool {
        let busy = self.connections().saturating_sub(handshakes);
        let before = self.waiting.range(..ticket).count();
        // A handshake takes two round trips, with TCP's (RFC 8446, section 2). An answer takes at least one.
        let answer = self.answer.unwrap_or(handshake.checked_div(2).unwrap_or_default());
        let Some(rounds) = before.checked_div(busy).and_then(|whole| u32::try_from(whole).ok()) else {
            return false;
        };
        answer.saturating_mul(rounds.saturating_add(1)) <= handshake
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HANDSHAKE: Duration = Duration::from_millis(160);

    /// A line in which `busy` requests have a connection, and `waiting` have none.
    fn line(busy: usize, waiting: usize, answer: Option<Duration>) -> (Line, Vec<u64>) {
        let mut line = Line { answer, ..Line::default() };
        (0..busy.saturating_add(waiting)).for_each(|_| line.begin());
        let tickets = (0..waiting).map(|_| line.enter()).collect();
        (line, tickets)
    }

    /// How many of the requests that wait are served sooner than by a connection of their own.
    fn served(busy: usize, waiting: usize, answer: Option<u64>, handshakes: usize) -> usize {
        let (line, tickets) = line(busy, waiting, answer.map(Duration::from_millis));
        tickets.iter().filter(|ticket| line.is_served_within(HANDSHAKE, **ticket, handshakes)).count()
    }

    #[test]
    fn a_request_waits_only_where_its_turn_comes_within_a_handshake() {
        assert_eq!(served(1, 5, Some(80), 0), 2, "two answers take as long as a handshake");
        assert_eq!(served(2, 5, Some(80), 0), 4);
        assert_eq!(served(1, 5, None, 0), 2, "before the first answer");
        assert_eq!(served(1, 5, Some(161), 0), 0, "answers that are slower than a handshake");
        assert_eq!(served(1, 5, Some(0), 0), 5);
        assert_eq!(served(0, 5, Some(80), 0), 0, "no connection comes free");
        assert_eq!(served(2, 5, Some(80), 1), 2, "a handshake is for its own request");
        assert_eq!(served(2, 5, Some(80), 9), 0);
    }

    #[test]
    fn those_that_leave_the_line_let_others_go_forward() {
        let (mut line, tickets) = line(1, 4, Some(Duration::from_millis(80)));
        assert!(!line.is_served_within(HANDSHAKE, tickets[3], 0));
        line.leave(tickets[0]);
        assert_eq!(line.connections(), 2);
        line.leave(tickets[0]);
        assert_eq!(line.connections(), 2, "twice is once");
        assert!(line.is_served_within(HANDSHAKE, tickets[3], 0));
    }
}
