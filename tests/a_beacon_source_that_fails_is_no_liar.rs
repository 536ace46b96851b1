//! All beacon sources answer with something that is no light-client data. The reason is that of providers of proofs in the same
//! case. Only data that does not verify is called refused.

use std::time::Duration;

use saldo::{Reading, Why};
use saldo_drill::Fault;
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use saldo_tests::scene::{ALICE, BEFORE, Scene};
use serde_json::json;

/// A server that gives this answer to every request.
#[derive(Clone)]
struct Says(Reply);

impl Service for Says {
    fn answer(&self, _: &HttpRequest) -> Reaction {
        Reaction::Reply(self.0.clone())
    }

    fn refuses(&self) -> bool {
        false
    }
}

fn html(status: u16) -> Reply {
    Reply::new(status, "text/html; charset=utf-8", "<!DOCTYPE html><html><body>Log in</body></html>")
}

fn text(status: u16, body: &str) -> Reply {
    Reply::new(status, "text/plain", body)
}

fn error(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({ "code": status, "message": message }))
}

fn redirect(status: u16) -> Reply {
    html(status).header("location", "https://elsewhere.test/log-in")
}

/// What all sources answer, and the reason.
fn answers() -> Vec<(Reply, &'static str)> {
    vec![
        (html(200), "log_in_page"),
        (Reply::new(200, "Text/HTML", "<html></html>"), "log_in_page"),
        (Reply::new(200, "application/json", " <!doctype html>"), "log_in_page"),
        (html(511), "log_in_page"),
        (redirect(301), "moved"),
        (redirect(302), "moved"),
        (redirect(307), "moved"),
        (redirect(308), "moved"),
        (text(402, "payment required"), "quota_exhausted"),
        (error(402, "daily request limit reached"), "quota_exhausted"),
        (error(429, "monthly limit reached, upgrade your plan"), "quota_exhausted"),
        (text(403, "you have exceeded your quota"), "quota_exhausted"),
        (Reply::json(200, &json!({ "error": "quota exceeded" })), "quota_exhausted"),
        (text(429, ""), "rate_limited"),
        (error(429, "too many requests"), "rate_limited"),
        (error(429, "slow down").header("retry-after", "20"), "rate_limited"),
        (text(200, "rate limit reached, try again later"), "rate_limited"),
        (
            Reply::json(200, &json!({ "error": { "code": -32_005, "message": "limit exceeded" } })),
            "rate_limited",
        ),
        (error(401, "who are you?"), "denied"),
        (text(200, "invalid host specified"), "denied"),
        (text(200, "upstream is not there"), "light_client_behind"),
        (Reply::new(200, "application/json", ""), "light_client_behind"),
        (Reply::json(200, &json!({ "error": "try again later" })), "light_client_behind"),
        (Reply::json(200, &json!({ "error": {}, "id": 39 })), "light_client_behind"),
        (Reply::json(200, &json!({ "code": 500, "message": null })), "light_client_behind"),
        (Reply::json(200, &json!({ "data": null })), "light_client_behind"),
        (Reply::json(200, &json!(null)), "light_client_behind"),
        (text(503, "no healthy upstream"), "light_client_behind"),
        (text(501, "not implemented"), "no_light_client_routes"),
    ]
}

fn assert_reason(reading: &Reading, code: &str, reply: &Reply) {
    let why = reading.why().unwrap_or_else(|| panic!("{reply:?}: {reading:?}"));
    assert_eq!(why.code(), code, "{reply:?}: {:?}", reading.attempts());
    assert!(reading.latest_proven().is_none_or(|proven| proven.amount().base_units() == BEFORE));
    // No step accuses a source of lies, and none asks for a newer checkpoint: it would not help.
    assert!(!why.next_step().contains("trust these"), "{}", why.next_step());
    assert!(!why.next_step().contains("checkpoint"), "{}", why.next_step());
}

fn silence_sources(scene: &Scene, reply: &Reply) {
    for place in 0..scene.sources.len() {
        let internet = scene.simulation.internet();
        internet.register(&format!("http://source{place}.test"), Says(reply.clone()));
    }
}

fn restore_sources(scene: &Scene) {
    for (place, source) in scene.sources.iter().enumerate() {
        scene.simulation.internet().register(&format!("http://source{place}.test"), source.clone());
    }
}

#[test]
fn at_the_first_read() {
    for (seed, (reply, code)) in (0..).zip(answers()) {
        for sources in [1, 2] {
            let scene = Scene::new(seed, 1, sources);
            silence_sources(&scene, &reply);
            assert_reason(&scene.balance(ALICE), code, &reply);
            restore_sources(&scene);
            scene.simulation.pass(Duration::from_secs(600));
            assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE, "{reply:?}");
        }
    }
}

/// Later in the same period, and so late that the committee of the period is missing.
#[test]
fn at_later_reads() {
    for (seed, (reply, code)) in (100..).zip(answers()) {
        for slots in [40, 140] {
            let scene = Scene::new(seed, 1, 2);
            scene.assert_true(&scene.balance(ALICE), ALICE);
            silence_sources(&scene, &reply);
            scene.pass_slots(slots);
            for _ in 0..2 {
                let reading = scene.balance(ALICE);
                assert_reason(&reading, code, &reply);
                scene.assert_unknown(&reading, code, BEFORE);
                scene.pass_slots(1);
            }
        }
    }
}

/// A source that cannot be reached says nothing about the others, and a young head needs no source.
#[test]
fn the_source_that_answers_decides() {
    for (seed, (reply, code)) in (200..).zip(answers()) {
        let scene = Scene::new(seed, 1, 2);
        silence_sources(&scene, &reply);
        scene.sources[1].add(Fault::Refuse);
        scene.simulation.internet().register("http://source1.test", scene.sources[1].clone());
        let reading = scene.balance(ALICE);
        let is_one_of_two = code == "no_light_client_routes";
        assert_reason(&reading, if is_one_of_two { "light_client_behind" } else { code }, &reply);

        let scene = Scene::new(seed, 1, 2);
        scene.assert_true(&scene.balance(ALICE), ALICE);
        silence_sources(&scene, &reply);
        scene.pass_slots(1);
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE, "{reply:?}");
    }
}

/// One source sends data that does not verify. That is a refusal, also where the others only fail.
#[test]
fn data_that_does_not_verify_is_refused() {
    for (seed, fault) in (300..).zip([Fault::ForgedSignature, Fault::TooFewSigners(1), Fault::LastCommittee])
    {
        for reply in [text(200, "upstream is not there"), text(503, ""), error(200, "try again later")] {
            let scene = Scene::new(seed, 1, 2);
            scene.assert_true(&scene.balance(ALICE), ALICE);
            silence_sources(&scene, &reply);
            scene.sources[1].add(fault.clone());
            scene.simulation.internet().register("http://source1.test", scene.sources[1].clone());
            scene.pass_slots(140);
            let reading = scene.balance(ALICE);
            assert_eq!(reading.why().map(Why::code), Some("heads_refused"), "{fault:?} {reply:?}");
        }
    }
}

/// A patient read waits as long as the sources ask.
#[test]
fn the_pause_that_a_source_asks_for_is_told() {
    let scene = Scene::new(400, 1, 1);
    silence_sources(&scene, &error(429, "slow down").header("retry-after", "20"));
    let why = scene.balance(ALICE).why().cloned().expect("not proven");
    assert!(why.retry_after().is_some_and(|pause| pause <= Duration::from_secs(20)), "{why:?}");
    restore_sources(&scene);
    let reading = scene.patient_balance(ALICE, Duration::from_secs(60));
    assert_eq!(scene.assert_true(&reading, ALICE), BEFORE);
}
