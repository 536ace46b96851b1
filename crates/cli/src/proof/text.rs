//! What a file proves, as text.

use saldo::UnixTime;
use saldo::proof_files::{FileError, VerifiedHolding, VerifiedProofFile};
use saldo::{Asset, Derivation};

use super::verify::Outcome;
use crate::text::{ago, good, warn};

/// The result for a person.
pub(super) fn outcome(outcome: &Outcome, now: UnixTime) -> String {
    match outcome {
        Outcome::Verified(verified) => {
            let title = good("proven");
            format!("{title}{}\nThis rests on: {}.", said(verified, now), verified.rests_on())
        }
        Outcome::Assumed(verified) => {
            let title = warn("not proven: no trusted root was given. The file claims");
            format!(
                "{title}{}\nThe claim would be proven to a reader who knows that {}.\n\
                 Compare the root with a source that you trust, and give it with --checkpoint or --committee.",
                said(verified, now),
                verified.rests_on()
            )
        }
        Outcome::Refused(error) => {
            let next_step = match error {
                FileError::OtherNetwork { .. } => " Name its network with --network.",
                _ => "",
            };
            format!("{}: {error}\nThe file proves nothing to you.{next_step}", warn("refused"))
        }
    }
}

fn said(verified: &VerifiedProofFile, now: UnixTime) -> String {
    let age = match now.saturating_sub(verified.time()) {
        _ if now < verified.time() => "later than this machine's clock".to_owned(),
        age => format!("{} ago", ago(age)),
    };
    let held: Vec<String> = verified.holdings().iter().map(holding).collect();
    let finality = if verified.is_finalized() {
        "it was final when the file was made"
    } else {
        "it was not final when the file was made"
    };
    format!(
        ", of chain {}:\n{}\nat block {} ({}), {}, {age}; {finality}\n\
         signed by {} of {} members of the sync committee, at slot {}\n\
         The amounts can have changed in any later block.",
        verified.chain_id(),
        held.join("\n"),
        verified.number(),
        verified.hash(),
        verified.time(),
        verified.signers(),
        verified.committee_size(),
        verified.signed_slot(),
    )
}

fn holding(held: &VerifiedHolding) -> String {
    let owner = held.holding().owner();
    let frozen = if held.is_frozen() { ", frozen by the issuer" } else { "" };
    let how = match held.derivation() {
        Some(Derivation::Executed { .. }) => ", as the token's own code says",
        _ => "",
    };
    match held.holding().asset() {
        Asset::Erc20(token) => {
            format!("  {owner} held {} base units of the token {token}{how}{frozen}", held.amount())
        }
        _ => format!("  {owner} held {} wei ({} ether)", held.amount(), ether(held.amount())),
    }
}

/// The amount in ether, exactly.
fn ether(wei: saldo::U256) -> String {
    let digits = format!("{wei:0>19}");
    let (whole, fraction) = digits.split_at_checked(digits.len().saturating_sub(18)).unwrap_or((&digits, ""));
    match fraction.trim_end_matches('0') {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use saldo::U256;

    use super::ether;

    #[test]
    fn ether_is_written_exactly() {
        for (wei, expected) in [
            (0_u64, "0"),
            (1, "0.000000000000000001"),
            (1_500_000_000_000_000_000, "1.5"),
            (18_000_000_000_000_000_000, "18"),
            (100_000_000_000_000_000, "0.1"),
        ] {
            assert_eq!(ether(U256::from(wei)), expected);
        }
    }
}
