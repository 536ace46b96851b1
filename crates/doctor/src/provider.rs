//! What was found at one execution provider.

use std::time::Duration;

use saldo_beacon::unit::UnixTime;
use saldo_reading::ProviderId;
use saldo_source::Endpoint;

use crate::check::{Check, Unchecked};
use crate::finding::Finding;

/// What was found at one execution provider.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProviderReport {
    /// Who.
    pub provider: ProviderId,
    /// Who runs it: as declared, else its host.
    pub run_by: String,
    /// Whether who runs it was declared.
    pub operator_is_declared: bool,
    /// Where it is hosted, if that was declared.
    pub hosting: Option<String>,
    /// How many requests it got.
    pub requests: u32,
    /// The median time to its answers.
    pub latency: Option<Duration>,
    /// By how many seconds its clock is ahead of the device's.
    pub clock_offset: Option<i64>,
    /// The chain id it serves (EIP-155).
    pub chain_id: Check<u64>,
    /// Its newest block, as it says.
    pub tip: Check<Tip>,
    /// Whether the JSON of its newest block gives the block's hash again.
    pub block_rebuilds: Check<()>,
    /// Whether `debug_getRawHeader` gives the header of its newest block.
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
    /// The most calls of one batch, of those tried, that were answered rightly.
    pub batch: Check<usize>,
    /// What `eth_capabilities` says of proofs.
    pub capabilities: Check<Capabilities>,
    /// By how many blocks its tip is ahead of the signed head; negative if it is behind.
    pub ahead_of_signed: Option<i64>,
    /// What is worth knowing of it.
    pub findings: Vec<Finding>,
}

/// The newest block of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Its number.
    pub number: u64,
    /// Its own time.
    pub timestamp: UnixTime,
}

/// How far back proofs go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// The deepest proof, in blocks below the tip, that was checked under its block's state root.
    pub proven: u64,
    /// The least depth at which there was none; `None` if there was one as deep as was asked.
    pub refused: Option<u64>,
}

/// What `eth_capabilities` says of proofs. A claim, like everything that is not proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// It says that it serves no proofs.
    pub disabled: bool,
    /// The oldest block it says it has proofs of.
    pub oldest_block: Option<u64>,
}

impl Depth {
    /// Whether there are proofs of the newest block or two alone.
    pub fn is_tip_only(&self) -> bool {
        self.refused.is_some_and(|refused| refused <= 2)
    }
}

impl std::fmt::Display for Depth {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.proven, self.refused) {
            _ if self.is_tip_only() => formatter.write_str("tip only"),
            (120..=128, Some(128..=136)) => formatter.write_str("128 blocks"),
            (proven, Some(refused)) => write!(formatter, "{proven} to {} blocks", refused.saturating_sub(1)),
            (proven, None) => write!(formatter, ">= {proven} blocks"),
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
        }
    }

    /// Whether a balance can be proven with it: at the signed head, or at its tip, once that is signed.
    pub fn can_prove(&self) -> bool {
        let tip_will_be_signed = self.ahead_of_signed.is_some_and(|ahead| ahead >= 0);
        self.proof_at_signed_head.is_found() || (self.proof_at_tip.is_found() && tip_will_be_signed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depths_are_told_in_words() {
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
