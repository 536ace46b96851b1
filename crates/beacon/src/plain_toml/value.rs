//! The values of fields.

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number, at most the largest of TOML.
    Number(u64),
    /// A day, as YYYY-MM-DD.
    Day(String),
    /// Another value of TOML. [`Tables::read`](super::Tables::read) refuses it.
    Other,
}

/// TOML integers are signed.
const MAX_NUMBER: u64 = u64::MAX >> 1;

impl Value {
    /// Returns the text, if it is one.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Number(_) | Self::Day(_) | Self::Other => None,
        }
    }

    /// Returns the number, if it is one.
    pub const fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(_) | Self::Day(_) | Self::Other => None,
        }
    }

    /// Reads a value, and returns what follows it.
    pub(super) fn read(text: &str) -> Option<(Self, &str)> {
        if let Some(text) = text.strip_prefix('"') {
            let (text, rest) = text.split_once('"')?;
            let is_plain = !text.contains(|letter: char| letter.is_ascii_control() || letter == '\\');
            return is_plain.then(|| (Self::Text(text.to_owned()), rest));
        }
        let end = text.find([' ', '\t', '#']).unwrap_or(text.len());
        let (value, rest) = text.split_at_checked(end)?;
        let value =
            number(value).map(Self::Number).or_else(|| is_day(value).then(|| Self::Day(value.to_owned())));
        Some((value?, rest))
    }
}

fn number(text: &str) -> Option<u64> {
    let is_whole = digits(text).is_some() && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|number| is_whole && *number <= MAX_NUMBER)
}

/// Whether `text` is a day of the calendar, as YYYY-MM-DD.
fn is_day(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut part = |length| parts.next().filter(|part| part.len() == length).and_then(digits);
    let (Some(year), Some(month), Some(day)) = (part(4), part(2), part(2)) else { return false };
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    parts.next().is_none() && (1..=days).contains(&day)
}

/// The number that is written in `text`, if that has digits only.
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}
