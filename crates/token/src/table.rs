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

    /// The deployed code of a `BeaconProxy` of OpenZeppelin 5, whose immutable value is zero.
    const BEACON_PROXY: [u8; 295] = alloy_primitives::hex!(
        "6080604052600a600c565b005b60186014601a565b60a0565b565b60007f000000000000000000000000000000000000"
        "00000000000000000000000000006001600160a01b0316635c60da1b6040518163ffffffff1660e01b81526004016020"
        "60405180830381865afa1580156079573d6000803e3d6000fd5b505050506040513d601f19601f820116820180604052"
        "50810190609b919060c3565b905090565b3660008037600080366000845af43d6000803e80801560be573d6000f35b3d"
        "6000fd5b60006020828403121560d457600080fd5b81516001600160a01b038116811460ea57600080fd5b9392505050"
        "56fea2646970667358221220b4dd4e69b9ee0b6ce55b944da148323ee11ee9f415294585d0364a7c847676c264736f6c"
        "634300081d0033"
    );

    #[test]
    fn a_proxy_with_an_immutable_value_is_found_with_its_value() {
        let found = |code: &[u8]| proxy_with_immutable(code).map(|(proxy, value)| (proxy.name, value));
        let mut code = BEACON_PROXY;
        code[61] = 7;
        assert_eq!(found(&code), Some(("BeaconProxy of OpenZeppelin 5", U256::from(7))));
        code[62] ^= 1;
        assert_eq!(found(&code), None);
    }
}
