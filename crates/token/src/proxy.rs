//! Contracts that run the code of another contract in their own storage.

use alloy_primitives::{Address, B256, U256, b256, keccak256};

/// Code that passes every call of `balanceOf` to an implementation. It was established for exactly this code.
#[derive(Clone, Copy, Debug)]
pub struct Proxy {
    /// The keccak256 hash of the deployed code. An immutable value counts as zero.
    pub code_hash: B256,
    /// The name of the code, for people.
    pub name: &'static str,
    /// Where the code has a value that differs between deployments. All other bytes are compared.
    pub immutable: Option<Immutable>,
    /// Where it keeps the address of the implementation.
    pub pointer: Pointer,
    /// Where the source of the code is.
    pub source: &'static str,
    /// Why `balanceOf` runs the implementation's code on every path.
    pub argument: &'static str,
}

/// Where deployed code has an [immutable](https://docs.soliditylang.org/en/latest/contracts.html#immutable) value of 32 bytes,
/// as the compiler's `immutableReferences` say. It is the operand of a `PUSH32`, so it is never run as code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Immutable {
    /// The length of the code.
    pub code_bytes: usize,
    /// The first byte of the value.
    pub start: usize,
}

/// Where a proxy keeps the address of the implementation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointer {
    /// In this slot of its own.
    Slot(B256),
    /// In a [`Beacon`], whose address is here.
    Beacon(BeaconPlace),
}

/// Where a proxy keeps the address of its beacon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeaconPlace {
    /// In this slot of its own.
    Slot(B256),
    /// In the immutable value of its code.
    Immutable,
}

/// A contract that names the implementation of many proxies ([ERC-1967](https://eips.ethereum.org/EIPS/eip-1967)).
#[derive(Clone, Copy, Debug)]
pub struct Beacon {
    /// The keccak256 hash of the deployed code.
    pub code_hash: B256,
    /// The name of the code, for people.
    pub name: &'static str,
    /// The slot that names the implementation.
    pub slot: B256,
    /// Where the source of the code is.
    pub source: &'static str,
    /// Why `implementation()` returns the address in that slot on every path.
    pub argument: &'static str,
}

impl Proxy {
    /// The immutable value in `code`, if every other byte is that of this proxy.
    pub(crate) fn immutable_in(&self, code: &[u8]) -> Option<U256> {
        let Immutable { code_bytes, start } = self.immutable?;
        if code.len() != code_bytes {
            return None;
        }
        let mut zeroed = code.to_vec();
        let place = zeroed.get_mut(start..)?.first_chunk_mut::<32>()?;
        let value = U256::from_be_bytes(std::mem::take(place));
        (keccak256(zeroed) == self.code_hash).then_some(value)
    }
}

/// The slot of the implementation in ERC-1967, keccak256 of "eip1967.proxy.implementation" minus one.
pub(crate) const ERC1967_IMPLEMENTATION: B256 =
    b256!("360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc");
/// The slot of the beacon in ERC-1967, keccak256 of "eip1967.proxy.beacon" minus one.
pub(crate) const ERC1967_BEACON: B256 =
    b256!("a3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6cb3582b35133d50");
/// The slot of the implementation in ZeppelinOS, keccak256 of "org.zeppelinos.proxy.implementation".
pub(crate) const ZEPPELINOS_IMPLEMENTATION: B256 =
    b256!("7050c9e0f4ca769c69bd3a8ef740bc37934f8e2c036e5a723fd8ee048ed3f8c3");

/// The address that a word of storage names; `None` if it is no address.
pub(crate) fn address_of(word: U256) -> Option<Address> {
    let bytes = word.to_be_bytes::<32>();
    let (high, low) = bytes.split_at(12);
    high.iter().all(|byte| *byte == 0).then(|| Address::from_slice(low))
}

/// The code before and after the address in a minimal proxy ([ERC-1167](https://eips.ethereum.org/EIPS/eip-1167)).
const MINIMAL: ([u8; 10], [u8; 15]) = (
    [0x36, 0x3d, 0x3d, 0x37, 0x3d, 0x3d, 0x3d, 0x36, 0x3d, 0x73],
    [0x5a, 0xf4, 0x3d, 0x82, 0x80, 0x3e, 0x90, 0x3d, 0x91, 0x60, 0x2b, 0x57, 0xfd, 0x5b, 0xf3],
);
/// What the code of a delegated account begins with ([EIP-7702](https://eips.ethereum.org/EIPS/eip-7702)).
const DELEGATION: [u8; 3] = [0xef, 0x01, 0x00];

/// The address that is written in the code itself: of a minimal proxy, or of a delegated account. All bytes are compared.
pub(crate) fn target_in_code(code: &[u8]) -> Option<Address> {
    let minimal = code.strip_prefix(&MINIMAL.0).and_then(|rest| rest.strip_suffix(&MINIMAL.1));
    let target = minimal.or_else(|| code.strip_prefix(&DELEGATION))?;
    Address::try_from(target).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::hex;

    #[test]
    fn pointer_slots_follow_from_their_names() {
        let before = |name: &str| B256::from(U256::from_be_bytes(keccak256(name).0) - U256::ONE);
        assert_eq!(before("eip1967.proxy.implementation"), ERC1967_IMPLEMENTATION);
        assert_eq!(before("eip1967.proxy.beacon"), ERC1967_BEACON);
        assert_eq!(keccak256("org.zeppelinos.proxy.implementation"), ZEPPELINOS_IMPLEMENTATION);
    }

    #[test]
    fn a_minimal_proxy_is_recognised_by_all_of_its_45_bytes() {
        // The example of ERC-1167.
        let code = hex!(
            "363d3d373d3d3d363d73bebebebebebebebebebebebebebebebebebebebe5af43d82803e903d91602b57fd5bf3"
        );
        let target = Address::repeat_byte(0xbe);
        assert_eq!(code.len(), 45);
        assert_eq!(target_in_code(&code), Some(target));
        for place in (0..45).filter(|place| !(10..30).contains(place)) {
            let mut other = code;
            other[place] ^= 1;
            assert_eq!(target_in_code(&other), None, "byte {place}");
        }
        assert_eq!(target_in_code(&[&code[..], &[0]].concat()), None);
        assert_eq!(target_in_code(&code[..44]), None);
    }

    #[test]
    fn a_delegation_has_23_bytes() {
        let target = Address::repeat_byte(7);
        let code = [DELEGATION.as_slice(), target.as_slice()].concat();
        assert_eq!(target_in_code(&code), Some(target));
        assert_eq!(target_in_code(&code[..22]), None);
        assert_eq!(target_in_code(&[&code[..], &[0]].concat()), None);
        assert_eq!(target_in_code(&[]), None);
    }

    /// A proxy whose code is 40 bytes, with the value 7 from byte 3 on.
    fn with_immutable() -> (Proxy, Vec<u8>) {
        let mut code = vec![0x5b; 40];
        code[3..35].fill(0);
        let proxy = Proxy {
            code_hash: keccak256(&code),
            name: "",
            immutable: Some(Immutable { code_bytes: 40, start: 3 }),
            pointer: Pointer::Beacon(BeaconPlace::Immutable),
            source: "",
            argument: "",
        };
        code[34] = 7;
        (proxy, code)
    }

    #[test]
    fn only_the_immutable_value_of_a_code_may_differ() {
        let (proxy, code) = with_immutable();
        assert_eq!(proxy.immutable_in(&code), Some(U256::from(7)));
        for place in 0..40 {
            let mut other = code.clone();
            other[place] ^= 1;
            let expected = U256::from_be_slice(&other[3..35]);
            assert_eq!(
                proxy.immutable_in(&other),
                (3..35).contains(&place).then_some(expected),
                "byte {place}"
            );
        }
        assert_eq!(proxy.immutable_in(&code[..39]), None);
        assert_eq!(proxy.immutable_in(&[&code[..], &[0x5b]].concat()), None);
        assert_eq!(Proxy { immutable: None, ..proxy }.immutable_in(&code), None);
        let past_the_end = Immutable { code_bytes: 40, start: 9 };
        assert_eq!(Proxy { immutable: Some(past_the_end), ..proxy }.immutable_in(&code), None);
    }

    #[test]
    fn a_word_with_other_bits_names_no_address() {
        let address = Address::repeat_byte(0x11);
        let word = U256::from_be_bytes(address.into_word().0);
        assert_eq!(address_of(word), Some(address));
        assert_eq!(address_of(word | (U256::ONE << 160)), None);
        assert_eq!(address_of(U256::MAX), None);
    }
}
