//! What a provider is called in the open.

use std::fmt;
use std::sync::Arc;

/// The name of a provider: the one it was given, else its host. Its URL is a secret and never part of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderId(Arc<str>);

impl ProviderId {
    /// The longest name taken, in bytes: as long as a host name with a port can be.
    pub const MAX_LEN: usize = 260;

    /// A name; `None` if it is empty, longer than [`ProviderId::MAX_LEN`], or holds a control character.
    pub fn new(name: &str) -> Option<Self> {
        let printable = !name.chars().any(char::is_control);
        (!name.trim().is_empty() && name.len() <= Self::MAX_LEN && printable).then(|| Self(name.into()))
    }

    /// The name.
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
    fn a_name_is_shown_as_it_is_and_keeps_to_its_column() {
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
