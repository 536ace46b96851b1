use std::collections::BTreeSet;

use alloy_primitives::Address;

use super::*;

fn all() -> Vec<Why> {
    let (age, limit) = (Duration::from_secs(7_200), Duration::from_secs(3_600));
    vec![
        Why::UnsignedTip,
        Why::DeviceOffline,
        Why::AllUnreachable,
        Why::NotSecure { fault: TlsFault::UntrustedIssuer },
        Why::RateLimited { role: Role::Execution, retry_after: None },
        Why::QuotaExhausted { role: Role::Execution },
        Why::NobodyServesProofs,
        Why::ProofWindowMissed,
        Why::ProvidersBehind { blocks: None },
        Why::ProvidersFailing,
        Why::Denied,
        Why::LogInPage,
        Why::Moved,
        Why::ProofsRefused,
        Why::WrongChain { expected: 1 },
        Why::OnlyOldBlocks { age },
        Why::LightClientBehind { newest: None },
        Why::HeadsRefused,
        Why::HandOverMissing { period: Period::new(7) },
        Why::CheckpointNotServed,
        Why::NoLightClientRoutes,
        Why::CheckpointSlotWrong,
        Why::CheckpointTooOld { age, limit },
        Why::CheckpointSourcesDisagree,
        Why::TooFewCheckpointSources { answered: 1, needed: 2 },
        Why::UnknownFork,
        Why::UnknownHeaderLayout,
        Why::ConsensusFault,
        Why::ClockOff,
        Why::Deadline,
        Why::TrustRestarted,
        Why::BlockWithdrawn,
        Why::PolicyForbidsMoreOperators,
        Why::NetworkNotConfigured { expected: NetworkId::new(1) },
        Why::NotAToken { reason: NotAToken::NoCode { address: Address::ZERO } },
        Why::TokenLayoutUnproven,
        Why::TokenNotRun { reason: "it calls itself".to_owned() },
        Why::NotVouchedYet,
        Why::RollupStopped { since: UnixTime::from_secs(5) },
        Why::RollupNotVouched { reason: "the game is blacklisted".to_owned() },
        Why::Closed,
        Why::InternalFault,
    ]
}

#[test]
fn every_reason_has_its_own_code_and_message_and_a_next_step() {
    let reasons = all();
    let codes: BTreeSet<_> = reasons.iter().map(Why::code).collect();
    let messages: BTreeSet<_> = reasons.iter().map(Why::to_string).collect();
    assert_eq!((codes.len(), messages.len()), (reasons.len(), reasons.len()));
    for why in &reasons {
        assert!(why.code().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{why:?}");
        assert!(why.next_step().ends_with('.') && why.to_string().len() > 10, "{why:?}");
    }
}

#[test]
fn only_a_rate_limit_states_how_long_to_wait() {
    let after = Duration::from_secs(30);
    let limited = Why::RateLimited { role: Role::Beacon, retry_after: Some(after) };
    assert_eq!((limited.retry_after(), limited.to_string().contains("30 s")), (Some(after), true));
    assert!(all().iter().all(|why| why.retry_after().is_none()));
}

#[test]
fn a_limit_names_the_servers_that_set_it() {
    let of = |role| [Why::RateLimited { role, retry_after: None }, Why::QuotaExhausted { role }];
    for checkpoint in of(Role::Checkpoint) {
        assert_eq!(checkpoint.fault(), Fault::Beacon);
        assert!(checkpoint.to_string().contains("checkpoint source"), "{checkpoint}");
        assert!(checkpoint.next_step().contains("checkpoint source"), "{checkpoint}");
    }
    for (providers, sources) in of(Role::Execution).iter().zip(&of(Role::Beacon)) {
        assert_eq!(providers.code(), sources.code());
        assert_eq!((providers.fault(), sources.fault()), (Fault::Providers, Fault::Beacon));
        assert!(providers.to_string().contains("provider") && sources.to_string().contains("beacon source"));
        assert!(providers.next_step().contains("provider") && sources.next_step().contains("beacon source"));
    }
}

#[test]
fn ages_are_shown_in_whole_units() {
    let (age, limit) = (Duration::from_secs(7_300), Duration::from_secs(3_600));
    let text = Why::CheckpointTooOld { age, limit }.to_string();
    assert_eq!(text, "the checkpoint is too old to start from safely (its age is 2 h, the limit is 1 h)");
    let text = Why::OnlyOldBlocks { age }.to_string();
    assert_eq!(text, "the newest block that can be proven is too old (it is 7300 s old)");
}

#[test]
fn a_known_lag_is_told() {
    let (known, unknown) = (Why::ProvidersBehind { blocks: Some(12) }, Why::ProvidersBehind { blocks: None });
    assert_eq!(
        known.to_string(),
        "the providers do not have the signed block yet (they are 12 blocks behind)"
    );
    assert_eq!(
        (known.code(), known.fault(), known.next_step(), known.needs_action()),
        (unknown.code(), unknown.fault(), unknown.next_step(), unknown.needs_action())
    );
}

/// What was proven is told, and no address.
#[test]
fn the_reason_why_an_address_is_no_token_is_told() {
    let address = Address::repeat_byte(0x11);
    let reasons = [
        (NotAToken::NoCode { address }, "it has no code"),
        (
            NotAToken::ImplementationWithoutCode { implementation: address },
            "its calls go to an address without code",
        ),
        (NotAToken::Fails { address }, "its code fails when it is asked for a balance"),
        (NotAToken::ReturnsTooLittle { address, bytes: 1 }, "its code returns 1 of 32 bytes"),
    ];
    for (reason, clause) in reasons {
        let text = Why::NotAToken { reason }.to_string();
        assert_eq!(text, format!("there is no token at that address ({clause})"));
    }
}

/// A wallet reads the codes in JSON.
#[test]
fn every_fault_has_a_code() {
    let faults = [
        Fault::Device,
        Fault::Providers,
        Fault::Beacon,
        Fault::Chain,
        Fault::Setup,
        Fault::Nobody,
        Fault::Saldo,
    ];
    let codes = ["device", "providers", "beacon", "chain", "setup", "nobody", "saldo"];
    assert_eq!(faults.map(|fault| fault.code()), codes);
}
