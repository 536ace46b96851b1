//! `light_client/update_ranking`: updates, best first.

use saldo_beacon::LightClientUpdate;
use saldo_beacon::decode::{self, Encoding};
use serde::Deserialize;

use super::{Case, Counts, count, network_on, ssz, yaml};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Meta {
    updates_count: usize,
}

pub(super) fn run(case: &Case, counts: &mut Counts) {
    let network = network_on(&case.fork, &case.preset);
    let Meta { updates_count } = yaml(&case.folder.join("meta.yaml"));
    let read = |index| {
        let bytes = ssz(&case.folder, &format!("updates_{index}"));
        decode::update(&bytes, Encoding::Ssz, Some(&case.fork), &network).unwrap()
    };
    let updates: Vec<LightClientUpdate> = (0..updates_count).map(read).collect();
    for (index, better) in updates.iter().enumerate() {
        for worse in updates.iter().skip(index + 1) {
            assert!(better.is_better_than(worse, &network), "{index}");
            assert!(!worse.is_better_than(better, &network), "{index}");
        }
    }
    count(counts, "update_ranking");
}
