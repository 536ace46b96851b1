//! A transaction of a block, encoded again from its JSON.

use alloy_primitives::{Bytes, U256, hex};
use alloy_rlp::{EMPTY_STRING_CODE, Encodable};
use serde::Deserialize;

use crate::ordered_root::list;

/// The members of a transaction that its encoding has. Whether they are right is known by the root over all transactions.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TransactionJson<'a> {
    r#type: Option<&'a str>,
    chain_id: Option<&'a str>,
    nonce: Option<&'a str>,
    gas_price: Option<&'a str>,
    max_priority_fee_per_gas: Option<&'a str>,
    max_fee_per_gas: Option<&'a str>,
    gas: Option<&'a str>,
    to: Option<&'a str>,
    value: Option<&'a str>,
    input: Option<&'a str>,
    #[serde(borrow)]
    access_list: Option<Vec<AccessJson<'a>>>,
    max_fee_per_blob_gas: Option<&'a str>,
    #[serde(borrow)]
    blob_versioned_hashes: Option<Vec<&'a str>>,
    #[serde(borrow)]
    authorization_list: Option<Vec<AuthorizationJson<'a>>>,
    y_parity: Option<&'a str>,
    v: Option<&'a str>,
    r: Option<&'a str>,
    s: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccessJson<'a> {
    address: &'a str,
    #[serde(borrow)]
    storage_keys: Vec<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthorizationJson<'a> {
    chain_id: &'a str,
    address: &'a str,
    nonce: &'a str,
    y_parity: Option<&'a str>,
    v: Option<&'a str>,
    r: &'a str,
    s: &'a str,
}

/// Why a transaction is not encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unencoded {
    /// It has a type that this version does not know.
    UnknownType,
    /// A member is missing or malformed.
    Malformed,
}

/// Encoded items, one after another.
#[derive(Default)]
struct Items(Vec<u8>);

impl Items {
    fn integer(&mut self, text: Option<&str>) -> Result<(), Unencoded> {
        integer(text)?.encode(&mut self.0);
        Ok(())
    }

    fn bytes(&mut self, text: Option<&str>) -> Result<(), Unencoded> {
        bytes(text)?.encode(&mut self.0);
        Ok(())
    }

    fn fixed<const N: usize>(&mut self, text: Option<&str>) -> Result<(), Unencoded> {
        let bytes = bytes(text)?;
        let fixed: &[u8; N] = bytes.as_ref().try_into().map_err(|_| Unencoded::Malformed)?;
        fixed.encode(&mut self.0);
        Ok(())
    }

    /// The recipient; the empty string for the creation of a contract.
    fn recipient(&mut self, to: Option<&str>) -> Result<(), Unencoded> {
        match to {
            None => {
                self.0.push(EMPTY_STRING_CODE);
                Ok(())
            }
            to => self.fixed::<20>(to),
        }
    }

    fn list(&mut self, items: &Self) {
        self.0.extend(list(&items.0));
    }
}

fn integer(text: Option<&str>) -> Result<U256, Unencoded> {
    let digits = text.and_then(|text| text.strip_prefix("0x")).ok_or(Unencoded::Malformed)?;
    if digits.is_empty() || digits.len() > 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(Unencoded::Malformed);
    }
    U256::from_str_radix(digits, 16).map_err(|_| Unencoded::Malformed)
}

fn bytes(text: Option<&str>) -> Result<Bytes, Unencoded> {
    let digits = text.and_then(|text| text.strip_prefix("0x")).ok_or(Unencoded::Malformed)?;
    hex::decode(digits).map(Bytes::from).map_err(|_| Unencoded::Malformed)
}

impl TransactionJson<'_> {
    /// Encodes it as the trie of transactions has it: its type and an RLP list (EIP-2718), or only the list for the first type.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, Unencoded> {
        let mut items = Items::default();
        let kind = self.r#type.map_or(Ok(U256::ZERO), |kind| integer(Some(kind)))?;
        let kind = u8::try_from(kind).ok().filter(|kind| *kind <= 4).ok_or(Unencoded::UnknownType)?;
        if kind > 0 {
            items.integer(self.chain_id)?;
        }
        items.integer(self.nonce)?;
        if kind < 2 {
            items.integer(self.gas_price)?;
        } else {
            items.integer(self.max_priority_fee_per_gas)?;
            items.integer(self.max_fee_per_gas)?;
        }
        items.integer(self.gas)?;
        items.recipient(self.to)?;
        items.integer(self.value)?;
        items.bytes(self.input)?;
        if kind == 0 {
            items.integer(self.v)?;
        } else {
            self.encode_lists(kind, &mut items)?;
            items.integer(self.y_parity.or(self.v))?;
        }
        items.integer(self.r)?;
        items.integer(self.s)?;
        let mut encoded = if kind == 0 { Vec::new() } else { vec![kind] };
        encoded.extend(list(&items.0));
        Ok(encoded)
    }

    /// The lists of the types after the first: EIP-2930, EIP-4844 and EIP-7702.
    fn encode_lists(&self, kind: u8, items: &mut Items) -> Result<(), Unencoded> {
        let mut accesses = Items::default();
        for access in self.access_list.as_ref().ok_or(Unencoded::Malformed)? {
            accesses.list(&access.encode()?);
        }
        items.list(&accesses);
        if kind == 3 {
            items.integer(self.max_fee_per_blob_gas)?;
            let mut hashes = Items::default();
            for hash in self.blob_versioned_hashes.as_ref().ok_or(Unencoded::Malformed)? {
                hashes.fixed::<32>(Some(hash))?;
            }
            items.list(&hashes);
        }
        if kind == 4 {
            let mut authorizations = Items::default();
            for authorization in self.authorization_list.as_ref().ok_or(Unencoded::Malformed)? {
                authorizations.list(&authorization.encode()?);
            }
            items.list(&authorizations);
        }
        Ok(())
    }
}

impl AccessJson<'_> {
    fn encode(&self) -> Result<Items, Unencoded> {
        let (mut access, mut keys) = (Items::default(), Items::default());
        access.fixed::<20>(Some(self.address))?;
        for key in &self.storage_keys {
            keys.fixed::<32>(Some(key))?;
        }
        access.list(&keys);
        Ok(access)
    }
}

impl AuthorizationJson<'_> {
    fn encode(&self) -> Result<Items, Unencoded> {
        let mut items = Items::default();
        items.integer(Some(self.chain_id))?;
        items.fixed::<20>(Some(self.address))?;
        items.integer(Some(self.nonce))?;
        items.integer(self.y_parity.or(self.v))?;
        items.integer(Some(self.r))?;
        items.integer(Some(self.s))?;
        Ok(items)
    }
}

/// A withdrawal of a block (EIP-4895).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WithdrawalJson<'a> {
    index: &'a str,
    validator_index: &'a str,
    address: &'a str,
    amount: &'a str,
}

/// A withdrawal of a block ([EIP-4895](https://eips.ethereum.org/EIPS/eip-4895)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// The number of the withdrawal, counted over the whole chain.
    pub index: u64,
    /// The validator that it is of.
    pub validator_index: u64,
    /// The address that receives it.
    pub address: alloy_primitives::Address,
    /// The amount, in gwei.
    pub amount: u64,
}

impl WithdrawalJson<'_> {
    pub(crate) fn read(&self) -> Option<Withdrawal> {
        let number = |text| integer(Some(text)).ok().and_then(|number| u64::try_from(number).ok());
        let address: [u8; 20] = bytes(Some(self.address)).ok()?.as_ref().try_into().ok()?;
        Some(Withdrawal {
            index: number(self.index)?,
            validator_index: number(self.validator_index)?,
            address: address.into(),
            amount: number(self.amount)?,
        })
    }
}

impl Withdrawal {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut items = Vec::new();
        self.index.encode(&mut items);
        self.validator_index.encode(&mut items);
        self.address.encode(&mut items);
        self.amount.encode(&mut items);
        list(&items)
    }
}
