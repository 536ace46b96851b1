//! Reads a directory file that may use all of TOML.

use saldo_beacon::plain_toml::{Fields, Tables, Value};
use toml::value;

use super::error::DirectoryError;

pub(super) fn read(text: &str) -> Result<Tables, DirectoryError> {
    let file: value::Table = toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count().saturating_add(1);
        match error.message() {
            "duplicate key" => DirectoryError::Repeated { line },
            _ => DirectoryError::NotToml { line },
        }
    })?;
    let mut tables = Tables::default();
    for (name, value) in &file {
        match entries(value) {
            Some(entries) => tables.arrays.push((name.clone(), entries)),
            None => {
                tables.top.add(name, plain(value));
            }
        }
    }
    Ok(tables)
}

/// The entries of an array of tables.
fn entries(value: &value::Value) -> Option<Vec<Fields>> {
    let entry = |value: &value::Value| {
        let mut fields = Fields::default();
        for (key, value) in value.as_table()? {
            fields.add(key, plain(value));
        }
        Some(fields)
    };
    value.as_array()?.iter().map(entry).collect()
}

fn plain(value: &value::Value) -> Value {
    match value {
        value::Value::String(text) => Value::Text(text.clone()),
        value::Value::Integer(number) => u64::try_from(*number).map_or(Value::Other, Value::Number),
        value::Value::Datetime(value::Datetime { date: Some(date), time: None, offset: None }) => {
            Value::Day(date.to_string())
        }
        _ => Value::Other,
    }
}
