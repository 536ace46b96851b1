//! What to do about a finding, and the reason that a balance gives for it.

use saldo_reading::{Failure, Role, TransportError, Why};

use crate::finding::{Finding, Severity};

impl Finding {
    /// What to do about the finding; `None` if nothing is to be done.
    pub fn next_step(&self) -> Option<&'static str> {
        if self.severity() == Severity::Note {
            return None;
        }
        Some(match self {
            Self::NotSecure(fault) => fault.next_step(),
            Self::Moved { .. } => "give its new URL; saldo follows no redirect.",
            Self::IsBeaconNode => {
                "give its URL with --beacon-url, and an execution provider's with --rpc-url."
            }
            Self::IsExecutionProvider => {
                "give its URL with --rpc-url, and a beacon node's with --beacon-url."
            }
            Self::Unreachable(_) => "check the URL and this device's network, or try again later.",
            Self::NeverAnswers | Self::TooSlow { .. } => "try again later, or use a nearer endpoint.",
            Self::WebPage => {
                "open a browser and log in to this network, or check the URL: an API answers in JSON."
            }
            Self::LimitsRate(_) => "it works, but readings wait for it: ask less often, or use another plan.",
            Self::CountsCalls { .. } => {
                "it works, but readings of many addresses wait for it: read fewer at once, or use another plan."
            }
            Self::LimitsRoute { .. } => {
                "it works without that route: ask less often, use another plan, or add another beacon source."
            }
            Self::RateLimited { .. } => "ask less often, or use another plan.",
            Self::QuotaExhausted => "raise the quota, wait until it is renewed, or use another provider.",
            Self::Denied => "check the key or the URL.",
            Self::WrongId => "its answers are mixed up: try again later, or use another endpoint.",
            Self::Fails(Failure::NotServed { .. }) => {
                "check its plan and its settings, or use a provider that serves eth_getProof."
            }
            Self::Fails(Failure::Malformed { .. }) => {
                "its answers cannot be read: check the URL, try again later, or use another endpoint."
            }
            Self::Fails(_) => "try again later; if this continues, use another endpoint.",
            _ => return self.next_step_for_data(),
        })
    }

    /// The next step for a finding about what the endpoint serves. The others have theirs above.
    fn next_step_for_data(&self) -> Option<&'static str> {
        Some(match self {
            Self::WrongChain { .. } => "use its URL for this network, or give its network with --network.",
            Self::OtherNetwork => {
                "use its URL for this network, or add a beacon source of this network; or give its network with --network."
            }
            Self::LiesAboutTip { .. }
            | Self::HeaderRefused
            | Self::TruncatedProof
            | Self::ProofRefused(_)
            | Self::FalseClaim
            | Self::DataRefused(_) => {
                "its answers are false, and saldo refuses them. Report it to its operator, or use another endpoint."
            }
            Self::OtherBranch => {
                "it follows another branch; wait until it returns to this branch, or use another provider."
            }
            Self::Lagging { .. } | Self::NotSynced | Self::Behind { is_too_old: true, .. } => {
                "wait until it has caught up, or use another endpoint."
            }
            Self::Behind { is_too_old: false, .. } => {
                "it works, but amounts are as old as its heads: wait until it has caught up, or add another beacon source."
            }
            Self::NoProofs => "ask its operator for eth_getProof, or use a provider that serves it.",
            Self::TipOnly => {
                "it works, but each reading waits until its block is signed; for finalized amounts add a provider that keeps older state."
            }
            Self::ShallowProofs { .. } => {
                "it works for signed amounts; for finalized ones add a provider that keeps older state."
            }
            Self::ClaimsOlderProofs { .. } => {
                "saldo goes by the proofs, not by the claim. Report the claim to its operator."
            }
            Self::UnknownHeaderLayout | Self::UnknownFork => "upgrade saldo, or give a newer network file.",
            Self::ClockDiffers { .. } | Self::ClockOff => "synchronise this device's clock.",
            Self::CheckpointTooOld => "give a newer checkpoint from a source that you trust.",
            _ => return self.next_step_for_routes(),
        })
    }

    /// The next step for a finding about the routes of a beacon source.
    fn next_step_for_routes(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoBootstrap => "use a newer checkpoint, or add a source that has its bootstrap.",
            Self::NoUpdates { .. } => {
                "use a newer checkpoint, or add another beacon source, which keeps updates."
            }
            Self::NoFinalityUpdates => {
                "it works for signed amounts; for finalized ones add another beacon source."
            }
            Self::NoOptimisticUpdates => {
                "it works, but its heads may be older: switch the route on, or add another beacon source."
            }
            Self::NoHeads => "switch these routes on, or add another beacon source.",
            Self::NoLightClientData => {
                "add another beacon source, or switch its light-client routes on (Lighthouse: --light-client-server, Nimbus: --light-client-data-serve, Prysm: --enable-light-client, Lodestar: --rest.namespace lightclient)."
            }
            Self::OutvotedRoot => "its root is not used; if this continues, remove the source.",
            Self::OldHead { .. } => {
                "it lags, or the rollup stands still: the head of another operator tells which; add one with --rpc-url."
            }
            Self::OfRollup(found) => found.next_step(),
            _ => return None,
        })
    }

    /// The reason that a balance gives if every execution provider has this finding and the beacon sources work; `None` if the balance
    /// can be proven.
    pub fn why(&self) -> Option<Why> {
        Some(match self {
            Self::Unreachable(TransportError::Offline) => Why::DeviceOffline,
            Self::Unreachable(_) | Self::NeverAnswers => Why::AllUnreachable,
            Self::NotSecure(fault) => Why::NotSecure { fault: *fault },
            Self::Moved { .. } => Why::Moved,
            Self::WebPage => Why::LogInPage,
            Self::RateLimited { retry_after } => {
                Why::RateLimited { role: Role::Execution, retry_after: *retry_after }
            }
            Self::QuotaExhausted => Why::QuotaExhausted { role: Role::Execution },
            Self::Denied => Why::Denied,
            Self::NoProofs | Self::Fails(Failure::NotServed { .. }) => Why::NobodyServesProofs,
            Self::Fails(_) | Self::WrongId => Why::ProvidersFailing,
            Self::TruncatedProof | Self::ProofRefused(_) | Self::HeaderRefused => Why::ProofsRefused,
            Self::WrongChain { expected, .. } => Why::WrongChain { expected: *expected },
            Self::Lagging { blocks, .. } => Why::ProvidersBehind { blocks: Some(*blocks) },
            Self::NotSynced => Why::ProvidersBehind { blocks: None },
            Self::OtherBranch => Why::UnsignedTip,
            Self::UnknownHeaderLayout => Why::UnknownHeaderLayout,
            _ => return None,
        })
    }

    /// The reason that a balance gives if every beacon source has this finding and the execution providers work; `None` if the balance
    /// can be proven.
    pub fn why_of_source(&self) -> Option<Why> {
        Some(match self {
            Self::NotSecure(fault) => Why::NotSecure { fault: *fault },
            Self::Denied => Why::Denied,
            Self::NoLightClientData => Why::NoLightClientRoutes,
            // A balance asks no source for its genesis. It asks for the checkpoint, which another network does not have.
            Self::NoBootstrap | Self::OtherNetwork => Why::CheckpointNotServed,
            Self::NoUpdates { period } => Why::HandOverMissing { period: *period },
            Self::DataRefused(_) => Why::HeadsRefused,
            Self::UnknownFork => Why::UnknownFork,
            Self::ClockOff => Why::ClockOff,
            Self::Unreachable(TransportError::Offline) => Why::DeviceOffline,
            Self::Moved { .. } => Why::Moved,
            Self::WebPage => Why::LogInPage,
            Self::RateLimited { retry_after } => {
                Why::RateLimited { role: Role::Beacon, retry_after: *retry_after }
            }
            Self::QuotaExhausted => Why::QuotaExhausted { role: Role::Beacon },
            Self::Unreachable(_)
            | Self::NeverAnswers
            | Self::Fails(_)
            | Self::NoHeads
            | Self::Behind { is_too_old: true, .. } => Why::LightClientBehind { newest: None },
            _ => return None,
        })
    }
}
