//! A state with contracts that an input describes, and what is proven of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use saldo_drill::trie::Trie;
use saldo_proof::{StateRoot, verify_account};
use saldo_token::{
    Beacon, BeaconPlace, Derivation, Layout, Place, Pointer, ProvenState, Proxy, Query, VerifiedBalance,
    beacons, layouts, proxies,
};

use crate::input::Input;

/// The token.
pub const TOKEN: Address = Address::repeat_byte(1);
/// The owner.
pub const OWNER: Address = Address::repeat_byte(0xaa);
/// All contracts.
const CONTRACTS: [Address; 4] =
    [TOKEN, Address::repeat_byte(2), Address::repeat_byte(3), Address::repeat_byte(4)];

/// The contracts, with their codes and their storage.
pub struct World {
    code_hashes: BTreeMap<Address, B256>,
    codes: BTreeMap<B256, Bytes>,
    slots: BTreeMap<(Address, B256), U256>,
    state: Trie,
    storage: BTreeMap<Address, Trie>,
}

/// What is proven of a world.
pub struct Known {
    /// The proven state.
    pub state: ProvenState,
    accounts: BTreeSet<Address>,
    slots: BTreeSet<(Address, B256)>,
    codes: BTreeSet<B256>,
}

/// The codes with an immutable value.
fn templates() -> &'static [Bytes] {
    static TEMPLATES: OnceLock<Vec<Bytes>> = OnceLock::new();
    let texts = [
        include_str!("../../tests/data/tokens/proxy-5-transparent.json"),
        include_str!("../../tests/data/tokens/proxy-5-beacon.json"),
    ];
    let code = |text: &str| {
        let compiled: serde_json::Value = serde_json::from_str(text).expect("a compiled contract");
        compiled["deployed_code"].as_str().expect("its code").parse().expect("hexadecimal")
    };
    TEMPLATES.get_or_init(|| texts.map(code).to_vec())
}

/// The slots that some layout, proxy or beacon reads.
fn keys() -> &'static [B256] {
    static KEYS: OnceLock<Vec<B256>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let mut keys: Vec<B256> = layouts().iter().map(|layout| layout.mapping.slot(OWNER)).collect();
        keys.extend(layouts().iter().flat_map(|layout| layout.guards).map(|guard| guard.slot));
        keys.extend(beacons().iter().map(|beacon| beacon.slot));
        keys.extend(proxies().iter().filter_map(|proxy| match proxy.pointer {
            Pointer::Slot(slot) | Pointer::Beacon(BeaconPlace::Slot(slot)) => Some(slot),
            Pointer::Beacon(BeaconPlace::Immutable) => None,
        }));
        keys
    })
}

fn word(address: Address) -> U256 {
    U256::from_be_bytes(address.into_word().0)
}

impl World {
    /// Reads the contracts, then up to sixteen slots.
    pub fn read(input: &mut Input<'_>) -> Self {
        let mut world = Self {
            code_hashes: BTreeMap::new(),
            codes: BTreeMap::new(),
            slots: BTreeMap::new(),
            state: Trie::default(),
            storage: BTreeMap::new(),
        };
        for address in CONTRACTS {
            let hash = world.code(input);
            world.code_hashes.insert(address, hash);
        }
        for _ in 0..input.byte() % 17 {
            let (address, key) = (*input.choice(&CONTRACTS), *input.choice(keys()));
            let value = match input.byte() % 8 {
                0..=4 => word(*input.choice(&CONTRACTS)),
                5 => U256::from_be_bytes(input.array::<32>()),
                6 => U256::from(input.byte()) << 255,
                _ => U256::from(input.byte()),
            };
            world.slots.insert((address, key), value);
        }
        world.prove();
        world
    }

    /// The hash of a code. The code itself is there only where it is short, or has an immutable value.
    fn code(&mut self, input: &mut Input<'_>) -> B256 {
        let code: Bytes = match input.byte() % 8 {
            0 => return KECCAK256_EMPTY,
            1 => return input.choice(layouts()).code_hash,
            2 => return input.choice(proxies()).code_hash,
            3 => return input.choice(beacons()).code_hash,
            4 => [&[0xef, 0x01, 0x00], input.choice(&CONTRACTS).as_slice()].concat().into(),
            5 => {
                let target = input.choice(&CONTRACTS).as_slice();
                let before = [0x36, 0x3d, 0x3d, 0x37, 0x3d, 0x3d, 0x3d, 0x36, 0x3d, 0x73];
                let after = [
                    0x5a, 0xf4, 0x3d, 0x82, 0x80, 0x3e, 0x90, 0x3d, 0x91, 0x60, 0x2b, 0x57, 0xfd, 0x5b, 0xf3,
                ];
                [&before, target, &after].concat().into()
            }
            6 => {
                let mut code = input.choice(templates()).to_vec();
                let start = proxies()
                    .iter()
                    .filter_map(|proxy| proxy.immutable)
                    .find(|it| it.code_bytes == code.len());
                let start = start.expect("a proxy with an immutable value").start;
                code[start..start + 32].copy_from_slice(input.choice(&CONTRACTS).into_word().as_slice());
                // One byte may differ anywhere.
                let place = input.index();
                if let Some(byte) = code.get_mut(place) {
                    *byte ^= input.byte();
                }
                code.into()
            }
            _ => input.part().to_vec().into(),
        };
        let hash = keccak256(&code);
        self.codes.insert(hash, code);
        hash
    }

    fn prove(&mut self) {
        for address in CONTRACTS {
            let mut storage = Trie::default();
            for ((_, key), value) in
                self.slots.iter().filter(|((its, _), value)| *its == address && !value.is_zero())
            {
                storage.insert(keccak256(key).as_slice(), &alloy_rlp::encode(value));
            }
            let account = [
                alloy_rlp::encode(1_u64),
                alloy_rlp::encode(U256::ZERO),
                alloy_rlp::encode(storage.root()),
                alloy_rlp::encode(self.code_hashes[&address]),
            ]
            .concat();
            let mut leaf = Vec::new();
            alloy_rlp::Header { list: true, payload_length: account.len() }.encode(&mut leaf);
            leaf.extend(account);
            self.state.insert(keccak256(address).as_slice(), &leaf);
            self.storage.insert(address, storage);
        }
    }

    /// Returns a state in which nothing is proven.
    pub fn nothing(&self) -> Known {
        Known {
            state: ProvenState::new(StateRoot::new(self.state.root())),
            accounts: BTreeSet::new(),
            slots: BTreeSet::new(),
            codes: BTreeSet::new(),
        }
    }

    fn slot(&self, address: Address, key: B256) -> U256 {
        self.slots.get(&(address, key)).copied().unwrap_or_default()
    }

    fn code_hash(&self, address: Address) -> B256 {
        self.code_hashes.get(&address).copied().unwrap_or(KECCAK256_EMPTY)
    }

    /// The amount, and whether the owner is blocked, by a plain reading of the tables; `None` if they do not say it.
    pub fn balance(&self) -> Option<(U256, bool)> {
        let layout = |address| -> Option<&Layout> {
            layouts().iter().find(|layout| layout.code_hash == self.code_hash(address))
        };
        let layout = layout(TOKEN).or_else(|| layout(self.implementation()?))?;
        let holds = layout.guards.iter().all(|guard| {
            let place = match guard.place {
                Place::Token => TOKEN,
                Place::At(address) => address,
            };
            self.slot(place, guard.slot) & guard.mask == guard.expected
        });
        holds.then(|| layout.word.read(self.slot(TOKEN, layout.mapping.slot(OWNER))))
    }

    fn implementation(&self) -> Option<Address> {
        let hash = self.code_hash(TOKEN);
        let code = self.codes.get(&hash);
        let is_exact = |proxy: &&Proxy| proxy.immutable.is_none() && proxy.code_hash == hash;
        let proxy = proxies().iter().find(is_exact);
        let proxy = proxy
            .or_else(|| proxies().iter().find(|proxy| code.is_some_and(|code| is_template(proxy, code))));
        let Some(proxy) = proxy else { return target(code?) };
        let beacon = match proxy.pointer {
            Pointer::Slot(slot) => return address(self.slot(TOKEN, slot)),
            Pointer::Beacon(BeaconPlace::Slot(slot)) => self.slot(TOKEN, slot),
            Pointer::Beacon(BeaconPlace::Immutable) => {
                let start = proxy.immutable?.start;
                U256::from_be_slice(&code?[start..start + 32])
            }
        };
        let beacon = address(beacon)?;
        let known = |it: &&Beacon| it.code_hash == self.code_hash(beacon);
        address(self.slot(beacon, beacons().iter().find(known)?.slot))
    }
}

fn is_template(proxy: &Proxy, code: &Bytes) -> bool {
    let Some(immutable) = proxy.immutable.filter(|it| it.code_bytes == code.len()) else { return false };
    let end = immutable.start + 32;
    keccak256([&code[..immutable.start], &[0; 32], &code[end..]].concat()) == proxy.code_hash
}

fn address(word: U256) -> Option<Address> {
    (word >> 160_usize == U256::ZERO).then(|| Address::from_word(word.to_be_bytes::<32>().into()))
}

/// The address in a delegated account or a minimal proxy, by the hexadecimal digits of the code.
fn target(code: &Bytes) -> Option<Address> {
    let text = alloy_primitives::hex::encode(code);
    let digits = text.strip_prefix("ef0100").or_else(|| {
        text.strip_prefix("363d3d373d3d3d363d73")?.strip_suffix("5af43d82803e903d91602b57fd5bf3")
    })?;
    (digits.len() == 40).then(|| digits.parse().expect("40 digits"))
}

impl Known {
    /// Proves everything that `query` asks for. Returns false if it asks only for codes that this world does not have: of most codes
    /// it has only the hash.
    pub fn add(&mut self, world: &World, query: &Query) -> bool {
        let mut is_more = !query.slots().is_empty();
        for (address, keys) in query.slots() {
            self.add_account(world, *address, keys.iter().copied());
        }
        for address in query.codes() {
            let hash = world.code_hash(*address);
            let Some(code) = world.codes.get(&hash) else { continue };
            is_more |= self.codes.insert(hash);
            self.state.add_code(code.clone());
        }
        is_more
    }

    /// Proves an account, a slot or a code that the input chooses.
    pub fn add_any(&mut self, world: &World, input: &mut Input<'_>) {
        let address = *input.choice(&CONTRACTS);
        match input.byte() % 4 {
            0 => self.state.add_code(input.part().to_vec().into()),
            1 => {
                if let Some(code) = world.codes.get(&world.code_hash(address)) {
                    self.codes.insert(world.code_hash(address));
                    self.state.add_code(code.clone());
                }
            }
            2 => self.add_account(world, address, []),
            _ => self.add_account(world, address, [*input.choice(keys())]),
        }
    }

    fn add_account(&mut self, world: &World, address: Address, keys: impl IntoIterator<Item = B256>) {
        let root = self.state.root();
        let proof = world.state.prove(keccak256(address).as_slice()).expect("the state is whole");
        let account = verify_account(root, address, &proof).expect("the proof is genuine");
        self.state.add_account(&account).expect("the same root");
        self.accounts.insert(address);
        for key in keys {
            let storage = world.storage.get(&address).cloned().unwrap_or_default();
            let proof = storage.prove(keccak256(key).as_slice()).expect("the storage is whole");
            let slot = account.slot(key, &proof).expect("the proof is genuine");
            self.state.add_slot(&slot).expect("the same root");
            self.slots.insert((address, key));
        }
    }

    /// Whether nothing of `query` is known.
    pub fn lacks_all_of(&self, world: &World, query: &Query) -> bool {
        let slots = query.slots().iter().all(|(address, keys)| match keys.is_empty() {
            true => !self.accounts.contains(address),
            false => keys.iter().all(|key| !self.slots.contains(&(*address, *key))),
        });
        slots && query.codes().iter().all(|address| !self.codes.contains(&world.code_hash(*address)))
    }

    /// Checks that everything that `balance` rests on was proven.
    pub fn holds_all_of(&self, balance: &VerifiedBalance) {
        let Derivation::Slot { layout: name, code_hash, implementation } = balance.derivation() else {
            panic!("it was read from a slot")
        };
        let layout = layouts().iter().find(|layout| layout.name == *name).expect("a layout of the table");
        assert_eq!(layout.code_hash, *code_hash);
        let reader = implementation.unwrap_or(TOKEN);
        assert_eq!(self.state.code_hash_of(reader), Some(*code_hash));
        assert!(self.accounts.contains(&TOKEN) && self.accounts.contains(&reader));
        assert!(self.slots.contains(&(TOKEN, layout.mapping.slot(OWNER))));
        for guard in layout.guards {
            assert!(guard.place != Place::Token || self.slots.contains(&(TOKEN, guard.slot)));
        }
    }
}
