//! The pending proofs of a rollup that a claim reaches, which L1 does not count yet.
//!
//! Where a claim counts after days, there is one each hour or so, and only the proofs of the last blocks before its block can be linked
//! to it. So these are kept apart from the others, until the claim counts or is lost.

use std::collections::VecDeque;
use std::time::Duration;

use alloy_primitives::Address;
use saldo_source::SortedSet;

use super::stored::header_of;
use super::{PendingProof, PendingProofs};

impl PendingProofs {
    /// The most claims that one proof is kept for. Anybody may make false ones about the same block.
    pub(super) const CLAIMS: usize = 4;
    /// Into how many parts the time that proofs wait is divided. Of the proofs that claims reach, one of each part is kept: the next
    /// claim counts before the proven block is too old.
    const PARTS: u32 = 12;

    /// Notes that `game` claims the block `number`, and keeps for it the newest proof of each holding and provider that is at most `reach`
    /// blocks below. `longest` is how long proofs wait.
    pub(in super::super) fn note_claim(
        &mut self,
        (game, number): (Address, u64),
        reach: u64,
        longest: Duration,
    ) {
        let Self { proofs, headers, .. } = self;
        for key in proofs.keys().cloned().collect::<Vec<_>>() {
            let Some(tips) = proofs.get_mut(&key) else { continue };
            let is_reached = |tip: &&mut PendingProof| {
                let header = header_of(headers, &key.1, tip.checked.state_root());
                let links = header.and_then(|header| number.checked_sub(header.number()));
                links.is_some_and(|links| links <= reach)
            };
            if tips.iter().any(|tip| tip.claims.contains(&game)) {
                continue;
            }
            if let Some(tip) = tips.iter_mut().rev().find(is_reached)
                && tip.claims.len() < Self::CLAIMS
            {
                tip.claims.push(game);
                tip.is_written = false;
                keep_apart(tips, longest.checked_div(Self::PARTS).unwrap_or_default());
            }
        }
        self.recount();
    }

    /// Notes that L1 will never count the claim of `game`.
    pub(in super::super) fn drop_claim(&mut self, game: Address) {
        for tip in self.proofs.values_mut().flatten() {
            tip.claims.retain(|claim| *claim != game);
        }
    }

    /// The games whose claims the proofs wait for.
    pub(in super::super) fn claims(&self) -> SortedSet<Address> {
        self.proofs.values().flatten().flat_map(|tip| tip.claims.iter().copied()).collect()
    }
}

/// Drops the proofs that claims reach and that are not needed: without one, those beside it are at most `apart` from each other.
fn keep_apart(tips: &mut VecDeque<PendingProof>, apart: Duration) {
    loop {
        let reached: Vec<usize> = places(tips, true);
        let came = |place: usize| tips.get(place).map(|tip| tip.came);
        let is_near = |three: &&[usize]| match three {
            [before, _, after] => {
                came(*before).zip(came(*after)).is_some_and(|(before, after)| before.until(after) <= apart)
            }
            _ => false,
        };
        let dispensable = reached.windows(3).find(is_near).and_then(|three| three.get(1).copied());
        let Some(place) = dispensable else { return };
        let _ = tips.remove(place);
    }
}

/// The places of the proofs that a claim reaches, or of the others.
fn places(tips: &VecDeque<PendingProof>, are_reached: bool) -> Vec<usize> {
    let is_one = |(_, tip): &(usize, &PendingProof)| tip.claims.is_empty() != are_reached;
    tips.iter().enumerate().filter(is_one).map(|(place, _)| place).collect()
}

#[cfg(test)]
mod tests {
    use saldo_reading::{Holding, NetworkId};

    use super::super::tests::{absent, name};
    use super::super::{Came, Keeping};
    use super::*;
    use crate::proofs::target::{Checked, Shown};

    const MINUTE: u64 = 60;
    const DAY: u64 = 24 * 60 * MINUTE;

    /// A proof in 45 minutes for nearly eight days, each at a block of its own, and a true and a false claim about each fourth block. L1 has
    /// a claim when two more proofs were taken.
    fn taken() -> (PendingProofs, Holding) {
        let holding = Holding::native(NetworkId::new(1), Address::repeat_byte(7));
        let mut pending = PendingProofs::default();
        for number in 0..=250_u8 {
            let account = absent(holding.owner(), number);
            let root = account.state_root().get();
            let came = Came::at(Duration::from_secs(u64::from(number).saturating_mul(45 * MINUTE)));
            let header = crate::made::block(number.into(), number.into(), root, saldo_chain::Level::Signed);
            pending.keep_header(&name(0), header.header().unwrap());
            let checked = Checked { shown: Shown::Account(account), nodes: None };
            let (provider, claims) = (name(0), Vec::new());
            let proof = PendingProof { provider, checked, above: None, came, is_written: true, claims };
            pending.keep(holding, proof, Keeping::Spread);
            if let Some(last) = number.checked_sub(2).filter(|last| last % 4 == 0) {
                for kind in [0, 1] {
                    let game = Address::left_padding_from(&[kind, last]);
                    pending.note_claim((game, last.into()), 0, Duration::from_secs(8 * DAY));
                }
            }
        }
        (pending, holding)
    }

    #[test]
    fn a_proof_that_a_claim_reaches_is_kept_for_each_16_hours() {
        let (pending, holding) = taken();
        let (reached, open): (Vec<PendingProof>, Vec<PendingProof>) =
            pending.of(holding).into_iter().partition(|tip| !tip.claims.is_empty());
        assert!(reached.len() <= PendingProofs::REACHED && open.len() <= PendingProofs::SPREAD);
        assert!(reached.iter().all(|tip| tip.claims.len() == 2 && !tip.is_written));
        let hours = reached.windows(2).map(|pair| pair[0].came.until(pair[1].came).as_secs() / (60 * MINUTE));
        let hours: Vec<u64> = hours.collect();
        assert!(hours.len() >= 11 && hours.iter().all(|hours| *hours <= 16), "{hours:?}");
        assert_eq!(pending.claims().len(), 2 * reached.len());
    }

    #[test]
    fn a_proof_whose_claim_is_lost_is_like_the_others() {
        let (mut pending, holding) = taken();
        let games = pending.claims();
        games.iter().for_each(|game| pending.drop_claim(*game));
        assert!(pending.claims().is_empty());
        assert!(pending.of(holding).iter().all(|tip| tip.claims.is_empty()));
    }
}
