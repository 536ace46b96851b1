//! The scenarios that come with the kit.

use super::Scenario;

/// The names and texts of the files.
const FILES: [(&str, &str); 71] = [
    ("cloud-region-down", include_str!("../../scenarios/cloud-region-down.toml")),
    ("false-zero", include_str!("../../scenarios/false-zero.toml")),
    ("truncated-proof", include_str!("../../scenarios/truncated-proof.toml")),
    ("empty-proof", include_str!("../../scenarios/empty-proof.toml")),
    ("another-accounts-proof", include_str!("../../scenarios/another-accounts-proof.toml")),
    ("invented-trie", include_str!("../../scenarios/invented-trie.toml")),
    ("invented-riches", include_str!("../../scenarios/invented-riches.toml")),
    ("edited-claim", include_str!("../../scenarios/edited-claim.toml")),
    ("extra-nodes", include_str!("../../scenarios/extra-nodes.toml")),
    ("flipped-byte", include_str!("../../scenarios/flipped-byte.toml")),
    ("old-block", include_str!("../../scenarios/old-block.toml")),
    ("wrong-chain", include_str!("../../scenarios/wrong-chain.toml")),
    ("null-result", include_str!("../../scenarios/null-result.toml")),
    ("empty-string", include_str!("../../scenarios/empty-string.toml")),
    ("bare-0x", include_str!("../../scenarios/bare-0x.toml")),
    ("zero-everywhere", include_str!("../../scenarios/zero-everywhere.toml")),
    ("number-for-string", include_str!("../../scenarios/number-for-string.toml")),
    ("error-object", include_str!("../../scenarios/error-object.toml")),
    ("header-not-found", include_str!("../../scenarios/header-not-found.toml")),
    ("state-pruned", include_str!("../../scenarios/state-pruned.toml")),
    ("wrong-id", include_str!("../../scenarios/wrong-id.toml")),
    ("missing-id", include_str!("../../scenarios/missing-id.toml")),
    ("doubled-id", include_str!("../../scenarios/doubled-id.toml")),
    ("swapped-batch", include_str!("../../scenarios/swapped-batch.toml")),
    ("reordered-batch", include_str!("../../scenarios/reordered-batch.toml")),
    ("partial-batch", include_str!("../../scenarios/partial-batch.toml")),
    ("list-for-single", include_str!("../../scenarios/list-for-single.toml")),
    ("result-under-error", include_str!("../../scenarios/result-under-error.toml")),
    ("truncated-body", include_str!("../../scenarios/truncated-body.toml")),
    ("huge-body", include_str!("../../scenarios/huge-body.toml")),
    ("gzip-bomb", include_str!("../../scenarios/gzip-bomb.toml")),
    ("connection-refused", include_str!("../../scenarios/connection-refused.toml")),
    ("silence", include_str!("../../scenarios/silence.toml")),
    ("dns-failure", include_str!("../../scenarios/dns-failure.toml")),
    ("tls-failure", include_str!("../../scenarios/tls-failure.toml")),
    ("connection-reset", include_str!("../../scenarios/connection-reset.toml")),
    ("redirect", include_str!("../../scenarios/redirect.toml")),
    ("slow-trickle", include_str!("../../scenarios/slow-trickle.toml")),
    ("server-error", include_str!("../../scenarios/server-error.toml")),
    ("rate-limit-storm", include_str!("../../scenarios/rate-limit-storm.toml")),
    ("rate-limit-without-hint", include_str!("../../scenarios/rate-limit-without-hint.toml")),
    ("rate-limit-until-a-date", include_str!("../../scenarios/rate-limit-until-a-date.toml")),
    ("quota-exhausted", include_str!("../../scenarios/quota-exhausted.toml")),
    ("allow-list", include_str!("../../scenarios/allow-list.toml")),
    ("proofs-not-served", include_str!("../../scenarios/proofs-not-served.toml")),
    ("captive-portal", include_str!("../../scenarios/captive-portal.toml")),
    ("one-operator-down", include_str!("../../scenarios/one-operator-down.toml")),
    ("everyone-down", include_str!("../../scenarios/everyone-down.toml")),
    ("fast-error-slow-truth", include_str!("../../scenarios/fast-error-slow-truth.toml")),
    ("two-lie-one-is-honest", include_str!("../../scenarios/two-lie-one-is-honest.toml")),
    ("stale-node", include_str!("../../scenarios/stale-node.toml")),
    ("one-block-behind", include_str!("../../scenarios/one-block-behind.toml")),
    ("tip-only", include_str!("../../scenarios/tip-only.toml")),
    ("split-brain", include_str!("../../scenarios/split-brain.toml")),
    ("validators-sign-two-branches", include_str!("../../scenarios/validators-sign-two-branches.toml")),
    ("reorganised", include_str!("../../scenarios/reorganised.toml")),
    ("finality-stalls", include_str!("../../scenarios/finality-stalls.toml")),
    ("too-few-sign", include_str!("../../scenarios/too-few-sign.toml")),
    ("device-offline", include_str!("../../scenarios/device-offline.toml")),
    ("clock-slow", include_str!("../../scenarios/clock-slow.toml")),
    ("clock-fast", include_str!("../../scenarios/clock-fast.toml")),
    ("clock-ten-days-behind", include_str!("../../scenarios/clock-ten-days-behind.toml")),
    ("clock-ten-days-ahead", include_str!("../../scenarios/clock-ten-days-ahead.toml")),
    ("device-sleeps", include_str!("../../scenarios/device-sleeps.toml")),
    ("beacons-down", include_str!("../../scenarios/beacons-down.toml")),
    ("forged-signature", include_str!("../../scenarios/forged-signature.toml")),
    ("heads-of-few", include_str!("../../scenarios/heads-of-few.toml")),
    ("last-committee", include_str!("../../scenarios/last-committee.toml")),
    ("beacon-of-another-network", include_str!("../../scenarios/beacon-of-another-network.toml")),
    ("checkpoint-sources-disagree", include_str!("../../scenarios/checkpoint-sources-disagree.toml")),
    ("checkpoint-sources-down", include_str!("../../scenarios/checkpoint-sources-down.toml")),
];

/// The scenarios that come with the kit, with their names.
pub fn built_in() -> Vec<(&'static str, Scenario)> {
    let read =
        |text| Scenario::from_toml(text).expect("the files are part of the kit, and its tests read them all");
    FILES.map(|(name, text)| (name, read(text))).to_vec()
}

/// The file of the scenario of that name.
pub fn file(name: &str) -> Option<&'static str> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
