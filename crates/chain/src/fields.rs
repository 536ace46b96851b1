//! Reads fields of a header's RLP by their places.

use alloy_primitives::{B256, U256, hex};
use alloy_rlp::PayloadView;

use crate::layout::{FIELDS, Kind};

/// The fields of an RLP list.
pub(crate) struct Fields<'a>(Vec<&'a [u8]>);

/// The name of a field that is missing or malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadField(pub(crate) &'static str);

impl<'a> Fields<'a> {
    /// Reads the list; `None` if the bytes are not exactly one list.
    pub(crate) fn read(rlp: &'a [u8]) -> Option<Self> {
        let mut rest = rlp;
        match alloy_rlp::Header::decode_raw(&mut rest) {
            Ok(PayloadView::List(items)) if rest.is_empty() => Some(Self(items)),
            _ => None,
        }
    }

    /// Returns the number of fields.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Reads `N` bytes.
    pub(crate) fn fixed<const N: usize>(&self, at: usize) -> Result<[u8; N], BadField> {
        let (name, bytes) = self.field(at)?;
        bytes.try_into().map_err(|_| BadField(name))
    }

    /// Reads 32 bytes.
    pub(crate) fn word(&self, at: usize) -> Result<B256, BadField> {
        self.fixed::<32>(at).map(B256::from)
    }

    /// Reads an integer of at most 8 bytes, without leading zeros.
    pub(crate) fn integer(&self, at: usize) -> Result<u64, BadField> {
        let (name, bytes) = self.field(at)?;
        let canonical = bytes.len() <= 8 && bytes.first() != Some(&0);
        let value = U256::try_from_be_slice(bytes).filter(|_| canonical);
        value.and_then(|value| u64::try_from(value).ok()).ok_or(BadField(name))
    }

    /// Writes a field of the type `kind` as the execution API does.
    pub(crate) fn text(&self, at: usize, kind: Kind) -> Result<String, BadField> {
        let (name, bytes) = self.field(at)?;
        let fits = match kind {
            Kind::Fixed(length) => bytes.len() == length,
            Kind::Bytes(most) => bytes.len() <= most,
            Kind::Integer => bytes.len() <= 32 && bytes.first() != Some(&0),
        };
        match kind {
            _ if !fits => Err(BadField(name)),
            Kind::Fixed(_) | Kind::Bytes(_) => Ok(hex::encode_prefixed(bytes)),
            Kind::Integer => {
                let value = U256::try_from_be_slice(bytes).ok_or(BadField(name))?;
                Ok(format!("{value:#x}"))
            }
        }
    }

    fn field(&self, at: usize) -> Result<(&'static str, &'a [u8]), BadField> {
        let name = FIELDS.get(at).map_or("", |(name, _)| name);
        let mut item = *self.0.get(at).ok_or(BadField(name))?;
        match alloy_rlp::Header::decode_raw(&mut item) {
            Ok(PayloadView::String(bytes)) => Ok((name, bytes)),
            _ => Err(BadField(name)),
        }
    }
}
