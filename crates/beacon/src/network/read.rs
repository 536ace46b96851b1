//! Reads networks of a user.

use super::Network;
use super::file::NetworkError;
#[cfg(not(feature = "toml"))]
use super::file::NetworkFile;
#[cfg(feature = "toml")]
use super::toml_fault::TomlFault;

const MAX_BYTES: usize = 64 * 1024;

impl Network {
    /// Reads a network from TOML, as `Network::to_toml` writes it. The text may also have the tables `rpc`, `beacon` and
    /// `checkpoint_source` of a directory of endpoints. They are ignored here. Without the feature `toml`, the text must be
    /// in [plain lines](crate::plain_toml).
    ///
    /// # Errors
    /// [`NetworkError`] if a field is missing, unknown, malformed or out of range, or the forks are out of order.
    pub fn from_toml(text: &str) -> Result<Self, NetworkError> {
        if text.len() > MAX_BYTES {
            return Err(NetworkError::TooLarge { got: text.len(), limit: MAX_BYTES });
        }
        #[cfg(feature = "toml")]
        let file = toml::from_str(text).map_err(|error| TomlFault::new(&error, text));
        #[cfg(not(feature = "toml"))]
        let file = NetworkFile::plain(text);
        Self::of_file(file.map_err(NetworkError::Toml)?).map_err(|misplaced| misplaced.in_text(text))
    }
}
