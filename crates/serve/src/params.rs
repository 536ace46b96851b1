//! The parameters of a call, by their places.

#[cfg(feature = "execute")]
use alloy_primitives::Bytes;
use alloy_primitives::{Address, B256, U256};
use serde_json::value::RawValue;

use crate::block_parameter::BlockParameter;
use crate::error::RpcError;
#[cfg(feature = "execute")]
use crate::quantity::read_quantity;

/// The parameters of a call.
#[derive(Debug)]
pub(crate) struct Params<'a>(Vec<&'a RawValue>);

impl<'a> Params<'a> {
    /// Reads a list of at most `most` parameters.
    ///
    /// # Errors
    /// [`RpcError`] if it is no list, or longer.
    pub(crate) fn read(params: Option<&'a RawValue>, most: usize) -> Result<Self, RpcError> {
        let Some(text) = params.map(RawValue::get).filter(|text| *text != "null") else {
            return Ok(Self(Vec::new()));
        };
        let list: Vec<&RawValue> = serde_json::from_str(text)
            .map_err(|_| RpcError::invalid_params("the parameters must be a list"))?;
        if list.len() > most {
            return Err(RpcError::invalid_params(format_args!(
                "too many parameters, at most {most} are taken"
            )));
        }
        Ok(Self(list))
    }

    /// All parameters.
    pub(crate) fn all(&self) -> &[&'a RawValue] {
        &self.0
    }

    /// The parameter at `place`, if it is there and not `null`.
    pub(crate) fn at(&self, place: usize) -> Option<&'a RawValue> {
        self.0.get(place).copied().filter(|raw| raw.get() != "null")
    }

    /// The text at `place`.
    fn text(&self, place: usize, expected: &str) -> Result<&'a str, RpcError> {
        let wrong = || RpcError::invalid_params(format_args!("parameter {place} must be {expected}"));
        serde_json::from_str(self.at(place).ok_or_else(wrong)?.get()).map_err(|_| wrong())
    }

    /// The address at `place`.
    ///
    /// # Errors
    /// [`RpcError`] if there is none.
    pub(crate) fn address(&self, place: usize) -> Result<Address, RpcError> {
        const EXPECTED: &str = "an address: 0x and 40 hexadecimal digits";
        let text = self.text(place, EXPECTED)?;
        let wrong = || RpcError::invalid_params(format_args!("parameter {place} must be {EXPECTED}"));
        text.strip_prefix("0x").and_then(|digits| digits.parse().ok()).ok_or_else(wrong)
    }

    /// The name at `place`.
    ///
    /// # Errors
    /// [`RpcError`] if there is none.
    pub(crate) fn name(&self, place: usize) -> Result<&'a str, RpcError> {
        self.text(place, "a text")
    }

    /// The block at `place`; the newest one if there is none.
    ///
    /// # Errors
    /// [`RpcError`] if it is malformed, or a block that is never proven.
    pub(crate) fn block(&self, place: usize) -> Result<BlockParameter, RpcError> {
        BlockParameter::read(self.at(place))
    }

    /// The storage key at `place`.
    ///
    /// # Errors
    /// [`RpcError`] if there is none.
    pub(crate) fn key(&self, place: usize) -> Result<Key<'a>, RpcError> {
        Key::read(self.text(place, Key::EXPECTED)?)
    }

    /// The storage keys at `place`, at most `most`.
    ///
    /// # Errors
    /// [`RpcError`] if there is no list, or a longer one.
    pub(crate) fn keys(&self, place: usize, most: usize) -> Result<Vec<Key<'a>>, RpcError> {
        let wrong =
            || RpcError::invalid_params(format_args!("parameter {place} must be a list of storage keys"));
        let keys: Vec<&str> =
            serde_json::from_str(self.at(place).ok_or_else(wrong)?.get()).map_err(|_| wrong())?;
        if keys.len() > most {
            return Err(RpcError::invalid_params(format_args!(
                "too many storage keys, at most {most} are taken"
            )));
        }
        keys.into_iter().map(Key::read).collect()
    }

    /// The truth value at `place`; `false` if there is none.
    ///
    /// # Errors
    /// [`RpcError`] if it is something else.
    pub(crate) fn flag(&self, place: usize) -> Result<bool, RpcError> {
        match self.at(place).map(RawValue::get) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(RpcError::invalid_params(format_args!("parameter {place} must be true or false"))),
        }
    }
}

/// A storage key, with the text that the caller wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key<'a> {
    text: &'a str,
    pub(crate) key: B256,
}

impl<'a> Key<'a> {
    const EXPECTED: &'static str = "a storage key: 0x and at most 64 hexadecimal digits";

    /// Reads a key as geth does: short ones are filled with zeros in front.
    fn read(text: &'a str) -> Result<Self, RpcError> {
        let wrong = || RpcError::invalid_params(format_args!("expected {}", Self::EXPECTED));
        let digits = text.strip_prefix("0x").filter(|digits| (1..=64).contains(&digits.len()));
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let key = U256::from_str_radix(digits.ok_or_else(wrong)?, 16).map_err(|_| wrong())?;
        Ok(Self { text, key: key.into() })
    }

    /// The key as the reply names it: 32 bytes if the caller wrote 32 bytes, else a quantity.
    pub(crate) fn echo(&self) -> String {
        match self.text.len() {
            66 => self.key.to_string(),
            _ => crate::quantity::quantity(U256::from_be_bytes(self.key.0)),
        }
    }
}

/// Reads a quantity of a field of an object.
///
/// # Errors
/// [`RpcError`] if it is none.
#[cfg(feature = "execute")]
pub(crate) fn field_quantity(name: &str, text: &str) -> Result<U256, RpcError> {
    let wrong =
        || RpcError::invalid_params(format_args!("`{name}` must be a quantity without leading zeros"));
    read_quantity(text).ok_or_else(wrong)
}

/// Reads bytes of a field of an object.
///
/// # Errors
/// [`RpcError`] if they are none.
#[cfg(feature = "execute")]
pub(crate) fn field_bytes(name: &str, text: &str) -> Result<Bytes, RpcError> {
    let wrong =
        || RpcError::invalid_params(format_args!("`{name}` must be 0x and pairs of hexadecimal digits"));
    let digits = text.strip_prefix("0x").ok_or_else(wrong)?;
    alloy_primitives::hex::decode(digits).map(Bytes::from).map_err(|_| wrong())
}
