//! What is known about an amount right now.

use std::sync::Arc;

use alloy_primitives::B256;
use saldo_chain::Anchor;
use saldo_proof::{Account, StateRoot, Verified};

use crate::amount::Amount;
use crate::candidate::Candidate;
use crate::failure::Attempt;
use crate::freshness::{Freshness, Now};
use crate::holding::Holding;
use crate::policy::Policy;
use crate::provider::ProviderId;
use crate::why::Why;

/// What is known about an amount right now. Not knowing is a value, not an error.
///
/// Exhaustive on purpose: code that forgets `Unknown` must not compile; a new variant is a major version.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Merkle proof under a header that the chain's sync committee signed.
    Proven(Proven),
    /// Something was claimed that cannot be proven yet (a proof at an unsigned tip).
    Provisional(Provisional),
    /// Nothing usable was learned. Says why, provider by provider.
    Unknown(Unknown),
}

impl Reading {
    /// The proven amount, if this very reading proved one.
    pub fn proven(&self) -> Option<&Proven> {
        match self {
            Self::Proven(proven) => Some(proven),
            Self::Provisional(_) | Self::Unknown(_) => None,
        }
    }

    /// The newest proven amount there is: this reading's own, else the one before it. Show it with its age.
    pub fn latest_proven(&self) -> Option<&Proven> {
        match self {
            Self::Proven(proven) => Some(proven),
            Self::Provisional(provisional) => provisional.last(),
            Self::Unknown(unknown) => unknown.last(),
        }
    }

    /// Why this reading is not proven; `None` if it is.
    pub fn why(&self) -> Option<&Why> {
        match self {
            Self::Proven(_) => None,
            Self::Provisional(provisional) => Some(provisional.why()),
            Self::Unknown(unknown) => Some(unknown.why()),
        }
    }

    /// Who was asked for this reading, and what became of it.
    pub fn attempts(&self) -> &[Attempt] {
        match self {
            Self::Proven(proven) => &proven.attempts,
            Self::Provisional(provisional) => &provisional.attempts,
            Self::Unknown(unknown) => &unknown.attempts,
        }
    }
}

/// An amount that a Merkle proof shows under a header that the chain's sync committee signed. Built by the
/// [gate](crate::gate) alone, from what was [joined](crate::join).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    pub(crate) holding: Holding,
    pub(crate) amount: Amount,
    pub(crate) nonce: Option<u64>,
    pub(crate) anchor: Anchor,
    pub(crate) provider: ProviderId,
    pub(crate) attempts: Arc<[Attempt]>,
    pub(crate) restored: bool,
}

impl Proven {
    /// What was asked about.
    pub fn holding(&self) -> &Holding {
        &self.holding
    }

    /// How much of it there is.
    pub fn amount(&self) -> Amount {
        self.amount
    }

    /// The account's nonce, shown by the same proof; `None` for an asset other than the native one. An account that
    /// does not exist has nonce 0.
    pub fn nonce(&self) -> Option<u64> {
        self.nonce
    }

    /// The block it is true at, and how that block's header is known.
    pub fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// Who served the proof. It could not have been another amount, whoever served it.
    pub fn provider(&self) -> &ProviderId {
        &self.provider
    }

    /// Whether it was proven before the app was started, and comes from the device's storage: its proof was checked again,
    /// but nobody has been asked since whether the chain still has its block. The next reading that is proven takes its
    /// place. Show it with its age.
    pub fn is_restored(&self) -> bool {
        self.restored
    }

    /// How old the block is against `policy`. Computed on demand, so that it cannot go stale itself.
    pub fn freshness(&self, now: Now, policy: &Policy) -> Freshness {
        Freshness::of(self.anchor.timestamp(), now, policy)
    }

    /// What the gate lets out: `candidate`, at its block as it is known now.
    pub(crate) fn of(candidate: &Candidate, anchor: Anchor) -> Self {
        let Candidate { holding, amount, nonce, provider, restored, .. } = candidate;
        let attempts = Arc::new([]);
        Self {
            holding: *holding,
            amount: *amount,
            nonce: *nonce,
            anchor,
            provider: provider.clone(),
            attempts,
            restored: *restored,
        }
    }

    /// Notes who was asked on the way.
    pub(crate) fn with_attempts(self, attempts: impl Into<Arc<[Attempt]>>) -> Self {
        Self { attempts: attempts.into(), ..self }
    }
}

/// A claim that cannot be proven yet: a complete proof under a state root that nobody has signed. Anyone can make one
/// up, so it never stands in for an amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provisional {
    unconfirmed: Option<Amount>,
    state_root: StateRoot,
    provider: ProviderId,
    why: Why,
    pub(crate) attempts: Arc<[Attempt]>,
    last: Option<Proven>,
}

impl Provisional {
    /// What `provider` claims by a proof under a root that is not signed.
    pub(crate) fn new(
        account: &Verified<Account>,
        provider: ProviderId,
        why: Why,
        attempts: impl Into<Arc<[Attempt]>>,
        last: Option<Proven>,
    ) -> Self {
        let unconfirmed = match account.leaf() {
            Account::Present(state) if !state.balance.is_zero() => Some(Amount::new(state.balance)),
            Account::Present(_) | Account::Absent => None,
        };
        Self { unconfirmed, state_root: account.state_root(), provider, why, attempts: attempts.into(), last }
    }

    /// The amount that is claimed, for showing as unconfirmed; `None` for zero, which must not be shown on a claim.
    pub fn unconfirmed_amount(&self) -> Option<Amount> {
        self.unconfirmed
    }

    /// The state root that the claim stands under, and that nobody has signed yet.
    pub fn state_root(&self) -> B256 {
        self.state_root.get()
    }

    /// Who claims it.
    pub fn provider(&self) -> &ProviderId {
        &self.provider
    }

    /// Why it is not proven.
    pub fn why(&self) -> &Why {
        &self.why
    }

    /// The newest proven amount before it. Go on showing it, with its age.
    pub fn last(&self) -> Option<&Proven> {
        self.last.as_ref()
    }
}

/// Nothing usable was learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    why: Why,
    pub(crate) attempts: Arc<[Attempt]>,
    last: Option<Proven>,
}

impl Unknown {
    /// Nothing was learned, because of `why`.
    pub(crate) fn new(why: Why, attempts: impl Into<Arc<[Attempt]>>, last: Option<Proven>) -> Self {
        Self { why, attempts: attempts.into(), last }
    }

    /// Why nothing was learned.
    pub fn why(&self) -> &Why {
        &self.why
    }

    /// The newest proven amount before it. Go on showing it, with its age.
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
    fn a_claim_keeps_what_it_stands_under_and_never_shows_a_zero() {
        let proof: [Bytes; 0] = [];
        let absent = verify_account(StateRoot::new(EMPTY_ROOT_HASH), Address::ZERO, &proof).unwrap();
        let provider = ProviderId::new("rpc.example").unwrap();
        let claim = Provisional::new(&absent, provider.clone(), Why::UnsignedTip, [], None);
        assert_eq!(claim.state_root(), EMPTY_ROOT_HASH);
        assert_eq!((claim.provider(), claim.why(), claim.last()), (&provider, &Why::UnsignedTip, None));
        assert_eq!(claim.unconfirmed_amount(), None);
    }
}
