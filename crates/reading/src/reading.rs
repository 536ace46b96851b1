//! What is known about an amount right now.

use std::sync::Arc;

use alloy_primitives::B256;
use saldo_chain::Anchor;
use saldo_proof::StateRoot;
use saldo_token::VerifiedBalance;

use crate::amount::Amount;
use crate::announced::Announced;
use crate::candidate::Candidate;
use crate::claim::Claim;
use crate::failure::Attempt;
use crate::freshness::{Freshness, Now};
use crate::holding::Holding;
use crate::policy::Policy;
use crate::provider::ProviderId;
use crate::quorum::Quorum;
use crate::why::Why;

/// What is known about an amount right now. An unknown amount is a value, not an error.
///
/// Exhaustive on purpose: code that forgets `Unknown` must not compile; a new variant is a major version.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// A Merkle proof shows it, under a header that the chain's sync committee signed, or under a block of a rollup for which Ethereum
    /// vouches.
    Proven(Proven),
    /// A provider claims an amount that cannot be proven yet: its proof is at a block that is not signed yet, or for which Ethereum does not
    /// vouch yet.
    Provisional(Provisional),
    /// Nothing was proven. It states the reason, and the outcome of each provider.
    Unknown(Unknown),
}

impl Reading {
    /// Returns the amount that this reading proved, if it proved one.
    pub fn proven(&self) -> Option<&Proven> {
        match self {
            Self::Proven(proven) => Some(proven),
            Self::Provisional(_) | Self::Unknown(_) => None,
        }
    }

    /// Returns the newest proven amount: this reading's own, else the last one before it. Show it with its age.
    pub fn latest_proven(&self) -> Option<&Proven> {
        match self {
            Self::Proven(proven) => Some(proven),
            Self::Provisional(provisional) => provisional.last(),
            Self::Unknown(unknown) => unknown.last(),
        }
    }

    /// Returns why this reading is not proven; `None` if it is.
    pub fn why(&self) -> Option<&Why> {
        match self {
            Self::Proven(_) => None,
            Self::Provisional(provisional) => Some(provisional.why()),
            Self::Unknown(unknown) => Some(unknown.why()),
        }
    }

    /// Returns the requests for this reading, and the outcome of each.
    pub fn attempts(&self) -> &[Attempt] {
        match self {
            Self::Proven(proven) => &proven.attempts,
            Self::Provisional(provisional) => &provisional.attempts,
            Self::Unknown(unknown) => &unknown.attempts,
        }
    }
}

/// An amount that a Merkle proof shows under a header that the chain's sync committee signed, or under a block of a rollup for which
/// Ethereum vouches ([`Assurance`](saldo_chain::Assurance)). Only the
/// [gate](crate::gate) builds it, from a [joined](crate::join) candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    pub(crate) holding: Holding,
    pub(crate) amount: Amount,
    pub(crate) nonce: Option<u64>,
    pub(crate) token: Option<Arc<VerifiedBalance>>,
    pub(crate) anchor: Anchor,
    pub(crate) provider: ProviderId,
    pub(crate) attempts: Arc<[Attempt]>,
    pub(crate) restored: bool,
}

impl Proven {
    /// Returns the holding that was asked about.
    pub fn holding(&self) -> &Holding {
        &self.holding
    }

    /// Returns the amount.
    pub fn amount(&self) -> Amount {
        self.amount
    }

    /// Returns the account's nonce, which the same proof shows; `None` for an asset other than the native one. An account
    /// that does not exist has nonce 0.
    pub fn nonce(&self) -> Option<u64> {
        self.nonce
    }

    /// Returns how the balance of a token was proven: by which layout, for which code; `None` for the native asset.
    pub fn token(&self) -> Option<&VerifiedBalance> {
        self.token.as_deref()
    }

    /// Returns whether the token's issuer has frozen the owner's balance, so that it cannot be moved. False where the token's
    /// layout does not say.
    pub fn is_frozen(&self) -> bool {
        self.token.as_ref().is_some_and(|token| token.is_blocked())
    }

    /// Returns the block that it is true at, and how that block's header is known.
    pub fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// Returns the provider that served the proof. The amount does not depend on the provider.
    pub fn provider(&self) -> &ProviderId {
        &self.provider
    }

    /// Returns whether it was proven before the app was started, and comes from the device's storage. Its proof was checked
    /// again, but not whether the chain still has its block. The next proven reading replaces it. Show it with its age.
    pub fn is_restored(&self) -> bool {
        self.restored
    }

    /// Returns the requests that led to it, and the outcome of each; none for a remembered amount.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Returns how old the block is at the time `now`, by `policy`.
    pub fn freshness(&self, now: Now, policy: &Policy) -> Freshness {
        Freshness::of(self.anchor.timestamp(), now, policy)
    }

    /// Makes the reading that the gate hands out: `candidate` at `anchor`, its block as it is known now.
    pub(crate) fn of(candidate: &Candidate, anchor: Anchor) -> Self {
        let Candidate { holding, amount, nonce, token, provider, restored, .. } = candidate;
        let attempts = Arc::new([]);
        Self {
            holding: *holding,
            amount: *amount,
            nonce: *nonce,
            token: token.clone(),
            anchor,
            provider: provider.clone(),
            attempts,
            restored: *restored,
        }
    }

    /// Adds the requests that led to it.
    pub(crate) fn with_attempts(self, attempts: impl Into<Arc<[Attempt]>>) -> Self {
        Self { attempts: attempts.into(), ..self }
    }
}

/// A claim that cannot be proven yet: a complete proof under a state root that is not signed. Anyone can invent such a
/// proof, so a claim never replaces an amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provisional {
    unconfirmed: Option<Amount>,
    state_root: StateRoot,
    provider: ProviderId,
    quorum: Option<Quorum>,
    announced: Option<Announced>,
    why: Why,
    pub(crate) attempts: Arc<[Attempt]>,
    last: Option<Proven>,
}

impl Provisional {
    /// Makes the claim of `provider`: a proof under a root that is not signed.
    pub(crate) fn new(
        claim: &Claim,
        provider: ProviderId,
        why: Why,
        attempts: impl Into<Arc<[Attempt]>>,
        last: Option<Proven>,
    ) -> Self {
        let unconfirmed = Some(claim.amount()).filter(|amount| !amount.is_zero()).map(Amount::new);
        let (state_root, quorum, announced) = (claim.state_root(), claim.quorum(), claim.announced());
        Self { unconfirmed, state_root, provider, quorum, announced, why, attempts: attempts.into(), last }
    }

    /// Returns the claimed amount, to be shown as unconfirmed; `None` for zero, because a claim is not enough to show zero.
    pub fn unconfirmed_amount(&self) -> Option<Amount> {
        self.unconfirmed
    }

    /// Returns the state root of the claim, which is not signed yet.
    pub fn state_root(&self) -> B256 {
        self.state_root.get()
    }

    /// Returns the provider that claims it.
    pub fn provider(&self) -> &ProviderId {
        &self.provider
    }

    /// Returns how many operators name the block of the claim, if several do. It is asked on a rollup only. It proves nothing: its words
    /// say what one trusts.
    pub fn quorum(&self) -> Option<Quorum> {
        self.quorum
    }

    /// Returns the key of the sequencer that announced the block of the claim, if a relay showed its signature. It is asked on a rollup
    /// with a relay only. It proves nothing: its words say what one trusts.
    pub fn announced(&self) -> Option<Announced> {
        self.announced
    }

    /// Returns why it is not proven.
    pub fn why(&self) -> &Why {
        &self.why
    }

    /// Returns the newest proven amount before it. Continue to show it, with its age.
    pub fn last(&self) -> Option<&Proven> {
        self.last.as_ref()
    }
}

/// Nothing was proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    why: Why,
    pub(crate) attempts: Arc<[Attempt]>,
    last: Option<Proven>,
}

impl Unknown {
    /// Makes a reading that proved nothing because of `why`.
    pub(crate) fn new(why: Why, attempts: impl Into<Arc<[Attempt]>>, last: Option<Proven>) -> Self {
        Self { why, attempts: attempts.into(), last }
    }

    /// Returns why nothing was proven.
    pub fn why(&self) -> &Why {
        &self.why
    }

    /// Returns the requests for this reading, and the outcome of each.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Returns the newest proven amount before it. Continue to show it, with its age.
    pub fn last(&self) -> Option<&Proven> {
        self.last.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, Bytes};
    use saldo_proof::trie::EMPTY_ROOT_HASH;
    use saldo_proof::verify_account;

    use super::*;

    #[test]
    fn a_claim_keeps_its_state_root_and_never_shows_zero() {
        let proof: [Bytes; 0] = [];
        let absent = verify_account(StateRoot::new(EMPTY_ROOT_HASH), Address::ZERO, &proof).unwrap();
        let provider = ProviderId::new("rpc.example").unwrap();
        let claim = Provisional::new(&Claim::from(&absent), provider.clone(), Why::UnsignedTip, [], None);
        assert_eq!(claim.state_root(), EMPTY_ROOT_HASH);
        assert_eq!((claim.provider(), claim.why(), claim.last()), (&provider, &Why::UnsignedTip, None));
        assert_eq!(claim.unconfirmed_amount(), None);
    }
}
