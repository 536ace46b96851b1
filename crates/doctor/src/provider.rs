//! The results for one execution provider.

use std::time::Duration;

use saldo_beacon::unit::UnixTime;
use saldo_reading::ProviderId;
use saldo_source::Endpoint;

use crate::check::{Check, Unchecked};
use crate::counted::counted;
use crate::finding::Finding;

/// The results for one execution provider.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProviderReport {
    /// The provider.
    pub provider: ProviderId,
    /// The operator: as declared, else the host.
    pub run_by: String,
    /// Whether the operator was declared.
    pub operator_is_declared: bool,
    /// The hosting company or region, if it was declared.
    pub hosting: Option<String>,
    /// How many requests the provider received.
    pub requests: u32,
    /// The median time to its answers.
    pub latency: Option<Duration>,
    /// By how many seconds its clock is ahead of the device's.
    pub clock_offset: Option<i64>,
    /// The chain id that it serves (EIP-155).
    pub chain_id: Check<u64>,
    /// Its newest block, as it claims.
    pub tip: Check<Tip>,
    /// Whether the JSON of its newest block rebuilds to the block's hash.
    pub block_rebuilds: Check<()>,
    /// Whether `debug_getRawHeader` gives its newest block's header.
    pub raw_header: Check<()>,
    /// How many nodes its proof at its own tip has, checked under that block's state root.
    pub proof_at_tip: Check<usize>,
    /// How many nodes its proof at the signed head has, checked under that head's state root.
    pub proof_at_signed_head: Check<usize>,
    /// How far back its proofs go.
    pub depth: Check<Depth>,
    /// Whether a proof can be asked for by the tag `latest`.
    pub by_tag: Check<()>,
    /// Whether a proof can be asked for by block hash (EIP-1898).
    pub by_hash: Check<()>,
    /// The largest batch, of the tried sizes, that it answered correctly, also with proofs.
    pub batch: Check<usize>,
    /// What `eth_capabilities` claims about proofs.
    pub capabilities: Check<Capabilities>,
    /// By how many blocks its tip is ahead of the signed head; negative if it is behind.
    pub ahead_of_signed: Option<i64>,
    /// The findings.
    pub findings: Vec<Finding>,
    /// Whether the chain is a rollup, which has no committee.
    pub(crate) is_of_rollup: bool,
}

/// The newest block of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// The block number.
    pub number: u64,
    /// The block's timestamp.
    pub timestamp: UnixTime,
}

/// How far back a provider's proofs go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// The deepest proof that verified under its block's state root, in blocks below the tip.
    pub proven: u64,
    /// The smallest depth without a proof; `None` if every tried depth had one.
    pub refused: Option<u64>,
}

/// What `eth_capabilities` claims about proofs. Nothing of it is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The provider claims that it serves no proofs.
    pub disabled: bool,
    /// The oldest block of which it claims to have proofs.
    pub oldest_block: Option<u64>,
    /// The oldest block of which it claims to have the state.
    pub oldest_state: Option<u64>,
}

impl Depth {
    /// Whether only the newest one or two blocks have proofs.
    pub fn is_tip_only(&self) -> bool {
        self.refused.is_some_and(|refused| refused <= 2)
    }
}

impl std::fmt::Display for Depth {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.proven, self.refused) {
            _ if self.is_tip_only() => formatter.write_str("tip only"),
            (120..=128, Some(128..=136)) => formatter.write_str("128 blocks"),
            (proven, Some(refused)) => {
                write!(formatter, "{proven} to {}", counted(refused.saturating_sub(1), "block"))
            }
            (proven, None) => write!(formatter, ">= {}", counted(proven, "block")),
        }
    }
}

impl ProviderReport {
    pub(crate) fn new(endpoint: &Endpoint) -> Self {
        let unchecked = Unchecked::NotReached;
        Self {
            provider: endpoint.id().clone(),
            run_by: endpoint.run_by().to_owned(),
            operator_is_declared: endpoint.operator_is_declared(),
            hosting: endpoint.hosted_by().map(str::to_owned),
            requests: 0,
            latency: None,
            clock_offset: None,
            chain_id: Check::NotChecked(unchecked),
            tip: Check::NotChecked(unchecked),
            block_rebuilds: Check::NotChecked(unchecked),
            raw_header: Check::NotChecked(unchecked),
            proof_at_tip: Check::NotChecked(unchecked),
            proof_at_signed_head: Check::NotChecked(unchecked),
            depth: Check::NotChecked(unchecked),
            by_tag: Check::NotChecked(unchecked),
            by_hash: Check::NotChecked(unchecked),
            batch: Check::NotChecked(unchecked),
            capabilities: Check::NotChecked(unchecked),
            ahead_of_signed: None,
            findings: Vec::new(),
            is_of_rollup: false,
        }
    }

    pub(crate) fn of_rollup(endpoint: &Endpoint) -> Self {
        Self { is_of_rollup: true, ..Self::new(endpoint) }
    }

    /// Whether it can prove a balance: at the signed head, or at its tip as soon as the tip is signed. On a rollup: at its tip, for which
    /// L1 vouches later.
    pub fn can_prove(&self) -> bool {
        if self.is_of_rollup {
            return self.proof_at_tip.is_found();
        }
        // A tip that is a little behind was signed already, in a slot that a running client has seen.
        let least = i64::try_from(Finding::MOST_BLOCKS_BEHIND).unwrap_or(0).saturating_neg();
        let tip_will_be_signed = self.ahead_of_signed.is_some_and(|ahead| ahead >= least);
        self.proof_at_signed_head.is_found() || (self.proof_at_tip.is_found() && tip_will_be_signed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depths_are_written_as_text() {
        for (proven, refused, text) in [
            (0, Some(1), "tip only"),
            (1, Some(2), "tip only"),
            (126, Some(128), "128 blocks"),
            (8, Some(16), "8 to 15 blocks"),
            (1_000, None, ">= 1000 blocks"),
        ] {
            assert_eq!(Depth { proven, refused }.to_string(), text);
        }
    }
}
