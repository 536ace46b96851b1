//! The layouts and the proxies that were established, each for exactly one code.
//!
//! Metadata and immutable values make most deployed codes unique, so the tables are short. A token whose code is not listed here
//! is no error: its balance has to be found by running its code.

mod layouts;
mod proxies;

use alloy_primitives::{B256, U256};

use crate::layout::Layout;
use crate::proxy::{Beacon, Proxy};

/// Returns all layouts.
pub const fn layouts() -> &'static [Layout] {
    layouts::LAYOUTS
}

/// Returns all proxies.
pub const fn proxies() -> &'static [Proxy] {
    proxies::PROXIES
}

/// Returns all beacons.
pub const fn beacons() -> &'static [Beacon] {
    proxies::BEACONS
}

pub(crate) fn layout(code_hash: B256) -> Option<&'static Layout> {
    layouts().iter().find(|layout| layout.code_hash == code_hash)
}

/// The proxy that is known by the hash of its code alone.
pub(crate) fn proxy(code_hash: B256) -> Option<&'static Proxy> {
    proxies().iter().find(|proxy| proxy.immutable.is_none() && proxy.code_hash == code_hash)
}

/// The proxy with an immutable value that has this code, and the value.
pub(crate) fn proxy_with_immutable(code: &[u8]) -> Option<(&'static Proxy, U256)> {
    proxies().iter().find_map(|proxy| Some((proxy, proxy.immutable_in(code)?)))
}

pub(crate) fn beacon(code_hash: B256) -> Option<&'static Beacon> {
    beacons().iter().find(|beacon| beacon.code_hash == code_hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn entries() -> Vec<(B256, &'static str, &'static str, &'static str)> {
        let layouts = layouts().iter().map(|it| (it.code_hash, it.name, it.source, it.argument));
        let proxies = proxies().iter().map(|it| (it.code_hash, it.name, it.source, it.argument));
        let beacons = beacons().iter().map(|it| (it.code_hash, it.name, it.source, it.argument));
        layouts.chain(proxies).chain(beacons).collect()
    }

    #[test]
    fn no_code_and_no_name_is_listed_twice() {
        let entries = entries();
        let hashes: BTreeSet<B256> = entries.iter().map(|(hash, ..)| *hash).collect();
        let names: BTreeSet<&str> = entries.iter().map(|(_, name, ..)| *name).collect();
        assert_eq!((hashes.len(), names.len()), (entries.len(), entries.len()));
    }

    #[test]
    fn each_entry_says_where_it_comes_from_and_why_it_holds() {
        for (_, name, source, argument) in entries() {
            assert!(source.starts_with("https://") && argument.len() > 80, "{name}");
        }
    }

    #[test]
    fn each_entry_is_found_by_its_own_hash_and_by_no_other() {
        for (hash, name, ..) in entries() {
            let layout = layout(hash).map(|it| it.name);
            let proxy = proxy(hash).map(|it| it.name);
            let beacon = beacon(hash).map(|it| it.name);
            let found: Vec<&str> = layout.into_iter().chain(proxy).chain(beacon).collect();
            // The hash of a code with an immutable value is not the hash that is listed.
            let is_template = proxies().iter().any(|it| it.name == name && it.immutable.is_some());
            assert_eq!(found, if is_template { vec![] } else { vec![name] });
            let other = hash ^ B256::with_last_byte(1);
            assert!(
                super::layout(other).is_none()
                    && super::proxy(other).is_none()
                    && super::beacon(other).is_none()
            );
        }
    }
}
