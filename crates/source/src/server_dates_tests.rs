use std::sync::Mutex;

use super::*;
use crate::maybe_send::BoxedFuture;

/// The device's clocks, which a test sets.
struct Clocks(Mutex<(UnixTime, Duration)>);

impl Clock for Clocks {
    fn wall(&self) -> UnixTime {
        self.0.lock().unwrap().0
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap().1
    }

    fn sleep(&self, _: Duration) -> BoxedFuture<'static, ()> {
        unreachable!("nothing here waits")
    }
}

/// Tue, 24 Nov 2026 12:00:00 GMT.
const NOON: u64 = 1_795_521_600;

fn at(seconds: u64) -> Clocks {
    Clocks(Mutex::new((UnixTime::from_secs(seconds), Duration::from_secs(1_000))))
}

fn endpoints(urls: &[&str]) -> Vec<Endpoint> {
    urls.iter().map(|url| url.parse().unwrap()).collect()
}

fn dated(date: &str) -> Response {
    Response { headers: vec![("date".to_owned(), date.to_owned())], ..Response::default() }
}

/// Whether these dates of these servers show a clock that is fast, `ahead` seconds after noon.
fn shows(ahead: u64, answers: &[(&str, &str)]) -> bool {
    let clock = at(NOON.saturating_add(ahead));
    let urls: Vec<&str> = answers.iter().map(|(url, _)| *url).collect();
    let endpoints = endpoints(&urls);
    let mut dates = ServerDates::default();
    for (endpoint, (_, date)) in endpoints.iter().zip(answers) {
        dates.note(&endpoint.url().join("/eth/v1/node", &[]), &dated(date), &clock);
    }
    dates.show_fast_clock(endpoints.iter(), &clock)
}

const AT_NOON: &str = "Tue, 24 Nov 2026 12:00:00 GMT";
const LATER: &str = "Tue, 24 Nov 2026 12:00:05 GMT";

#[test]
fn two_operators_that_agree_show_a_fast_clock() {
    for ahead in [66, 600, 86_400] {
        assert!(shows(ahead, &[("http://a.test", AT_NOON), ("http://b.test", LATER)]), "{ahead}");
    }
    for ahead in [0, 5, 59, 64] {
        assert!(!shows(ahead, &[("http://a.test", AT_NOON), ("http://b.test", LATER)]), "{ahead}");
    }
}

#[test]
fn one_server_decides_nothing() {
    let day = 86_400;
    assert!(!shows(day, &[("http://a.test", AT_NOON)]));
    // Two servers of one operator.
    assert!(!shows(day, &[("http://a.test:1", AT_NOON), ("http://a.test:2", AT_NOON)]));
    // One of three says that the device is right.
    let agrees = "Wed, 25 Nov 2026 12:00:00 GMT";
    assert!(!shows(
        day,
        &[("http://a.test", AT_NOON), ("http://b.test", AT_NOON), ("http://c.test", agrees)]
    ));
    // What is no date counts as none.
    for text in ["", "noon", "Tue, 24 Nov 2026 25:00:00 GMT", "Tue, 24 Nov 99999 12:00:00 GMT"] {
        assert!(!shows(day, &[("http://a.test", AT_NOON), ("http://b.test", text)]), "{text}");
        assert!(shows(
            day,
            &[("http://a.test", AT_NOON), ("http://b.test", AT_NOON), ("http://c.test", text)]
        ));
    }
}

#[test]
fn a_server_on_this_device_says_nothing() {
    let day = 86_400;
    for local in ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"] {
        assert!(!shows(day, &[("http://a.test", AT_NOON), (local, AT_NOON)]), "{local}");
        let agrees = "Wed, 25 Nov 2026 12:00:00 GMT";
        assert!(shows(day, &[("http://a.test", AT_NOON), ("http://b.test", AT_NOON), (local, agrees)]));
    }
}

#[test]
fn a_cached_answer_says_nothing() {
    let clock = at(NOON + 3_600);
    let endpoints = endpoints(&["http://a.test", "http://b.test"]);
    let mut dates = ServerDates::default();
    for endpoint in &endpoints {
        let mut cached = dated(AT_NOON);
        cached.headers.push(("age".to_owned(), "3600".to_owned()));
        dates.note(endpoint.url(), &cached, &clock);
    }
    assert!(!dates.show_fast_clock(endpoints.iter(), &clock));
}

/// The device sleeps, or its clock is set, or minutes pass: what came before says nothing any more.
#[test]
fn an_old_date_says_nothing() {
    for (wall, monotonic, shows) in [(0, 0, true), (100, 100, true), (28_800, 1, false), (130, 130, false)] {
        let clock = at(NOON + 3_600);
        let endpoints = endpoints(&["http://a.test", "http://b.test"]);
        let mut dates = ServerDates::default();
        for endpoint in &endpoints {
            dates.note(endpoint.url(), &dated(AT_NOON), &clock);
        }
        let later = at(NOON + 3_600 + wall);
        later.0.lock().unwrap().1 += Duration::from_secs(monotonic);
        assert_eq!(dates.show_fast_clock(endpoints.iter(), &later), shows, "{wall}, {monotonic}");
        // The clock is set back to the true time.
        assert!(!dates.show_fast_clock(endpoints.iter(), &at(NOON)));
    }
}
