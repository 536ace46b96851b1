//! The words for a finding.

use std::fmt;

use crate::counted::counted;
use crate::finding::Finding;

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(error) => write!(formatter, "cannot be reached: {error}"),
            Self::NotSecure(fault) => write!(formatter, "the connection cannot be secured: {fault}"),
            Self::Moved { status } => write!(formatter, "has moved to another address (HTTP {status})"),
            Self::IsBeaconNode => {
                formatter.write_str("is a beacon node, and was given as an execution provider")
            }
            Self::IsExecutionProvider => {
                formatter.write_str("is an execution provider, and was given as a beacon source")
            }
            Self::NeverAnswers => formatter.write_str("accepts requests but does not answer in time"),
            Self::TooSlow { latency } => {
                write!(formatter, "too slow: half of its answers take {} ms or more", latency.as_millis())
            }
            Self::WebPage => formatter.write_str("answers with a web page"),
            Self::RateLimited { retry_after } => match retry_after {
                Some(after) => write!(formatter, "rate limited, for {} s", after.as_secs()),
                None => formatter.write_str("rate limited"),
            },
            Self::LimitsRate(rate) => write!(formatter, "limits the rate: about {rate}"),
            Self::CountsCalls { calls } => {
                write!(formatter, "counts every call of a batch: takes about {calls} calls a second")
            }
            Self::LimitsRoute { route } => {
                write!(
                    formatter,
                    "rate limited for as long as it is asked for {route}, and answers other requests"
                )
            }
            Self::QuotaExhausted => formatter.write_str("the quota is used up"),
            Self::Denied => formatter.write_str("denies access"),
            Self::WrongId => formatter.write_str("answers with another request's id"),
            Self::Fails(failure) => write!(formatter, "fails: {failure}"),
            _ => self.fmt_data(formatter),
        }
    }
}

impl Finding {
    /// The words for a finding about what the endpoint serves. The others have their words above.
    fn fmt_data(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongChain { got, expected } => write!(f, "serves chain {got}, not {expected}"),
            Self::LiesAboutTip { said, given } => {
                write!(f, "reports block {said} as its newest, but gives block {given}")
            }
            Self::OtherBranch => f.write_str("is past the signed head, but does not have that block"),
            Self::Lagging { blocks, .. } => write!(f, "{} behind the signed head", counted(*blocks, "block")),
            Self::NotSynced => f.write_str("does not know the blocks that it is asked for: it is not synced"),
            Self::HeaderRefused => f.write_str("its block does not hash to its own hash"),
            Self::UnknownHeaderLayout => {
                f.write_str("its blocks have a field that this version does not know")
            }
            Self::NoProofs => f.write_str("does not serve eth_getProof"),
            Self::TruncatedProof => f.write_str("its proofs end before the answer"),
            Self::ProofRefused(error) => write!(f, "its proofs do not verify: {error}"),
            Self::FalseClaim => f.write_str("claims an amount that its own proof contradicts"),
            Self::TipOnly => f.write_str("proves only its newest block"),
            Self::ShallowProofs { blocks } => {
                write!(f, "proves {} back, less far than finality", counted(*blocks, "block"))
            }
            Self::ClaimsOlderProofs { from, refused } => {
                write!(f, "claims to have proofs from block {from} on, and gives none of block {refused}")
            }
            Self::ClaimsNoProofs => f.write_str("claims to serve no proofs, and serves them"),
            Self::BrokenBatch { size } => {
                write!(f, "does not answer a batch of {size} calls correctly")
            }
            Self::ClockDiffers { seconds } => {
                let way = if *seconds < 0 { "behind" } else { "ahead of" };
                write!(f, "its clock is {} s {way} this device's", seconds.unsigned_abs())
            }
            _ => self.fmt_source(f),
        }
    }

    /// The words for a finding about a beacon source or a checkpoint source.
    fn fmt_source(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherNetwork => f.write_str("is of another network"),
            Self::NoBootstrap => f.write_str("does not have the bootstrap of the checkpoint"),
            Self::NoUpdates { period } => {
                write!(f, "lacks updates between the checkpoint and now, from period {period} on")
            }
            Self::NoFinalityUpdates => f.write_str("serves no finality updates"),
            Self::NoOptimisticUpdates => f.write_str("serves no optimistic updates"),
            Self::NoHeads => f.write_str("serves neither optimistic nor finality updates"),
            Self::DataRefused(failure) => fmt::Display::fmt(failure, f),
            Self::UnknownFork => f.write_str("its data is of a fork that this version cannot read"),
            Self::Behind { slots, .. } => {
                write!(f, "its newest signed head is {} behind", counted(*slots, "slot"))
            }
            Self::CheckpointTooOld => f.write_str("the checkpoint is too old to start from"),
            Self::ClockOff => f.write_str("this device's clock is wrong"),
            Self::NoLightClientData => f.write_str("has no light-client routes, or they are switched off"),
            Self::OutvotedRoot => f.write_str("names another block than the others"),
            Self::OldHead { age } => {
                write!(f, "its newest block is {} old", counted(age.as_secs() / 60, "minute"))
            }
            Self::OfRollup(found) => fmt::Display::fmt(found, f),
            _ => f.write_str(self.code()),
        }
    }
}
