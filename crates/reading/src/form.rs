//! The serialised form of a reading: schema `saldo.reading/1`, described in `docs/saldo.reading-1.schema.json`.
//!
//! It goes one way. A form can be written and never read back: a text cannot prove an amount. A form has no age either,
//! because an age is only true at one moment; the time of the block is there instead. All keys are always present.

use alloy_primitives::Address;
use serde::{Serialize, Serializer};

use crate::amount::Amount;
use crate::announced::Announced;
use crate::failure::Attempt;
use crate::provider::ProviderId;
use crate::quorum::Quorum;
use crate::reading::{Proven, Provisional, Reading, Unknown};
use crate::why::Why;

mod asset;
mod block;
mod cause;
mod derivation;
mod total;

use asset::AssetId;
use block::{BlockForm, OriginForm};
use derivation::DerivationForm;

const SCHEMA: &str = "saldo.reading/1";

#[derive(Serialize)]
struct ReadingForm<'a> {
    schema: &'static str,
    state: &'static str,
    /// The holding of a proven reading. Another reading does not say what it is about: these three and `token` are `None`.
    chain_id: Option<u64>,
    address: Option<Address>,
    asset: Option<AssetId>,
    /// The contract of a token; `None` for the native coin.
    token: Option<Address>,
    amount: Option<Amount>,
    frozen: Option<bool>,
    /// `None` for the native coin.
    derivation: Option<DerivationForm>,
    block: Option<BlockForm>,
    provider: Option<&'a ProviderId>,
    /// Only of a claim.
    quorum: Option<QuorumForm>,
    /// Only of a claim.
    announced: Option<AnnouncedForm>,
    origin: Option<OriginForm<'a>>,
    why: Option<&'a Why>,
    attempts: &'a [Attempt],
    last: Option<&'a Proven>,
}

/// `trust` is for people.
#[derive(Serialize)]
struct QuorumForm {
    operators: usize,
    trust: String,
}

impl QuorumForm {
    fn of(quorum: Quorum) -> Self {
        Self { operators: quorum.operators(), trust: quorum.to_string() }
    }
}

/// `trust` is for people.
#[derive(Serialize)]
struct AnnouncedForm {
    signer: Address,
    trust: String,
}

impl AnnouncedForm {
    fn of(announced: Announced) -> Self {
        Self { signer: announced.signer(), trust: announced.to_string() }
    }
}

impl<'a> ReadingForm<'a> {
    fn proven(proven: &'a Proven) -> Self {
        Self {
            schema: SCHEMA,
            state: "proven",
            chain_id: Some(proven.holding.network().chain_id()),
            address: Some(proven.holding.owner()),
            asset: Some(AssetId::of(&proven.holding)),
            token: asset::token_of(&proven.holding),
            amount: Some(proven.amount),
            frozen: Some(proven.is_frozen()),
            derivation: derivation_of(proven),
            block: Some(BlockForm::of(&proven.anchor)),
            provider: Some(&proven.provider),
            quorum: None,
            announced: None,
            origin: Some(OriginForm::of(proven.anchor.origin())),
            why: None,
            attempts: &proven.attempts,
            last: None,
        }
    }

    /// Has no unconfirmed amount: a program that reads the form could take it for the amount.
    fn not_proven(
        state: &'static str,
        provider: Option<&'a ProviderId>,
        why: &'a Why,
        attempts: &'a [Attempt],
        last: Option<&'a Proven>,
    ) -> Self {
        Self {
            schema: SCHEMA,
            state,
            chain_id: None,
            address: None,
            asset: None,
            token: None,
            amount: None,
            frozen: None,
            derivation: None,
            block: None,
            provider,
            quorum: None,
            announced: None,
            origin: None,
            why: Some(why),
            attempts,
            last,
        }
    }
}

fn derivation_of(proven: &Proven) -> Option<DerivationForm> {
    proven.token().map(|balance| DerivationForm::of(balance.derivation()))
}

/// As `saldo.reading/1`.
impl Serialize for Reading {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Proven(proven) => ReadingForm::proven(proven).serialize(serializer),
            Self::Provisional(provisional) => provisional.serialize(serializer),
            Self::Unknown(unknown) => unknown.serialize(serializer),
        }
    }
}

/// As the [`Reading`] that it is.
impl Serialize for Provisional {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let provider = Some(self.provider());
        let form = ReadingForm::not_proven("provisional", provider, self.why(), &self.attempts, self.last());
        let (quorum, announced) =
            (self.quorum().map(QuorumForm::of), self.announced().map(AnnouncedForm::of));
        ReadingForm { quorum, announced, ..form }.serialize(serializer)
    }
}

/// As the [`Reading`] that it is.
impl Serialize for Unknown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ReadingForm::not_proven("unknown", None, self.why(), &self.attempts, self.last())
            .serialize(serializer)
    }
}

#[derive(Serialize)]
struct ProvenForm<'a> {
    chain_id: u64,
    address: Address,
    asset: AssetId,
    token: Option<Address>,
    amount: Amount,
    frozen: bool,
    derivation: Option<DerivationForm>,
    block: BlockForm,
    provider: &'a ProviderId,
    origin: OriginForm<'a>,
    restored: bool,
}

/// As `last` of `saldo.reading/1`: an amount with the block that it was proven at, without attempts.
impl Serialize for Proven {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = ProvenForm {
            chain_id: self.holding.network().chain_id(),
            address: self.holding.owner(),
            asset: AssetId::of(&self.holding),
            token: asset::token_of(&self.holding),
            amount: self.amount,
            frozen: self.is_frozen(),
            derivation: derivation_of(self),
            block: BlockForm::of(&self.anchor),
            provider: &self.provider,
            origin: OriginForm::of(self.anchor.origin()),
            restored: self.restored,
        };
        form.serialize(serializer)
    }
}

/// As its base units, in decimal: a number of a JSON reader may have 53 bits only.
impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.base_units())
    }
}

/// As its name.
impl Serialize for ProviderId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
