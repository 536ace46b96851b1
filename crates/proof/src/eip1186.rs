//! The reply to `eth_getProof` ([EIP-1186](https://eips.ethereum.org/EIPS/eip-1186)): proofs, and claims that saldo does
//! not believe.

use alloc::vec::Vec;
use core::fmt;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U64, U256, hex};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};

use crate::error::ProofError;
use crate::leaf::{Account, Slot};
use crate::root::StateRoot;
use crate::trie::EMPTY_ROOT_HASH;
use crate::verified::{Verified, verify_account};

/// A provider's reply to `eth_getProof`. Unknown fields are ignored; a missing `storageProof` counts as an empty one. Claims may
/// be missing or `null`, because nothing depends on them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountReply {
    /// The address that the reply claims to be about.
    #[serde(default)]
    pub address: Option<Address>,
    /// The claimed balance, in wei.
    #[serde(default)]
    pub balance: Option<U256>,
    /// The claimed nonce.
    #[serde(default, deserialize_with = "quantity")]
    pub nonce: Option<u64>,
    /// The claimed code hash.
    #[serde(default)]
    pub code_hash: Option<B256>,
    /// The claimed storage root.
    #[serde(default)]
    pub storage_hash: Option<B256>,
    /// Nodes of the state trie, root first.
    #[serde(deserialize_with = "nodes")]
    pub account_proof: Vec<Bytes>,
    /// Proofs of the slots that were asked for. The provider may have left some out.
    #[serde(default)]
    pub storage_proof: Vec<StorageReply>,
}

/// A provider's reply about one slot.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct StorageReply {
    /// The slot that the reply claims to be about. An integer, because clients strip or pad leading zeros.
    pub key: U256,
    /// The claimed word.
    #[serde(default)]
    pub value: Option<U256>,
    /// Nodes of the storage trie, root first.
    #[serde(deserialize_with = "nodes")]
    pub proof: Vec<Bytes>,
}

/// Which claims of a reply differ from what its own proof proves. They are only recorded; no decision depends on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Contradictions {
    /// `address` differs from the one asked for.
    pub address: bool,
    /// `balance` differs from the leaf.
    pub balance: bool,
    /// `nonce` differs from the leaf.
    pub nonce: bool,
    /// `codeHash` differs from the leaf.
    pub code_hash: bool,
    /// `storageHash` differs from the leaf.
    pub storage_hash: bool,
}

impl AccountReply {
    /// Verifies the account proof for the address that was asked for, not for the address that the reply echoes. See
    /// [`verify_account`].
    ///
    /// # Errors
    /// Those of [`verify_account`].
    pub fn verify(&self, state_root: StateRoot, address: Address) -> Result<Verified<Account>, ProofError> {
        verify_account(state_root, address, &self.account_proof)
    }

    /// Returns the reply about the slot `key`, or `None` if the provider left it out, which proves nothing.
    ///
    /// Pass its proof to [`Verified::slot`], together with the key that was asked for.
    pub fn storage(&self, key: B256) -> Option<&StorageReply> {
        let key = U256::from_be_bytes(key.0);
        self.storage_proof.iter().find(|reply| reply.key == key)
    }

    /// Compares the claims with the proven leaf. A claim that is missing contradicts nothing.
    pub fn contradictions(&self, verified: &Verified<Account>) -> Contradictions {
        let address = self.address.is_some_and(|address| address != *verified.subject());
        match verified.leaf() {
            Account::Present(state) => Contradictions {
                address,
                balance: self.balance.is_some_and(|balance| balance != state.balance),
                nonce: self.nonce.is_some_and(|nonce| nonce != state.nonce),
                code_hash: self.code_hash.is_some_and(|hash| hash != state.code_hash),
                storage_hash: self.storage_hash.is_some_and(|hash| hash != state.storage_root.get()),
            },
            // For an absent account some clients send zero hashes and others the hashes of empty code and storage.
            Account::Absent => Contradictions {
                address,
                balance: self.balance.is_some_and(|balance| !balance.is_zero()),
                nonce: self.nonce.is_some_and(|nonce| nonce != 0),
                code_hash: self.code_hash.is_some_and(|hash| hash != KECCAK256_EMPTY && !hash.is_zero()),
                storage_hash: self
                    .storage_hash
                    .is_some_and(|hash| hash != EMPTY_ROOT_HASH && !hash.is_zero()),
            },
        }
    }
}

impl StorageReply {
    /// Returns true if the claimed key or word differs from the proven one.
    pub fn contradicts(&self, verified: &Verified<Slot>) -> bool {
        let proven = match verified.leaf() {
            Slot::Present(word) => *word,
            Slot::Absent => U256::ZERO,
        };
        self.key != U256::from_be_bytes(verified.subject().key.0)
            || self.value.is_some_and(|value| value != proven)
    }
}

impl Contradictions {
    /// Returns true if any claim differs.
    pub const fn any(&self) -> bool {
        self.address || self.balance || self.nonce || self.code_hash || self.storage_hash
    }
}

/// A `QUANTITY`, which is a hexadecimal string, or `null`.
fn quantity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let quantity: Option<U64> = Option::deserialize(deserializer)?;
    Ok(quantity.map(|quantity| quantity.to()))
}

/// A list of nodes. All nodes share one allocation, because a reply has many.
fn nodes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Bytes>, D::Error> {
    struct Nodes;
    impl<'de> Visitor<'de> for Nodes {
        type Value = Vec<Bytes>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a list of trie nodes")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<Bytes>, A::Error> {
            // Enough for an account proof of mainnet without growing.
            let (mut decoded, mut ends) = (Vec::with_capacity(4096), Vec::with_capacity(12));
            while let Some(()) = sequence.next_element_seed(Node(&mut decoded))? {
                ends.push(decoded.len());
            }
            // Otherwise each of many short lists would keep the memory of a long one.
            decoded.shrink_to_fit();
            let (all, mut start) = (Bytes::from(decoded), 0);
            // The ends do not decrease, and none is past the last byte, so `slice` cannot panic.
            let node = |end: usize| all.slice(core::mem::replace(&mut start, end)..end);
            Ok(ends.into_iter().map(node).collect())
        }
    }
    deserializer.deserialize_seq(Nodes)
}

/// Decodes one node from a hexadecimal string, and appends its bytes to those of the list.
struct Node<'a>(&'a mut Vec<u8>);

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        // Bytes instead of text skip the UTF-8 check: the decoder below refuses all but hexadecimal digits.
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Node<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a trie node, as a hexadecimal string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.visit_bytes(text.as_bytes())
    }

    fn visit_bytes<E: Error>(self, text: &[u8]) -> Result<(), E> {
        let digits = text.strip_prefix(b"0x").unwrap_or(text);
        let start = self.0.len();
        self.0.resize(start.saturating_add(digits.len() / 2), 0);
        hex::decode_to_slice(digits, self.0.get_mut(start..).unwrap_or_default()).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use alloc::{
        format,
        string::{String, ToString},
    };

    use super::*;

    const ZERO: &str = "0x0000000000000000000000000000000000000000000000000000000000000000";

    fn reply(more: &str) -> Result<AccountReply, serde_json::Error> {
        let json: String = format!(
            r#"{{"address":"0x00000000000000000000000000000000000c0ffe","balance":"0x10","nonce":"0x2",
                "codeHash":"{ZERO}","storageHash":"{ZERO}","accountProof":["0x80","0x"]{more}}}"#
        );
        serde_json::from_str(&json)
    }

    #[test]
    fn reads_a_reply_with_fields_it_does_not_know_and_without_storage() {
        let reply = reply(r#","accountProofSize":2,"extra":{"a":[]}"#).unwrap();
        assert_eq!((reply.balance, reply.nonce), (Some(U256::from(16)), Some(2)));
        assert_eq!(reply.account_proof, [Bytes::from_static(&[0x80]), Bytes::new()]);
        assert_eq!(reply.storage_proof, []);
    }

    /// The proof is not optional, and a claim that is there is read strictly.
    #[test]
    fn claims_may_be_missing_or_null() {
        let read = |json: &str| serde_json::from_str::<AccountReply>(json);
        let bare = read(r#"{"accountProof":["0x80"]}"#).unwrap();
        let null = r#"{"address":null,"balance":null,"nonce":null,"codeHash":null,"storageHash":null,"accountProof":["0x80"],
            "storageProof":[{"key":"0x0","value":null,"proof":[]},{"key":"0x1","proof":[]}]}"#;
        let null = read(null).unwrap();
        assert_eq!((bare.address, bare.balance, bare.nonce), (None, None, None));
        assert_eq!((bare.code_hash, bare.storage_hash), (None, None));
        assert_eq!(AccountReply { storage_proof: Vec::new(), ..null.clone() }, bare);
        assert!(null.storage_proof.iter().all(|slot| slot.value.is_none()));
        for refused in [
            r#"{"address":null}"#,
            r#"{"accountProof":null}"#,
            r#"{"accountProof":[],"balance":true}"#,
            r#"{"accountProof":[],"nonce":"0x1ffffffffffffffff"}"#,
            r#"{"accountProof":[],"codeHash":"0x12"}"#,
            r#"{"accountProof":[],"storageProof":[{"value":"0x0","proof":[]}]}"#,
            r#"{"accountProof":[],"storageProof":[{"key":"0x0","value":"0x0"}]}"#,
        ] {
            assert!(read(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn null_is_not_a_list() {
        assert!(reply(r#","storageProof":null"#).unwrap_err().to_string().contains("null"));
    }

    #[test]
    fn errors_say_what_is_not_a_list_of_nodes() {
        let said = |proof| {
            let entry = format!(r#","storageProof":[{{"key":"0x0","value":"0x0","proof":{proof}}}]"#);
            reply(&entry).unwrap_err().to_string()
        };
        assert!(said("7").contains("expected a list of trie nodes"));
        assert!(said("[7]").contains("expected a trie node, as a hexadecimal string"));
        for digits in [r#"["0x8"]"#, r#"["0x8g"]"#, r#"["80 "]"#] {
            assert!(!said(digits).contains("expected"), "{digits}");
        }
    }

    #[test]
    fn one_false_claim_is_a_contradiction() {
        let none = Contradictions {
            address: false,
            balance: false,
            nonce: false,
            code_hash: false,
            storage_hash: false,
        };
        assert!(!none.any());
        for one in [
            Contradictions { address: true, ..none },
            Contradictions { balance: true, ..none },
            Contradictions { nonce: true, ..none },
            Contradictions { code_hash: true, ..none },
            Contradictions { storage_hash: true, ..none },
        ] {
            assert!(one.any(), "{one:?}");
        }
    }

    #[test]
    fn a_slot_is_found_by_the_integer_value_of_its_key() {
        for echoed in ["0x2", "0x02", "0x0000000000000000000000000000000000000000000000000000000000000002"] {
            let reply = reply(&format!(r#","storageProof":[{{"key":"0x0","value":"0x0","proof":[]}},{{"key":"{echoed}","value":"0x7","proof":["0x80"]}}]"#)).unwrap();
            assert_eq!(
                reply.storage(B256::with_last_byte(2)).unwrap().value,
                Some(U256::from(7)),
                "{echoed}"
            );
            assert_eq!(reply.storage(B256::ZERO).unwrap().value, Some(U256::ZERO));
            assert_eq!(reply.storage(B256::with_last_byte(3)), None);
        }
    }
}
