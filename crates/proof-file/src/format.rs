//! What names the format.

/// The first bytes of each file. The first one is no text, and the line end shows a copy that was made as text.
pub const MAGIC: [u8; 8] = *b"\x89saldo\r\n";
/// The version of the format.
pub const VERSION: u16 = 1;
/// The media type of a file.
pub const MEDIA_TYPE: &str = "application/vnd.saldo.proof";
/// The usual ending of a file's name.
pub const EXTENSION: &str = "saldo";
