//! The fields of one JSON object.

use core::fmt;
use std::borrow::Cow;

use alloy_primitives::{B256, FixedBytes, U256, hex};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::unit::decimal;

/// The fields of one object with known names. The values are text that is JSON, and nothing more is known of them.
pub(super) struct Fields<'a> {
    names: &'static [&'static str],
    /// In the order of `names`.
    values: Vec<Option<&'a RawValue>>,
}

impl<'a> Fields<'a> {
    /// Reads an object that has no other fields than `names`.
    pub(super) fn only(text: &'a str, names: &'static [&'static str]) -> Result<Self, serde_json::Error> {
        Self::read(text, Object { names, refuses_others: true })
    }

    /// Reads an object, and ignores other fields than `names`.
    pub(super) fn some(text: &'a str, names: &'static [&'static str]) -> Result<Self, serde_json::Error> {
        Self::read(text, Object { names, refuses_others: false })
    }

    fn read(text: &'a str, object: Object) -> Result<Self, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let fields = object.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(fields)
    }

    /// The JSON text of a field that may be missing.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        let place = self.names.iter().position(|known| *known == name)?;
        self.values.get(place).copied().flatten().map(RawValue::get)
    }

    /// The JSON text of a field that may be missing or null.
    pub(super) fn unless_null(&self, name: &str) -> Option<&'a str> {
        self.text(name).filter(|text| *text != "null")
    }

    /// The JSON text of a field.
    pub(super) fn needed(&self, name: &'static str) -> Result<&'a str, serde_json::Error> {
        self.text(name).ok_or_else(|| Error::missing_field(name))
    }

    /// A number, written as text in decimal digits.
    pub(super) fn number(&self, name: &'static str) -> Result<u64, serde_json::Error> {
        decimal::read(&string(self.needed(name)?)?).ok_or_else(|| out_of_range(name))
    }

    /// A number of up to 256 bits, written as text in decimal digits.
    pub(super) fn wide_number(&self, name: &'static str) -> Result<U256, serde_json::Error> {
        decimal::read(&string(self.needed(name)?)?).ok_or_else(|| out_of_range(name))
    }

    /// Bytes, written as text in hexadecimal digits.
    pub(super) fn bytes(&self, name: &'static str) -> Result<Vec<u8>, serde_json::Error> {
        hex::decode(&*string(self.needed(name)?)?).map_err(Error::custom)
    }

    /// `N` bytes, written as text in hexadecimal digits.
    pub(super) fn fixed<const N: usize>(&self, name: &'static str) -> Result<[u8; N], serde_json::Error> {
        let mut bytes = [0; N];
        decode(self.needed(name)?, &mut bytes)?;
        Ok(bytes)
    }

    /// A list of roots.
    pub(super) fn roots(&self, name: &'static str) -> Result<Vec<B256>, serde_json::Error> {
        self.list(name)
    }

    /// A list of values of `N` bytes each.
    pub(super) fn list<const N: usize>(
        &self,
        name: &'static str,
    ) -> Result<Vec<FixedBytes<N>>, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(self.needed(name)?);
        deserializer.deserialize_seq(List::<N>)
    }
}

fn out_of_range(name: &str) -> serde_json::Error {
    Error::custom(format_args!("`{name}` is not a decimal number in range"))
}

/// The text of a JSON string.
fn string(json: &str) -> Result<Cow<'_, str>, serde_json::Error> {
    let inside = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inside.filter(|text| !text.contains('\\')) {
        Some(text) => Ok(Cow::Borrowed(text)),
        None => serde_json::from_str(json).map(Cow::Owned),
    }
}

/// Reads a JSON string of hexadecimal digits.
fn decode(json: &str, bytes: &mut [u8]) -> Result<(), serde_json::Error> {
    hex::decode_to_slice(&*string(json)?, bytes).map_err(Error::custom)
}

struct Object {
    names: &'static [&'static str],
    refuses_others: bool,
}

impl<'de> DeserializeSeed<'de> for Object {
    type Value = Fields<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Fields<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object {
    type Value = Fields<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let names = self.names;
        let mut values = vec![None; names.len()];
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let place = names.iter().position(|name| *name == key);
            let known = place.and_then(|place| Some((names.get(place)?, values.get_mut(place)?)));
            match known {
                Some((name, Some(_))) => return Err(Error::duplicate_field(name)),
                Some((_, value @ None)) => *value = Some(map.next_value()?),
                None if self.refuses_others => return Err(Error::unknown_field(&key, names)),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Fields { names, values })
    }
}

struct List<const N: usize>;

impl<'de, const N: usize> Visitor<'de> for List<N> {
    type Value = Vec<FixedBytes<N>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = sequence.next_element::<&RawValue>()? {
            let mut bytes = [0; N];
            decode(element.get(), &mut bytes).map_err(Error::custom)?;
            list.push(FixedBytes(bytes));
        }
        Ok(list)
    }
}
