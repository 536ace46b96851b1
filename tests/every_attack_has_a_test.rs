//! The lists in `docs/attacks.md` are true: every attack has a test that exists and asserts what the line states.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The number of attacks in each section. If a line is removed, lower its number here.
const ROWS: [(&str, usize); 6] = [
    ("Account and storage proofs", 125),
    ("Headers", 30),
    ("Light-client data", 74),
    ("Stored state and replay", 36),
    ("Proof files", 20),
    ("Rollups", 67),
];

/// One line: its section, the test file of its heading, and its parts.
struct Row {
    section: String,
    file: String,
    attack: String,
    stated: Vec<String>,
    test: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The texts in backticks.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Lines read `- attack: outcome, codes; test`, below the heading of their test file.
fn rows() -> Vec<Row> {
    let text = std::fs::read_to_string(root().join("docs/attacks.md")).unwrap();
    let mut section = String::new();
    let mut file = String::new();
    let mut rows = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title.to_owned();
            file = String::new();
        }
        if let Some(title) = line.strip_prefix("### ") {
            file = quoted(title).concat();
        }
        let Some(line) = line.strip_prefix("- ") else { continue };
        let (before, test) = line.rsplit_once("; ").unwrap_or_else(|| panic!("no test: {line}"));
        let (attack, stated) = before.split_once(": ").unwrap_or_else(|| panic!("no outcome: {line}"));
        rows.push(Row {
            section: section.clone(),
            file: file.clone(),
            attack: attack.to_owned(),
            stated: quoted(stated),
            test: quoted(test).concat(),
        });
    }
    rows
}

/// The functions of a source file: their text, and whether they are tests.
fn functions(source: &str) -> BTreeMap<String, (String, bool)> {
    let lines: Vec<&str> = source.lines().collect();
    let mut functions = BTreeMap::new();
    for (at, line) in lines.iter().enumerate() {
        let indent = &line[..line.len() - line.trim_start().len()];
        let declared = line.trim_start().trim_start_matches("pub ").trim_start_matches("async ");
        let Some(rest) = declared.strip_prefix("fn ") else { continue };
        let name: String = rest.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect();
        let is_end = |line: &&str| **line == format!("{indent}}}");
        let length = lines[at..].iter().position(is_end).unwrap_or_else(|| panic!("{name} does not end")) + 1;
        let above = lines[..at].iter().rev().map(|line| line.trim());
        let is_test = above.take_while(|line| line.starts_with("#[")).any(|line| line == "#[test]");
        functions.insert(name, (lines[at..at + length].join("\n"), is_test));
    }
    functions
}

/// A test's text, including the functions of the same file that it calls, directly or indirectly.
fn text_of(test: &str, functions: &BTreeMap<String, (String, bool)>) -> String {
    let mut reached = BTreeSet::from([test]);
    loop {
        let text: String = reached.iter().map(|name| functions[*name].0.as_str()).collect();
        let calls = |name: &str| {
            let is_word = |before: char| before.is_alphanumeric() || before == '_';
            text.match_indices(&format!("{name}(")).any(|(at, _)| !text[..at].ends_with(is_word))
        };
        let helpers = functions.iter().filter(|(_, (_, is_test))| !is_test).map(|(name, _)| name.as_str());
        let called = helpers.filter(|name| calls(name));
        let all: BTreeSet<&str> = reached.iter().copied().chain(called).collect();
        if all == reached {
            return text;
        }
        reached = all;
    }
}

#[test]
fn every_row_names_a_test_that_asserts_the_stated_refusal() {
    let mut wrong = Vec::new();
    for Row { file, attack, stated, test, .. } in rows() {
        if attack.is_empty() || stated.is_empty() || file.is_empty() || test.is_empty() {
            wrong.push(format!("{attack}: a part is empty"));
            continue;
        }
        let path = if file.contains('/') { root().join(&file) } else { root().join("tests").join(&file) };
        let Ok(source) = std::fs::read_to_string(&path) else {
            wrong.push(format!("{attack}: there is no file {file}"));
            continue;
        };
        let functions = functions(&source);
        if functions.get(&test).is_none_or(|(_, is_test)| !is_test) {
            wrong.push(format!("{attack}: {file} has no test {test}"));
            continue;
        }
        let text = text_of(&test, &functions);
        for stated in stated.iter().filter(|stated| !text.contains(stated.as_str())) {
            wrong.push(format!("{attack}: {test} does not mention {stated}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_row_is_lost_or_doubled() {
    let rows = rows();
    let mut counted = BTreeMap::<&str, usize>::new();
    for row in &rows {
        *counted.entry(row.section.as_str()).or_default() += 1;
    }
    assert_eq!(counted, BTreeMap::from(ROWS));
    let attacks: BTreeSet<&str> = rows.iter().map(|row| row.attack.as_str()).collect();
    assert_eq!(attacks.len(), rows.len(), "an attack is listed twice");
}

/// `docs/assurance.md` states the numbers of attacks and damaged inputs.
#[test]
fn the_counts_in_the_summary_are_true() {
    let summary = std::fs::read_to_string(root().join("docs/assurance.md")).unwrap();
    let attacks = format!("| {} attacks, in [attacks](attacks.md) |", rows().len());
    assert!(summary.contains(&attacks), "{attacks}");
    let source = include_str!("mutated_inputs_are_read_in_bounded_time.rs");
    let by_call = source.matches("    feed_bytes(\"").count() + source.matches("    feed_each(\"").count();
    let by_kind = source.matches("    feed_objects(").count() + source.matches("    feed_record(\"").count();
    let by_hand = source.matches("    check(\"").count();
    let inputs = format!("| 100,000 for each of {} parsers |", by_call + by_kind + by_hand);
    assert!(summary.contains(&inputs), "{inputs}");
}

/// The tests above rely on this: the parser finds existing functions and reports missing ones.
#[test]
fn the_parser_tells_functions_apart() {
    let source = "fn shared() {\n    assert!(Error::Known);\n}\n\n#[test]\nfn one() {\n    shared();\n}\n\nfn two() {\n    other_shared();\n}\n";
    let functions = functions(source);
    assert_eq!(functions.keys().collect::<Vec<_>>(), ["one", "shared", "two"]);
    assert!(functions["one"].1 && !functions["two"].1);
    assert!(text_of("one", &functions).contains("Error::Known"));
    assert!(!text_of("two", &functions).contains("Error::Known"));
}
