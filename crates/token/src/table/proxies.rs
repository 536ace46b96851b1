//! The proxies and the beacons that were established.

use alloy_primitives::{B256, b256};

use crate::proxy::{
    Beacon, BeaconPlace, ERC1967_BEACON, ERC1967_IMPLEMENTATION, Immutable, Pointer, Proxy,
    ZEPPELINOS_IMPLEMENTATION,
};

const ADMIN: &str = "Every call is passed to the implementation, except calls of the admin itself, which are the proxy's own or \
                     refused. The proxy's own functions have other selectors than `balanceOf`.";
const ALWAYS: &str =
    "The fallback function passes every call to the implementation. The code has no function of its own.";
const BEACON: &str = "The fallback function asks the beacon for `implementation()`, and passes every call to the answer. The code \
                      has no function of its own.";
const BEACON_SLOT: &str = "`implementation()` returns `_implementation`, the second variable, after `_owner`. Both are addresses, and \
                           two do not fit into one word.";
const OPENZEPPELIN_2: &str = "https://www.npmjs.com/package/@openzeppelin/upgrades/v/2.8.0";
const PLUGINS: &str = "https://www.npmjs.com/package/@openzeppelin/upgrades-core/v/1.46.0";
const ZEPPELINOS: &str = "https://www.npmjs.com/package/zos-lib/v/2.4.3";

pub(super) const PROXIES: &[Proxy] = &[
    Proxy {
        code_hash: b256!("d80d4b7c890cb9d6a4893e6b52bc34b56b25335cb13716e0d1d31383e6b41505"),
        name: "FiatTokenProxy",
        immutable: None,
        pointer: Pointer::Slot(ZEPPELINOS_IMPLEMENTATION),
        source: "https://etherscan.io/address/0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48#code",
        argument: ADMIN,
    },
    Proxy {
        code_hash: b256!("199d78480baa688d355b36afa72329b20e37981404aa1f957260f6a010137d6b"),
        name: "AdminUpgradeabilityProxy of ZeppelinOS",
        immutable: None,
        pointer: Pointer::Slot(ZEPPELINOS_IMPLEMENTATION),
        source: ZEPPELINOS,
        argument: ADMIN,
    },
    Proxy {
        code_hash: b256!("9a3151e8e0cce0ffb52891188424353f3bd63f9aa7064347015ef00c0a7e824a"),
        name: "InitializableAdminUpgradeabilityProxy of ZeppelinOS",
        immutable: None,
        pointer: Pointer::Slot(ZEPPELINOS_IMPLEMENTATION),
        source: ZEPPELINOS,
        argument: ADMIN,
    },
    Proxy {
        code_hash: b256!("17404120e429d743f170be02a42dd5018a3d340863ef7c7bf41db1baab1a1cd7"),
        name: "AdminUpgradeabilityProxy of OpenZeppelin 2",
        immutable: None,
        pointer: Pointer::Slot(ERC1967_IMPLEMENTATION),
        source: OPENZEPPELIN_2,
        argument: ADMIN,
    },
    Proxy {
        code_hash: b256!("4813c686f17e6eaf5e26fd48b14618e02049037b9cf95519781b4f98b3c25f6b"),
        name: "InitializableAdminUpgradeabilityProxy of OpenZeppelin 2",
        immutable: None,
        pointer: Pointer::Slot(ERC1967_IMPLEMENTATION),
        source: OPENZEPPELIN_2,
        argument: ADMIN,
    },
    Proxy {
        code_hash: b256!("5e4dcb0bb1910f6429e5fe91678990088a51c6d1cfe1b31d05fb9d948cc7867c"),
        name: "ERC1967Proxy of OpenZeppelin 4",
        immutable: None,
        pointer: Pointer::Slot(ERC1967_IMPLEMENTATION),
        source: PLUGINS,
        argument: ALWAYS,
    },
    Proxy {
        code_hash: b256!("4d9be648c5bf39973670d9f8b481d5d0b971e6a2db2deccc6b98cde21c5dd83e"),
        name: "TransparentUpgradeableProxy of OpenZeppelin 4",
        immutable: None,
        pointer: Pointer::Slot(ERC1967_IMPLEMENTATION),
        source: PLUGINS,
        argument: ADMIN,
    },
    Proxy {
        code_hash: b256!("cb635df3bfe34065cb00b5ceaf81038f3ce406bade382a52482c6c31b443dc21"),
        name: "BeaconProxy of OpenZeppelin 4",
        immutable: None,
        pointer: Pointer::Beacon(BeaconPlace::Slot(ERC1967_BEACON)),
        source: PLUGINS,
        argument: BEACON,
    },
    Proxy {
        code_hash: b256!("864cc9ad53b338b82da1f7cab85ab0b3d5c8861acb422b6fec63cf36234f36a6"),
        name: "ERC1967Proxy of OpenZeppelin 5",
        immutable: None,
        pointer: Pointer::Slot(ERC1967_IMPLEMENTATION),
        source: PLUGINS,
        argument: ALWAYS,
    },
    Proxy {
        code_hash: b256!("2ba76c23cdb6d2a61a15d659f69dca9ae8067e48ed3f59d70d9de090f6f7de52"),
        name: "TransparentUpgradeableProxy of OpenZeppelin 5",
        immutable: Some(Immutable { code_bytes: 1167, start: 16 }),
        pointer: Pointer::Slot(ERC1967_IMPLEMENTATION),
        source: PLUGINS,
        argument: ADMIN,
    },
    Proxy {
        code_hash: b256!("e595a9dd2a91c987836c97513fb377fa247b4fce5e33d93c612e9e5d8508cd33"),
        name: "BeaconProxy of OpenZeppelin 5",
        immutable: Some(Immutable { code_bytes: 295, start: 30 }),
        pointer: Pointer::Beacon(BeaconPlace::Immutable),
        source: PLUGINS,
        argument: BEACON,
    },
];

pub(super) const BEACONS: &[Beacon] = &[
    Beacon {
        code_hash: b256!("4e843c7e35b78e6cdb5c826b3555943b272f8b8f055fad454578261e0c183997"),
        name: "UpgradeableBeacon of OpenZeppelin 4",
        slot: B256::with_last_byte(1),
        source: PLUGINS,
        argument: BEACON_SLOT,
    },
    Beacon {
        code_hash: b256!("1871ffa9a8671e6099a3bf81afc158f574f8e67745ef1d2747fafe4f5f490ae5"),
        name: "UpgradeableBeacon of OpenZeppelin 5",
        slot: B256::with_last_byte(1),
        source: PLUGINS,
        argument: BEACON_SLOT,
    },
];
