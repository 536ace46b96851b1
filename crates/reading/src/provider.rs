//! The public name of a provider.

use std::fmt;
use std::sync::Arc;

/// The name of a provider: the one that the app gave it, else its host. Its URL is a secret and never part of the name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderId(Arc<str>);

impl ProviderId {
    /// The length of the longest name, in bytes: enough for every host name with a port.
    pub const MAX_LEN: usize = 260;

    /// Makes a name; `None` if it is empty, longer than [`ProviderId::MAX_LEN`], or contains a control character.
    pub fn new(name: &str) -> Option<Self> {
        let printable = !name.chars().any(char::is_control);
        (!name.trim().is_empty() && name.len() <= Self::MAX_LEN && printable).then(|| Self(name.into()))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_unchanged_and_padded() {
        let name = ProviderId::new("rpc.example").unwrap();
        assert_eq!(format!("{name:>12}"), " rpc.example");
        assert_eq!(format!("{name:?}"), "\"rpc.example\"");
    }

    #[test]
    fn a_name_is_bounded_and_printable() {
        let longest = "x".repeat(ProviderId::MAX_LEN);
        assert_eq!(ProviderId::new(&longest).unwrap().as_str(), longest);
        for refused in ["", " ", "a\nb", &format!("{longest}x")] {
            assert_eq!(ProviderId::new(refused), None, "{refused:?}");
        }
    }
}
