//! The real client, asked about claims: true ones, false ones, old ones, and zero. It knows the truth, and holds each verdict against it.

use std::sync::{Mutex, PoisonError};

use alloy_primitives::{B256, U256};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use saldo::{Claim, Holding, Reading, UnixTime, Verdict};
use saldo_drill::Chain;

use crate::client::RealWallet;
use crate::holding::of_token;
use crate::rng::Rng;
use crate::token::{Truth, truth};
use crate::wallet::{Shown, ShownAmount, ShownBlock, Wallet};
use crate::world::World;

/// The defect of a wallet that checks claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    /// None.
    None,
    /// Takes a claim that was not checked for a confirmed one.
    BelievesUnchecked,
    /// Calls each claim different that is not the newest amount.
    IgnoresItsBlock,
}

/// Shows what is proven about the claims that it makes up.
pub(super) struct Checker {
    wallet: RealWallet,
    chain: Chain,
    /// Whether there is another chain that the client may follow.
    has_twin: bool,
    defect: Defect,
    rng: Mutex<Rng>,
}

impl Checker {
    pub(super) fn new(wallet: RealWallet, world: &World, chain: &Chain, defect: Defect) -> Self {
        let rng = Mutex::new(Rng::new(world.seed, "claims"));
        Self { wallet, chain: chain.clone(), has_twin: world.story.twin.is_some(), defect, rng }
    }

    /// Makes up a claim about `holding`.
    fn claim(&self, holding: Holding) -> Claim {
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        let (signed, tip) = (self.chain.signed().number, self.chain.tip().number);
        let old = signed.saturating_sub(rng.between(1, 70));
        let number = rng.weighted(&[(3, signed), (3, old), (1, tip), (1, tip.saturating_add(3))]);
        let truth = self.amount_at(number, holding).unwrap_or_default();
        let amount = match rng.below(5) {
            0 => truth.saturating_add(U256::from(rng.between(1, 9))),
            1 => U256::ZERO,
            _ => truth,
        };
        Claim { holding, amount, block: rng.chance(70).then_some(number) }
    }

    /// What the chain has in the block of that `number` now.
    fn amount_at(&self, number: u64, holding: Holding) -> Option<U256> {
        self.amount_in(self.chain.block(number)?.hash, holding)
    }

    fn amount_in(&self, block: B256, holding: Holding) -> Option<U256> {
        if of_token(&holding).is_none() {
            return self.chain.balance_at_hash(block, holding.owner());
        }
        match truth(&self.chain, block, &holding)? {
            Truth::Units(units, _) | Truth::Executed(units) => Some(units),
            Truth::NotRun | Truth::NoCode | Truth::NotAToken => None,
        }
    }

    /// What is wrong with `verdict` on `claim`, if something is. `before` is what the chain had in the block of the claim when the
    /// check began. The proven amount itself is judged as that of a reading is.
    fn wrong(&self, claim: &Claim, verdict: &Verdict, before: Option<U256>) -> Option<String> {
        let is_same = |proven: &saldo::Proven| proven.amount().base_units() == claim.amount;
        let told = |what: &str| Some(format!("{what}: {claim:?}, {verdict:?}"));
        match verdict {
            Verdict::Confirmed(proven) if !is_same(proven) => told("a false claim is confirmed"),
            Verdict::Different { proven, .. } | Verdict::Changed { proven, .. } if is_same(proven) => {
                told("a claim of the newest amount is not confirmed")
            }
            Verdict::Different { .. } => {
                let after = claim.block.and_then(|number| self.amount_at(number, claim.holding));
                let was_right = before == Some(claim.amount) && after == Some(claim.amount);
                (was_right && !self.has_twin).then(|| told("a true claim is called different")).flatten()
            }
            Verdict::Changed { proven, at, .. } => {
                let there = self.amount_in(at.hash(), claim.holding);
                let is_false = there.is_some_and(|there| there != claim.amount);
                let is_other = claim.block != Some(at.number()) || at.number() >= proven.anchor().number();
                (is_false || is_other).then(|| told("a claim was not right where it is said")).flatten()
            }
            Verdict::Confirmed(_) | Verdict::NotChecked(_) => None,
        }
    }

    fn with_defect(&self, verdict: Verdict) -> Verdict {
        match verdict {
            Verdict::Changed { proven, claimed, .. } if self.defect == Defect::IgnoresItsBlock => {
                Verdict::Different { proven, claimed }
            }
            verdict => verdict,
        }
    }

    fn show(&self, claim: &Claim, verdict: Verdict, before: Option<U256>) -> Shown {
        let verdict = self.with_defect(verdict);
        let wrong = self.wrong(claim, &verdict, before);
        let is_unchecked = matches!(verdict, Verdict::NotChecked(_));
        let reading = match verdict {
            Verdict::Confirmed(proven)
            | Verdict::Different { proven, .. }
            | Verdict::Changed { proven, .. } => Reading::Proven(proven),
            Verdict::NotChecked(unknown) => Reading::Unknown(unknown),
        };
        let shown = Shown::of(&reading, self.wallet.client.withdrawn(&claim.holding).as_ref());
        if is_unchecked && self.defect == Defect::BelievesUnchecked {
            let believed = ShownAmount { units: claim.amount, is_frozen: false, block: NOWHERE };
            return Shown { amount: Some(believed), why: None, ..shown };
        }
        Shown { wrong, ..shown }
    }
}

/// A block that does not exist.
const NOWHERE: ShownBlock =
    ShownBlock { number: 0, hash: B256::ZERO, time: UnixTime::from_secs(0), finalized: false };

impl Wallet for Checker {
    fn read<'a>(&'a self, holdings: &'a [Holding]) -> BoxFuture<'a, Vec<Shown>> {
        async move {
            let claims: Vec<Claim> = holdings.iter().map(|holding| self.claim(*holding)).collect();
            let there = |claim: &Claim| claim.block.and_then(|number| self.amount_at(number, claim.holding));
            let before: Vec<Option<U256>> = claims.iter().map(there).collect();
            let verdicts = self.wallet.client.check(&claims).await;
            let each = claims.iter().zip(verdicts).zip(before);
            each.map(|((claim, verdict), before)| self.show(claim, verdict, before)).collect()
        }
        .boxed()
    }

    fn network_changed(&self, online: bool) {
        self.wallet.network_changed(online);
    }

    fn remembers(&self) -> bool {
        true
    }

    fn withdrawn(&self, holding: Holding) -> Option<ShownBlock> {
        self.wallet.withdrawn(holding)
    }
}
