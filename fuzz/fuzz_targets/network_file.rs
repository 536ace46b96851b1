//! Any text as a network file and as a directory of endpoints: no panic, a value that was read is written back to an
//! equal one, a network answers for any time, and no error quotes a URL.
#![no_main]

use libfuzzer_sys::fuzz_target;
use saldo_beacon::Network;
use saldo_beacon::unit::{Epoch, Period, Slot, UnixTime};
use saldo_source::Directory;

fuzz_target!(|text: &str| {
    match Network::from_toml(text) {
        Ok(network) => {
            let again = Network::from_toml(&network.to_toml())
                .expect("a network that was read can be written and read again");
            assert_eq!(again, network);
            answers_for_any_time(&network);
        }
        Err(error) => assert!(!format!("{error} {error:?}").contains("://"), "{error:?}"),
    }
    match Directory::from_toml(text) {
        Ok(directory) => {
            let again = directory.clone().extended_by(directory.clone());
            assert_eq!(again, directory);
            // Debug output shows only the host of a URL.
            let shown = format!("{directory:?}");
            assert!(!shown.contains("SECRET") || !has_secret_in_urls_only(text), "{shown}");
        }
        Err(error) => {
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("SECRET") && !shown.contains("host.example"), "{shown}");
        }
    }
});

/// Whether every `SECRET` of the text is in the path of a URL, which must not be shown.
fn has_secret_in_urls_only(text: &str) -> bool {
    text.matches("SECRET").count() == text.matches("url = \"https://host.example/SECRET\"").count()
}

fn answers_for_any_time(network: &Network) {
    for number in [0, 1, 31_337, 1 << 32, u64::MAX - 1, u64::MAX] {
        let (slot, epoch) = (Slot::new(number), Epoch::new(number));
        let _ = (network.fork_at(slot), network.fork_version_at(slot), network.fork_after(slot));
        let _ = (network.fork_digest(epoch), network.slot_start(slot));
        let _ = network.period_start(Period::new(number));
        assert!(network.period_start(network.period_at(slot)) <= slot);
        assert!(network.max_checkpoint_age_between(epoch, Epoch::new(u64::MAX)) > 0);
        let _ = network.slot_at(UnixTime::from_millis(number));
    }
    assert!(network.sync_committee_size().is_power_of_two());
}
