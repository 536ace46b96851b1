#![cfg(feature = "toml")]

use super::{Fields, NotPlain, Tables, Value, line_of, line_of_name};

/// The same value by the general parser.
fn value_of(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::Text(text.clone()),
        toml::Value::Integer(number) => u64::try_from(*number).map_or(Value::Other, Value::Number),
        toml::Value::Datetime(date) => match (date.date, date.time, date.offset) {
            (Some(date), None, None) => Value::Day(date.to_string()),
            _ => Value::Other,
        },
        _ => Value::Other,
    }
}

fn fields_of(table: &toml::Table) -> Vec<(String, Value)> {
    table.iter().map(|(key, value)| (key.clone(), value_of(value))).collect()
}

fn sorted(fields: &Fields) -> Vec<(String, Value)> {
    let mut fields = fields.0.clone();
    fields.sort_by(|(one, _), (another, _)| one.cmp(another));
    fields
}

/// What is read means the same to the general parser.
fn assert_same(text: &str) -> bool {
    let Ok(plain) = Tables::read(text) else { return false };
    let general: toml::Table = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
    let is_array = |value: &toml::Value| matches!(value, toml::Value::Array(_));
    let top: toml::Table = general.clone().into_iter().filter(|(_, value)| !is_array(value)).collect();
    assert_eq!(sorted(&plain.top), fields_of(&top), "{text}");
    assert_eq!(general.len().checked_sub(top.len()), Some(plain.arrays.len()), "{text}");
    for (name, entries) in &plain.arrays {
        let general: Vec<_> =
            general[name].as_array().unwrap().iter().map(|it| fields_of(it.as_table().unwrap())).collect();
        assert_eq!(entries.iter().map(sorted).collect::<Vec<_>>(), general, "{text}");
    }
    true
}

const FILE: &str = "\u{20}# A comment\twith a tab.\r\nname = \"mäinnet\" # and another\n\nchain_id=1\n\
    zero\t= 0\nday = 2026-02-28\n[[forks]]\nname = \"a # b = c\"\n[[rpc]] # one\nurl = \"https://a.example\"\n\
    [[forks]]\nepoch = 9223372036854775807\n[[empty]]";

#[test]
fn a_plain_file_means_the_same_to_the_general_parser() {
    assert!(assert_same(FILE));
    let tables = Tables::read(FILE).unwrap();
    assert_eq!(tables.top.get("name"), Some(&Value::Text("mäinnet".into())));
    assert_eq!(tables.array("forks").len(), 2);
    assert_eq!(tables.array("forks")[0].get("name"), Some(&Value::Text("a # b = c".into())));
    assert_eq!(tables.array("nothing"), []);
}

#[test]
fn the_rest_of_toml_is_refused_with_its_line() {
    for line in [
        "a = 'x'",
        "a = \"x",
        "a = \"x\\n\"",
        "a = \"\"\"x\"\"\"",
        "a = \"x\" y",
        "a = 1_000",
        "a = 0x10",
        "a = +1",
        "a = -1",
        "a = 01",
        "a = 1.0",
        "a = 9223372036854775808",
        "a = true",
        "a = []",
        "a = {}",
        "a = ",
        "a",
        "= 1",
        "a b = 1",
        "\"a\" = 1",
        "a.b = 1",
        "[a]",
        "[[a.b]]",
        "[[a]",
        "[[ a ]]",
        "[[]]",
        "[[a]] x",
        "a = 2026-02-29",
        "a = 2026-13-01",
        "a = 2026-00-10",
        "a = 2026-01-00",
        "a = 2026-1-1",
        "a = 2026-01-01T00:00:00Z",
        "a = 07:32:00",
        "a = \"x\ty\"",
        "a = 1 # \u{1}",
        "a = \"\u{7f}\"",
        "a = 1\r\r",
        "top = 2",
        "[[top]]",
        "\u{feff}a = 1",
    ] {
        assert_eq!(Tables::read(&format!("top = 1\n{line}\n")), Err(NotPlain { line: 2 }), "{line}");
    }
    assert_eq!(Tables::read("[[a]]\nb = 1\nb = 2"), Err(NotPlain { line: 3 }));
    assert!(Tables::read("a = 2024-02-29").is_ok() && Tables::read("a = 2000-02-29").is_ok());
    assert!(Tables::read("a = 2100-02-29").is_err());
}

/// Every byte of a file is replaced by every ASCII character, and every line is dropped or doubled.
#[test]
fn what_is_read_of_a_damaged_file_means_the_same_to_the_general_parser() {
    let text = FILE.replace('ä', "a");
    let mut read = 0_usize;
    for place in 0..text.len() {
        for byte in 0..128_u8 {
            let mut damaged = text.clone().into_bytes();
            damaged[place] = byte;
            read += usize::from(assert_same(&String::from_utf8(damaged).unwrap()));
        }
    }
    let lines: Vec<&str> = text.split('\n').collect();
    for place in 0..lines.len() {
        let without = [&lines[..place], &lines[place + 1..]].concat().join("\n");
        let doubled = [&lines[..=place], &lines[place..]].concat().join("\n");
        read += usize::from(assert_same(&without)) + usize::from(assert_same(&doubled));
    }
    assert!(read > 10_000, "only {read} were read");
}

#[test]
fn the_line_of_a_key_is_that_of_its_entry() {
    for (entry, key, line) in [
        (None, "chain_id", Some(4)),
        (None, "name", Some(2)),
        (None, "epoch", None),
        (Some(("forks", 0)), "name", Some(8)),
        (Some(("forks", 0)), "epoch", None),
        (Some(("forks", 1)), "epoch", Some(12)),
        (Some(("rpc", 0)), "url", Some(10)),
        (Some(("empty", 0)), "url", None),
        (Some(("forks", 2)), "epoch", None),
    ] {
        assert_eq!(line_of(FILE, entry, key), line, "{entry:?} {key}");
    }
}

#[test]
fn the_line_of_a_name_is_that_of_its_table_or_of_its_key_before_all_tables() {
    for (name, line) in [
        ("chain_id", Some((4, false))),
        ("forks", Some((7, true))),
        ("rpc", Some((9, true))),
        ("empty", Some((13, true))),
        ("epoch", None),
        ("url", None),
        ("nothing", None),
    ] {
        assert_eq!(line_of_name(FILE, name), line, "{name}");
    }
    assert_eq!(line_of_name("a = 1\n [ rpc ] # one\n", "rpc"), Some((2, true)));
}
