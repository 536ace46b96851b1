//! Providers that sent false proofs.

use saldo_reading::ProviderId;

use crate::ranking::FINAL_PROOFS;
use crate::sorted::SortedMap;

/// The methods that a quarantined provider is not asked for. Headers are asked for by hash, so a false one is recognised.
const PROOFS: [&str; 2] = ["eth_getProof", FINAL_PROOFS];

/// Counts the proofs that were false under the very block they were asked for.
#[derive(Debug, Default)]
pub(crate) struct Quarantine {
    strikes: SortedMap<ProviderId, u32>,
}

impl Quarantine {
    /// Number of false proofs before quarantine.
    pub(crate) const STRIKES: u32 = 2;

    /// Counts a false proof, and returns how many there were.
    pub(crate) fn strike(&mut self, id: &ProviderId) -> u32 {
        let strikes = self.strikes.entry(id.clone()).or_default();
        *strikes = strikes.saturating_add(1);
        *strikes
    }

    /// How many false proofs there were.
    pub(crate) fn strikes(&self, id: &ProviderId) -> u32 {
        self.strikes.get(id).copied().unwrap_or(0)
    }

    /// Whether the provider is asked for `method` only when no other provider is left.
    pub(crate) fn holds(&self, id: &ProviderId, method: &'static str) -> bool {
        PROOFS.contains(&method) && self.strikes(id) >= Self::STRIKES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_false_proofs_end_in_quarantine_for_proofs_alone() {
        let (id, other) = (ProviderId::new("a").unwrap(), ProviderId::new("b").unwrap());
        let mut quarantine = Quarantine::default();
        assert_eq!(quarantine.strike(&id), 1);
        assert!(!quarantine.holds(&id, "eth_getProof"));
        assert_eq!(quarantine.strike(&id), 2);
        assert!(quarantine.holds(&id, "eth_getProof") && quarantine.holds(&id, FINAL_PROOFS));
        assert!(!quarantine.holds(&id, "eth_getBlockByHash"));
        assert!(!quarantine.holds(&other, "eth_getProof"));
        assert_eq!((quarantine.strikes(&id), quarantine.strikes(&other)), (2, 0));
    }
}
