//! What is wrong with a TOML text, in one line: where, which key, and what was probably meant.

use core::fmt;

/// Stands for a URL in errors: a URL is a secret.
#[cfg(feature = "toml")]
const A_URL: &str = "a URL, where no URL is allowed";
/// The most characters in which a mistyped key may differ from a known one.
const TYPOS: usize = 3;

/// Where a TOML text is wrong, and how. It quotes one key or value at most, and never a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TomlFault {
    line: Option<usize>,
    what: String,
}

impl TomlFault {
    /// A fault on a line, or without one; `what` quotes no value of the text.
    pub(super) fn at(line: Option<usize>, what: &str) -> Self {
        Self { line, what: what.to_owned() }
    }

    /// A key that is none of `known`.
    pub(super) fn unknown_key(line: Option<usize>, key: &str, known: &[&str]) -> Self {
        let nearest = Self::nearest(key, known.iter().copied());
        Self { line, what: unknown_key(key, nearest, || known.join(", ")) }
    }

    /// Reads the error of the parser of `text`.
    #[cfg(feature = "toml")]
    pub(super) fn new(error: &toml::de::Error, text: &str) -> Self {
        let before = error.span().and_then(|span| text.get(..span.start));
        // A missing field has no place of its own.
        let is_placed = !error.message().starts_with("missing field");
        let line = before.filter(|_| is_placed).map(|before| before.split('\n').count());
        if error.message().contains("://") {
            return Self { line, what: A_URL.to_owned() };
        }
        let value = error.span().map(|span| span.start);
        let what = unknown_field(error.message())
            .or_else(|| wrong_value(error.message(), key_before(text, value?)?))
            .unwrap_or_else(|| error.message().trim().replace('\n', ", "));
        Self { line, what }
    }

    /// Returns the one of `known` that differs least from `key`; `None` if none is near.
    pub fn nearest<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
        // A long key is compared at its start: the work stays small.
        let key: Vec<char> = key.chars().take(64).flat_map(char::to_lowercase).collect();
        let near = known.map(|candidate| (distance(&key, candidate), candidate));
        let near = near.filter(|(distance, candidate)| {
            *distance <= TYPOS && distance.saturating_mul(2) <= candidate.chars().count().saturating_add(1)
        });
        near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
    }

    /// Returns the line, from 1 on; `None` if a field is missing.
    pub fn line(&self) -> Option<usize> {
        self.line
    }
}

impl fmt::Display for TomlFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// The message for an unknown field, with the nearest known one; `None` if `message` is about something else.
#[cfg(feature = "toml")]
fn unknown_field(message: &str) -> Option<String> {
    let (key, known) = message.strip_prefix("unknown field `")?.split_once('`')?;
    let known = || known.split('`').skip(1).step_by(2);
    Some(unknown_key(key, TomlFault::nearest(key, known()), || known().collect::<Vec<_>>().join(", ")))
}

/// The key of the value that begins at `start`, if it is written in the usual form.
#[cfg(feature = "toml")]
fn key_before(text: &str, start: usize) -> Option<&str> {
    let line = text.get(..start)?.rsplit('\n').next()?;
    let key = line.trim_end().strip_suffix('=')?.trim();
    let is_plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    (is_plain && !key.is_empty()).then_some(key)
}

/// The message for a value of another type, or one that cannot be read; `None` if `message` is about something else.
#[cfg(feature = "toml")]
fn wrong_value(message: &str, key: &str) -> Option<String> {
    let (is_type, rest) = match message.strip_prefix("invalid type: ") {
        Some(rest) => (true, rest),
        None => (false, message.strip_prefix("invalid value: ").unwrap_or(message)),
    };
    let expected = rest.rsplit_once(", expected ").map(|(_, expected)| match expected {
        "u64" => "a whole number",
        "a string" => "text in quotes",
        "a sequence" => "a list of tables",
        other => other,
    });
    Some(match expected {
        Some(expected) => format!("`{key}` must be {expected}"),
        None if is_type => format!("`{key}` has a value of another type"),
        None => format!("`{key}`: {}", rest.trim().replace('\n', ", ")),
    })
}

fn unknown_key(key: &str, nearest: Option<&str>, known: impl FnOnce() -> String) -> String {
    match nearest {
        Some(meant) => format!("unknown key `{key}`; did you mean `{meant}`?"),
        None => format!("unknown key `{key}`; the keys are {}", known()),
    }
}

/// How many characters have to be inserted, removed or replaced (Levenshtein).
fn distance(from: &[char], to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (number, read) in (1_usize..).zip(from) {
        let mut next = vec![number];
        for ((above_left, above), expected) in row.iter().zip(row.iter().skip(1)).zip(&to) {
            let replaced = above_left.saturating_add(usize::from(read != expected));
            let left = next.last().copied().unwrap_or(number);
            next.push(replaced.min(above.saturating_add(1)).min(left.saturating_add(1)));
        }
        row = next;
    }
    row.last().copied().unwrap_or(from.len())
}
