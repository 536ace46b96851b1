//! What can be wrong with a directory file.

use crate::endpoint::EndpointError;

/// Text that is no directory of endpoints. Always the caller's fault. Repeats nothing of the text but the names of
/// fields: a URL is a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The text is larger than any directory needs.
    #[error("{got} bytes: at most {limit} are read")]
    TooLarge {
        /// Bytes given.
        got: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The text is no TOML.
    #[error("not TOML, at line {line}")]
    NotToml {
        /// The line, from 1 on.
        line: usize,
    },
    /// There is a table that is none of a directory's, in a file that is no network file either.
    #[error("there is something else than [[rpc]], [[beacon]] and [[checkpoint_source]] tables")]
    OtherTable,
    /// The table is not written as an array of tables.
    #[error("`{table}` is to be written as [[{table}]]")]
    NotTables {
        /// The table.
        table: &'static str,
    },
    /// A list has more entries than anybody asks.
    #[error("{got} [[{table}]] entries: at most {limit} are read")]
    TooMany {
        /// The table.
        table: &'static str,
        /// Entries given.
        got: usize,
        /// Entries allowed.
        limit: usize,
    },
    /// An entry has a field that entries of its kind do not have.
    #[error("[[{table}]] number {position} has an unknown field; known are {known}")]
    UnknownField {
        /// The table.
        table: &'static str,
        /// Which of the entries, from 1 on.
        position: usize,
        /// The fields that there are.
        known: &'static str,
    },
    /// A field is not of its type.
    #[error("[[{table}]] number {position}: `{field}` is to be {expected}")]
    Field {
        /// The table.
        table: &'static str,
        /// Which of the entries, from 1 on.
        position: usize,
        /// The field.
        field: &'static str,
        /// What it is to be.
        expected: &'static str,
    },
    /// An entry has no URL.
    #[error("[[{table}]] number {position} has no `url`")]
    NoUrl {
        /// The table.
        table: &'static str,
        /// Which of the entries, from 1 on.
        position: usize,
    },
    /// A URL, name, operator or hosting cannot be used.
    #[error("[[{table}]] number {position}: {error}")]
    Endpoint {
        /// The table.
        table: &'static str,
        /// Which of the entries, from 1 on.
        position: usize,
        /// What is wrong.
        error: EndpointError,
    },
    /// An entry names the page where it is documented but not when that was read, or the other way round.
    #[error("[[{table}]] number {position}: `documented_on` and `read_on` go together")]
    Undated {
        /// The table.
        table: &'static str,
        /// Which of the entries, from 1 on.
        position: usize,
    },
    /// Two endpoints of one kind have one name, so that nobody could tell who answered.
    #[error("[[{table}]] number {position} has the name of an earlier one")]
    SameName {
        /// The table.
        table: &'static str,
        /// Which of the entries, from 1 on.
        position: usize,
    },
}
