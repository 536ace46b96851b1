//! Real chains, followed from a checkpoint to a proven balance: every step ends as it did for the reference client.
//! Scenarios of a further folder run too: `SALDO_VECTORS_EXTRA=DIR`.

use std::path::PathBuf;

use saldo_tests::further::{Further, say};
use saldo_tests::scenario::{Done, folders, replay};

/// Each expected refusal, by name.
const REFUSED: [(&str, &str, &str); 7] = [
    ("mainnet-capella-portal", "update_0.ssz", "NotNewer"),
    ("mainnet-capella-portal", "update_1.ssz", "NotNewer"),
    ("mainnet-capella-portal", "update_2.ssz", "NotNewer"),
    ("mainnet-capella-portal", "update_3.ssz", "NotNewer"),
    ("mainnet-electra-12889937-absent-account", "optimistic_update.ssz", "NotNewer"),
    ("mainnet-electra-12890400-stale-update", "update_1574.ssz", "CommitteeUnknown"),
    ("sepolia-deneb-5242880-gear", "finality_5263072.json", "CommitteeUnknown"),
];

fn replay_all(scenarios: &[PathBuf]) -> Done {
    let mut done = Done::default();
    scenarios.iter().for_each(|folder| replay(folder, &mut done));
    done
}

#[test]
fn every_real_scenario_ends_as_recorded() {
    let Some(root) = saldo_tests::vectors("e2e") else { return };
    let refusals =
        REFUSED.map(|(scenario, file, error)| (scenario.into(), file.into(), error.into())).to_vec();
    let expected = Done { scenarios: 26, steps: 162, stores: 130, proofs: 19, tokens: 1, refusals };
    assert_eq!(replay_all(&folders(&root)), expected);
}

#[test]
fn further_scenarios_end_as_recorded() {
    let Some(further) = Further::named() else { return };
    say(&format!("{:?}", replay_all(&further.scenarios)));
}
