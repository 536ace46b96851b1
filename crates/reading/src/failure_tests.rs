use saldo_beacon::decode::SszError;
use saldo_beacon::{Network, decode};

use super::*;

fn failed(failure: impl Into<Failure>) -> Outcome {
    Outcome::Failed(failure.into())
}

#[test]
fn a_provider_may_have_seen_only_a_request_that_may_have_reached_it() {
    let after = Duration::from_secs(4);
    for (error, seen) in [
        (TransportError::Offline, false),
        (TransportError::Dns, false),
        (TransportError::Connect, false),
        (TransportError::Tls, false),
        (TransportError::Unsecured(TlsFault::UntrustedIssuer), false),
        (TransportError::Unsecured(TlsFault::PlainHttp), false),
        (TransportError::Unsecured(TlsFault::TlsExpected), true),
        (TransportError::Timeout { after }, true),
        (TransportError::Broken, true),
        (TransportError::Redirect { status: 302 }, true),
        (TransportError::TooLarge { limit: 1 }, true),
        (TransportError::Encoding, true),
        (TransportError::Failed, true),
    ] {
        assert_eq!(error.may_have_been_seen(), seen, "{error}");
        assert_eq!(Failure::Transport(error).may_have_been_seen(), seen, "{error}");
    }
    assert!(Failure::NoResult.may_have_been_seen());
    assert!(!spared(Failure::NoResult).may_have_been_seen());
    assert!(!Failure::Quarantined.may_have_been_seen());
}

fn spared(last: Failure) -> Failure {
    Failure::Spared { last: Box::new(last) }
}

#[test]
fn a_spared_provider_counts_as_its_latest_failure() {
    let unreachable = Failure::Transport(TransportError::Connect);
    let refused = Failure::WrongChain { got: 1, expected: 2 };
    for (last, is_unreachable, is_false) in [(unreachable, true, false), (refused, false, true)] {
        let again = spared(spared(last.clone()));
        assert_eq!((last.is_unreachable(), last.is_false_answer()), (is_unreachable, is_false));
        assert_eq!((again.is_unreachable(), again.is_false_answer()), (is_unreachable, is_false));
    }
}

#[test]
fn a_wrong_answer_is_false_and_a_missing_answer_is_not() {
    let got = B256::ZERO;
    for failure in [
        Failure::Proof(ProofError::EmptyProof { expected: got }),
        Failure::WrongChain { got: 1, expected: 2 },
        Failure::Header(HeaderError::HashMismatch { got, expected: got }),
    ] {
        assert!(failure.is_false_answer(), "{failure}");
    }
    for failure in [
        Failure::Header(HeaderError::UnknownLayout),
        Failure::Transport(TransportError::Broken),
        Failure::Malformed { what: "" },
        Failure::NoResult,
        Failure::NotSynced,
        Failure::UnknownFork,
    ] {
        assert!(!failure.is_false_answer(), "{failure}");
    }
}

/// The decoder's message may quote text from outside.
#[test]
fn only_the_kind_of_a_decode_error_is_kept() {
    let json = decode::finality_update(b"{", decode::Encoding::Json, None, &Network::mainnet()).unwrap_err();
    assert!(matches!(json, DecodeError::Json(_)));
    for (error, what) in [
        (DecodeError::TooLarge { got: 2, limit: 1 }, "larger than any light-client data"),
        (DecodeError::TooMany { limit: 1 }, "larger than any light-client data"),
        (SszError::TooLong { got: 1, limit: 0 }.into(), "not the SSZ of light-client data"),
        (json, "not the JSON of light-client data"),
        (DecodeError::ParticipationBits { size: 512 }, "participation bits beyond the committee"),
        (DecodeError::Unproven { field: "" }, "light-client data without the layout of its fork"),
    ] {
        assert_eq!(Failure::from(error), Failure::Malformed { what });
    }
    assert_eq!(
        Failure::from(DecodeError::from(saldo_beacon::UnknownFork::named("heze"))),
        Failure::UnknownFork
    );
}

/// A wallet reads the codes in JSON: none may change, and no two may be the same.
#[test]
fn every_outcome_has_its_own_code() {
    let (status, after) = (500, Duration::from_secs(4));
    let codes = [
        (failed(TransportError::Offline), "offline"),
        (failed(TransportError::Dns), "dns"),
        (failed(TransportError::Connect), "connect"),
        (failed(TransportError::Tls), "tls"),
        (failed(TransportError::Unsecured(TlsFault::UntrustedIssuer)), "tls_untrusted_issuer"),
        (failed(TransportError::Timeout { after }), "timeout"),
        (failed(TransportError::Broken), "broken"),
        (failed(TransportError::Redirect { status }), "redirect"),
        (failed(TransportError::TooLarge { limit: 1 }), "too_large"),
        (failed(TransportError::Encoding), "encoding"),
        (failed(TransportError::Failed), "transport"),
        (failed(Failure::Http { status }), "http"),
        (failed(Failure::Denied { status }), "denied"),
        (failed(Failure::RateLimited { retry_after: None }), "rate_limited"),
        (failed(Failure::QuotaExhausted), "quota_exhausted"),
        (failed(Failure::NotServed { method: "" }), "not_served"),
        (failed(Failure::ProofWindowMissed), "proof_window_missed"),
        (failed(Failure::NotSynced), "not_synced"),
        (failed(Failure::NotFinal), "not_final"),
        (failed(Failure::NoResult), "no_result"),
        (failed(Failure::WebPage), "web_page"),
        (failed(Failure::OutOfService { code: -32046 }), "out_of_service"),
        (failed(Failure::Rpc { code: -32000 }), "rpc_error"),
        (failed(Failure::Malformed { what: "" }), "malformed"),
        (failed(Failure::WrongChain { got: 1, expected: 2 }), "wrong_chain"),
        (failed(ProofError::EmptyProof { expected: B256::ZERO }), "proof_refused"),
        (failed(Failure::OldBlock { number: 1 }), "old_block"),
        (failed(HeaderError::NotAHeader), "header_refused"),
        (failed(Failure::Behind { slots: 9 }), "behind"),
        (failed(Failure::UnknownFork), "unknown_fork"),
        (failed(Failure::Spared { last: Box::new(Failure::NoResult) }), "spared"),
        (failed(Failure::Quarantined), "quarantined"),
        (failed(BootstrapError::ExecutionBranch), "bootstrap_refused"),
        (failed(AdvanceError::FinalityBranch), "update_refused"),
        (Outcome::Joined, "joined"),
        (Outcome::Accepted, "accepted"),
        (Outcome::Named { root: B256::ZERO }, "named"),
        (Outcome::Pending, "parked"),
        (Outcome::Overtaken, "overtaken"),
        (Outcome::Unfinished, "unfinished"),
    ];
    for (outcome, code) in &codes {
        assert_eq!(outcome.code(), *code);
    }
    let distinct: std::collections::BTreeSet<_> = codes.iter().map(|(_, code)| code).collect();
    assert_eq!(distinct.len(), codes.len());
    for (role, code) in
        [(Role::Execution, "execution"), (Role::Beacon, "beacon"), (Role::Checkpoint, "checkpoint")]
    {
        assert_eq!(role.code(), code);
    }
}

#[test]
fn a_failed_outcome_shows_the_message_of_its_failure() {
    let failure = Failure::Http { status: 503 };
    assert_eq!(failed(failure.clone()).to_string(), failure.to_string());
    assert_eq!(Outcome::Overtaken.to_string(), "another answer came first");
}
