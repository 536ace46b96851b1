//! The drill's provider or source for each behaviour.

use std::sync::OnceLock;
use std::time::Duration;

use alloy_primitives::U256;
use serde_json::{Value, json};

use super::Behaviour;
use super::mirror::Mirror;
use crate::holding::OWNERS;
use crate::story::Recordings;
use crate::token;
use saldo_drill::fault::Side;
use saldo_drill::http::Reaction;
use saldo_drill::{BeaconSource, Chain, Fault, Provider, Recording, Rule};

/// The value of an unknown header field. With another gas limit beside it, it is as if the hash committed to
/// the field too.
const ODD_ROOT: &str = "0x1111111111111111111111111111111111111111111111111111111111111111";

/// The chains of a world.
#[derive(Clone, Debug)]
pub(crate) struct Chains {
    pub(crate) main: Chain,
    pub(crate) twin: Option<Chain>,
    /// Another network.
    pub(crate) other: Chain,
}

/// The service of one behaviour.
#[derive(Clone, Debug)]
pub(crate) enum PartyService {
    Provider(Provider),
    Source(BeaconSource),
    Mirror(Mirror),
}

impl Chains {
    pub(crate) fn of(recordings: &Recordings) -> Self {
        static OTHER: OnceLock<Chain> = OnceLock::new();
        let other = OTHER.get_or_init(|| {
            let accounts = OWNERS.map(|owner| (owner, U256::from(123_456_789)));
            token::deploy(Chain::builder(99), 44).chain_id(1).accounts(accounts).history(48).build()
        });
        let twin = recordings.twin.as_ref().map(Recording::play);
        Self { main: recordings.main.play(), twin, other: other.clone() }
    }
}

impl Behaviour {
    /// An execution provider with this behaviour and `latency` added.
    pub(crate) fn provider(self, chains: &Chains, latency: Duration) -> Provider {
        let latency = latency.saturating_add(Duration::from_millis(self.latency()));
        let provider = Provider::honest(&chains.main).latency(latency);
        match self {
            Self::TipOnly => provider.proof_window(0),
            Self::Window(blocks) => provider.proof_window(blocks),
            Self::Lagging(blocks) => provider.lag(blocks),
            Self::OddHeader => provider
                .with(field("futureRoot", ODD_ROOT).on("eth_getBlockByHash"))
                .with(field("gasLimit", "0x1").on("eth_getBlockByHash"))
                .with(not_served().on("debug_getRawHeader")),
            Self::NoClaims => claims(provider, None),
            Self::NullClaims => claims(provider, Some(&Value::Null)),
            Self::TextAtFirst(times) => provider.with(text().times(times)),
            Self::PageAtFirst(times) => provider.with(Fault::Html.times(times)),
            Self::OddAtFirst(form) => provider.with(Fault::OddError(form).times(2)),
            _ => self.rule(chains, Side::Execution).into_iter().fold(provider, Provider::with),
        }
    }

    /// A beacon source with this behaviour and `latency` added.
    pub(crate) fn source(self, chains: &Chains, latency: Duration) -> BeaconSource {
        let latency = latency.saturating_add(Duration::from_millis(self.latency()));
        let source = BeaconSource::honest(&chains.main).latency(latency);
        match self {
            Self::Lagging(blocks) => source.lag(blocks),
            Self::LaterFields => source.with(Fault::JsonOnly),
            Self::TextAtFirst(times) => source.with(text().times(times)),
            Self::PageAtFirst(times) => source.with(Fault::Html.times(times)),
            _ => self.rule(chains, Side::Beacon).into_iter().fold(source, BeaconSource::with),
        }
    }

    /// Changes the form of an answer, and not its meaning.
    pub(crate) fn reword(self, reaction: Reaction) -> Reaction {
        let Reaction::Reply(mut reply) = reaction else { return reaction };
        match self {
            Self::Capitals => {
                let is_reworded = |name: &str| matches!(name, "content-type" | "eth-consensus-version");
                let reworded = reply.headers.iter_mut().filter(|(name, _)| is_reworded(name));
                reworded.for_each(|(_, value)| value.make_ascii_uppercase());
            }
            Self::LaterFields => {
                const PLACE: &str = "\"transactions_root\"";
                let text = String::from_utf8_lossy(&reply.body);
                if !text.contains("\"blob_gas_used\"") && text.contains(PLACE) {
                    let fields = format!("\"blob_gas_used\":\"0\",\"excess_blob_gas\":\"0\",{PLACE}");
                    reply.body = text.replace(PLACE, &fields).into_bytes();
                }
            }
            _ => {}
        }
        Reaction::Reply(reply)
    }

    /// The same source as a mirror.
    pub(crate) fn mirror(self, chains: &Chains, latency: Duration) -> Mirror {
        Mirror::of(self.source(chains, latency), &chains.main)
    }

    /// The fault, if this side can have it.
    fn rule(self, chains: &Chains, side: Side) -> Option<Rule> {
        let fault = self.lie_about_tokens().or_else(|| self.fault(chains))?;
        fault.side().is_none_or(|only| only == side).then(|| fault.into())
    }

    fn lie_about_tokens(self) -> Option<Fault> {
        match self {
            Self::OtherSlots => Some(Fault::OtherSlotsProof),
            Self::TruncatedSlot(nodes) => Some(Fault::TruncatedStorageProof { nodes }),
            Self::NoSlots => Some(Fault::NoStorageProof),
            Self::LeftOutSlot => Some(Fault::LeftOutSlot),
            Self::MixedBlocks => Some(Fault::MixedBlocks),
            Self::OtherCode => Some(Fault::OtherCode),
            _ => None,
        }
    }

    fn fault(self, chains: &Chains) -> Option<Fault> {
        Some(match self {
            Self::Refuse => Fault::Refuse,
            Self::Hang => Fault::Hang,
            Self::Unresolvable => Fault::Unresolvable,
            Self::BadCertificate => Fault::BadCertificate,
            Self::Trickle(bytes_per_second) => Fault::Trickle { bytes_per_second },
            Self::Reset(after) => Fault::Reset { after },
            Self::Status(status) => Fault::Status(status),
            Self::RateLimited(seconds) => {
                Fault::RateLimited { retry_after: seconds.map(|seconds| seconds.to_string()) }
            }
            Self::QuotaExhausted => Fault::QuotaExhausted,
            Self::Forbidden => Fault::Forbidden,
            Self::Html => Fault::Html,
            Self::Redirect => Fault::Redirect("http://elsewhere.test/".into()),
            Self::Huge => Fault::Huge { bytes: 2_000_000 },
            Self::Truncated => Fault::Truncated,
            Self::Empty => Fault::Body(String::new()),
            Self::OtherChain => Fault::OtherChain(chains.other.clone()),
            Self::Twin => Fault::OtherChain(chains.twin.clone()?),
            Self::BatchLimit(calls, form) => Fault::BatchLimit { calls, form },
            Self::ResponseLimit(bytes) => Fault::ResponseLimit { bytes },
            Self::CallRate(per_second) => Fault::CallRate { per_second, retry_after: None },
            Self::OddError(form) => Fault::OddError(form),
            Self::NoProofs => Fault::NoProofs,
            Self::Null => Fault::NullResult,
            Self::BareZero => Fault::Result(json!("0x0")),
            Self::InternalError => Fault::Error { code: -32603, message: "internal error".into() },
            Self::HeaderNotFound => Fault::Error { code: -32000, message: "header not found".into() },
            Self::WrongId => Fault::WrongId,
            Self::ListForSingle => Fault::ListForSingle,
            Self::StaleBlock(blocks) => Fault::StaleBlock(blocks),
            Self::ZeroClaim => Fault::ZeroBalance,
            Self::TruncatedProof(nodes) => Fault::TruncatedProof { nodes },
            Self::ExtraNodes => Fault::ExtraNodes,
            Self::FlippedBit => Fault::FlippedByte { node: 0, byte: 5 },
            Self::OtherAccount => Fault::OtherAccountsProof,
            Self::OtherAccountEchoed => Fault::OtherAccountEchoed,
            Self::InventedZero => Fault::InventedTrie { balance: U256::ZERO },
            Self::InventedRiches => Fault::InventedTrie { balance: U256::from(1_u64 << 62) },
            Self::JsonOnly => Fault::JsonOnly,
            Self::ForgedSignature => Fault::ForgedSignature,
            Self::TooFewSigners(signers) => Fault::TooFewSigners(signers),
            Self::LastCommittee => Fault::LastCommittee,
            Self::NoBootstrap => Fault::NoBootstrap,
            Self::NoUpdates => Fault::NoUpdates,
            Self::WithoutVersion => Fault::WithoutVersion,
            Self::Relabelled(fork) => Fault::Relabelled(fork),
            Self::OtherRoot => Fault::OtherRoot,
            Self::NotFinalized => Fault::NotFinalized,
            Self::NoRoute => Fault::NoRoute,
            _ => return None,
        })
    }
}

/// All that a proof claims beside its nodes is `value`, or missing.
fn claims(provider: Provider, value: Option<&Value>) -> Provider {
    let names = ["address", "balance", "nonce", "codeHash", "storageHash"];
    names.into_iter().fold(provider, |provider, name| {
        provider.with(Fault::Field { name: name.into(), value: value.cloned() }.on("eth_getProof"))
    })
}

fn text() -> Fault {
    Fault::Body("upstream is not there".into())
}

fn field(name: &str, value: &str) -> Fault {
    Fault::Field { name: name.into(), value: Some(json!(value)) }
}

fn not_served() -> Fault {
    Fault::Error { code: -32601, message: "the method does not exist".into() }
}
