//! Measures how far back a provider's proofs go.

use saldo_chain::ExecutionHeader;
use saldo_reading::Failure;
use serde_json::json;

use crate::check::{Check, Unchecked};
use crate::probe::{ProbeClient, is_final};
use crate::provider::Depth;
use crate::reply::{MAX_BLOCK, MAX_PROOF, PROBED, hash_and_number, verify};

/// How many depths are tried. Each takes two requests.
const TRIES: usize = 6;
/// Depths just within and beyond the default window of execution clients, and depths that archive nodes have.
const STEPS: [u64; 5] = [124, 136, 1_024, 10_000, 100_000];

/// Finds by a bounded search how far below the block `tip` proofs hold. Each proof is checked under the state root of
/// the provider's own block of that number.
pub(crate) async fn search(probe: &ProbeClient<'_>, tip: u64) -> Check<Depth> {
    // Anvil's first block names a state root that is not that of its state, so block 0 is left out.
    let deepest = tip.saturating_sub(1);
    let mut depth = Depth { proven: 0, refused: None };
    for _ in 0..TRIES {
        let Some(next) = next(&depth, deepest) else { break };
        if probe.is_over() {
            return Check::NotChecked(Unchecked::OutOfBudget);
        }
        match holds(probe, tip.saturating_sub(next)).await {
            Ok(true) => depth.proven = next,
            Ok(false) => depth.refused = Some(next),
            Err(_) if probe.is_over() => return Check::NotChecked(Unchecked::OutOfBudget),
            Err(failure) => return Check::Failed(failure),
        }
    }
    Check::Found(depth)
}

/// The depth to try next; `None` if no further depth is needed.
fn next(depth: &Depth, deepest: u64) -> Option<u64> {
    let Depth { proven, refused } = *depth;
    match refused {
        None => {
            let step = STEPS.into_iter().find(|step| *step > proven).unwrap_or(proven).min(deepest);
            (step > proven).then_some(step)
        }
        // A known default window needs no finer search. What remains is whether there is a window at all.
        Some(refused) if refused <= 2 || proven >= 120 && refused <= 136 => None,
        Some(refused) if proven == 0 && refused > 2 => Some(2),
        Some(refused) => {
            let middle = proven.midpoint(refused);
            (middle > proven).then_some(middle)
        }
    }
}

/// Whether the provider has a valid proof at that block.
async fn holds(probe: &ProbeClient<'_>, number: u64) -> Result<bool, Failure> {
    let block = json!(format!("{number:#x}"));
    let theirs = probe.call("eth_getBlockByNumber", json!([block, false]), MAX_BLOCK).await;
    let theirs = match theirs {
        Err(failure) if is_final(&failure) => return Err(failure),
        Err(_) => return Ok(false),
        Ok(theirs) => theirs,
    };
    let (hash, _) = hash_and_number(&theirs)?;
    let root = ExecutionHeader::from_json(theirs.get().as_bytes(), hash)?.state_root();
    let reply = probe.call("eth_getProof", json!([PROBED, [], block]), MAX_PROOF).await;
    match reply.and_then(|reply| verify(&reply, Some(root))) {
        Ok(_) => Ok(true),
        Err(failure) if is_final(&failure) || matches!(failure, Failure::Proof(_)) => Err(failure),
        Err(_) => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text that a search gives for a provider that proves `window` blocks back.
    fn found(window: u64, tip: u64) -> String {
        let mut depth = Depth { proven: 0, refused: None };
        for _ in 0..TRIES {
            let Some(next) = next(&depth, tip.saturating_sub(1)) else { break };
            if next <= window { depth.proven = next } else { depth.refused = Some(next) }
        }
        depth.to_string()
    }

    #[test]
    fn windows_are_told_apart() {
        assert_eq!(found(0, 20_000_000), "tip only");
        assert_eq!(found(1, 20_000_000), "tip only");
        assert_eq!(found(127, 20_000_000), "128 blocks");
        assert_eq!(found(u64::MAX, 20_000_000), ">= 100000 blocks");
        assert_eq!(found(u64::MAX, 40), ">= 39 blocks");
        assert_eq!(found(32, 20_000_000), "32 to 38 blocks");
    }
}
