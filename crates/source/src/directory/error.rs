//! What can be wrong with a directory file.

use crate::endpoint::EndpointError;

/// Why a text is not a directory of endpoints. Always the caller's fault. It shows nothing of the text but names of fields: a URL
/// is a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The text is larger than any directory needs.
    #[error("{got} bytes; at most {limit} are allowed")]
    TooLarge {
        /// Bytes given.
        got: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The text is not TOML.
    #[error("not TOML, at line {line}")]
    NotToml {
        /// The line, from 1 on.
        line: usize,
    },
    /// A key or a table has the name of an earlier one that cannot be repeated.
    #[error(
        "line {line}: a key or table that the file already has; each entry of a list begins with its own [[rpc]], [[beacon]] or [[checkpoint_source]]"
    )]
    Repeated {
        /// The line, from 1 on.
        line: usize,
    },
    /// There is another table.
    #[error("{}unknown table{}; {}", place(.line), in_brackets(.table), meant_table(.nearest))]
    OtherTable {
        /// The line, from 1 on, where it can be told.
        line: Option<usize>,
        /// The table, unless it may be a secret in a wrong place.
        table: Option<String>,
        /// The table that was probably meant.
        nearest: Option<&'static str>,
    },
    /// A field stands outside of every table.
    #[error("{}`{field}` stands outside of every table; begin its entry with [[rpc]], [[beacon]] or [[checkpoint_source]]", place(.line))]
    OutsideOfTables {
        /// The line, from 1 on, where it can be told.
        line: Option<usize>,
        /// The field, or the one that was probably meant.
        field: &'static str,
    },
    /// The table is not written as an array of tables.
    #[error("{}`{table}` must be written as [[{table}]]", place(.line))]
    NotTables {
        /// The line, from 1 on, where it can be told.
        line: Option<usize>,
        /// The table.
        table: &'static str,
    },
    /// A table has more entries than are ever asked.
    #[error("{got} [[{table}]] entries; at most {limit} are allowed")]
    TooMany {
        /// The table.
        table: &'static str,
        /// Entries given.
        got: usize,
        /// Entries allowed.
        limit: usize,
    },
    /// An entry has a field that its table does not know.
    #[error("{}[[{table}]] number {position} has an unknown field{}; {}", place(.line), quoted(.field), meant(.nearest, .known))]
    UnknownField {
        /// The table.
        table: &'static str,
        /// Which of the entries, from 1 on.
        position: usize,
        /// The line, from 1 on, where it can be told.
        line: Option<usize>,
        /// The field, unless it may be a secret in a wrong place.
        field: Option<String>,
        /// The field that was probably meant.
        nearest: Option<&'static str>,
        /// The fields of the table.
        known: &'static str,
    },
    /// A field has another type.
    #[error("{}[[{table}]] number {position}: `{field}` must be {expected}", place(.line))]
    Field {
        /// The table.
        table: &'static str,
        /// Which of the entries, from 1 on.
        position: usize,
        /// The line, from 1 on, where it can be told.
        line: Option<usize>,
        /// The field.
        field: &'static str,
        /// What the field must be.
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
    #[error("{}[[{table}]] number {position}: `{field}`: {error}", place(.line))]
    Endpoint {
        /// The table.
        table: &'static str,
        /// Which of the entries, from 1 on.
        position: usize,
        /// The line, from 1 on, where it can be told.
        line: Option<usize>,
        /// The field.
        field: &'static str,
        /// What is wrong.
        error: EndpointError,
    },
    /// An entry names the page that documents it but not when it was read, or the other way round.
    #[error("[[{table}]] number {position}: `documented_on` and `read_on` need each other")]
    Undated {
        /// The table.
        table: &'static str,
        /// Which of the entries, from 1 on.
        position: usize,
    },
    /// Two endpoints in one table have the same name, so that outputs could not tell them apart.
    #[error("[[{table}]] number {position} has the name of an earlier entry")]
    SameName {
        /// The table.
        table: &'static str,
        /// Which of the entries, from 1 on.
        position: usize,
    },
}

fn place(line: &Option<usize>) -> String {
    line.map(|line| format!("line {line}: ")).unwrap_or_default()
}

fn quoted(field: &Option<String>) -> String {
    field.as_ref().map(|field| format!(" `{field}`")).unwrap_or_default()
}

fn in_brackets(table: &Option<String>) -> String {
    table.as_ref().map(|table| format!(" [[{table}]]")).unwrap_or_default()
}

fn meant_table(nearest: &Option<&'static str>) -> String {
    match nearest {
        Some(nearest) => format!("did you mean [[{nearest}]]?"),
        None => "the tables are [[rpc]], [[beacon]] and [[checkpoint_source]]".to_owned(),
    }
}

fn meant(nearest: &Option<&'static str>, known: &str) -> String {
    nearest.map_or_else(|| format!("the fields are {known}"), |nearest| format!("did you mean `{nearest}`?"))
}
