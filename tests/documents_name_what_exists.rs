//! The documents describe the repository as it is: every named file exists, every link has a target, every
//! `Type::member` is in the code, and the stated size of the code that guards the money is right.

use std::path::{Path, PathBuf};

use saldo_tests::supply::repository;

/// Every document except the changelog, which describes the past.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["", "docs", "docs/decisions", "fuzz", "tests/mutants", "tests/testnet"] {
        let entries = std::fs::read_dir(repository().join(folder)).unwrap();
        found.extend(entries.map(|entry| entry.unwrap().path()).filter(|path| {
            path.extension().is_some_and(|extension| extension == "md") && !path.ends_with("CHANGELOG.md")
        }));
    }
    found.sort();
    assert!(found.len() > 15, "only {} documents", found.len());
    found
}

/// Every file and folder of the repository, relative to it, that is not built or downloaded.
fn contents() -> Vec<PathBuf> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if !["target", "node_modules", ".git", "corpus", "artifacts"].contains(&name) {
                found.push(path.strip_prefix(repository()).unwrap().to_owned());
                if path.is_dir() {
                    collect(&path, found);
                }
            }
        }
    }
    let mut found = Vec::new();
    collect(&repository(), &mut found);
    found
}

/// The text in backticks outside of code blocks; of a command only its name.
fn ticked(text: &str) -> Vec<String> {
    let prose = text.split("```").step_by(2).collect::<String>();
    let token = |span: &str| {
        // Only a list of alternatives may continue on the next line.
        let words = if span.contains('{') { usize::MAX } else { 1 };
        span.split_whitespace().take(words).collect()
    };
    prose.split('`').skip(1).step_by(2).map(token).collect()
}

/// `a/{b,c}.rs` is `a/b.rs` and `a/c.rs`.
fn alternatives(token: &str) -> Vec<String> {
    let Some((before, rest)) = token.split_once('{') else { return vec![token.to_owned()] };
    let Some((inside, after)) = rest.split_once('}') else { return vec![token.to_owned()] };
    inside.split(',').map(|name| format!("{before}{name}{after}")).collect()
}

fn names_a_file(token: &str) -> bool {
    const FOLDERS: [&str; 6] = ["tests/", "crates/", "docs/", "fuzz/", "benches/", ".ci/"];
    const ENDINGS: [&str; 5] = [".rs", ".toml", ".mjs", ".md", ".lock"];
    let is_path = token.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-./{},".contains(letter));
    is_path
        && (FOLDERS.iter().any(|folder| token.starts_with(folder))
            || ENDINGS.iter().any(|ending| token.ends_with(ending) && token != *ending))
}

#[test]
fn every_file_that_is_named_exists() {
    let contents = contents();
    let mut count = 0;
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        for token in
            ticked(&text).iter().filter(|token| names_a_file(token)).flat_map(|token| alternatives(token))
        {
            // Builds create these paths; they are not in the repository.
            if token.starts_with("fuzz/artifacts") || token.starts_with("fuzz/corpus") {
                continue;
            }
            let exists = contents.iter().any(|path| path.ends_with(&token));
            assert!(exists, "{}: `{token}` does not exist", document.display());
            count += 1;
        }
    }
    assert!(count > 60, "only {count} files are named");
}

#[test]
fn every_link_has_a_target() {
    let mut count = 0;
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let path = link.split('#').next().unwrap();
            if path.contains("://") || path.is_empty() {
                continue;
            }
            assert!(document.parent().unwrap().join(path).exists(), "{}: {link}", document.display());
            count += 1;
        }
    }
    assert!(count > 25, "only {count} links");
}

/// Whether `word` is in the text as a whole name.
fn has_word(text: &str, word: &str) -> bool {
    let is_part =
        |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    text.match_indices(word).any(|(at, _)| {
        !is_part(text[..at].chars().next_back()) && !is_part(text[at + word.len()..].chars().next())
    })
}

#[test]
fn every_member_that_is_named_is_in_the_code() {
    let contents = contents();
    let is_code =
        |path: &&PathBuf| path.starts_with("crates") && path.extension().is_some_and(|end| end == "rs");
    let code: Vec<String> = contents
        .iter()
        .filter(is_code)
        .map(|path| std::fs::read_to_string(repository().join(path)).unwrap())
        .collect();
    let mut count = 0;
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        for token in ticked(&text) {
            let Some((owner, members)) = token.split_once("::") else { continue };
            for member in alternatives(members) {
                let member = member.split(['(', ':']).next().unwrap();
                let is_known = code.iter().any(|text| has_word(text, owner) && has_word(text, member));
                assert!(is_known, "{}: `{token}` is not in the code", document.display());
                count += 1;
            }
        }
    }
    assert!(count > 30, "only {count} members are named");
}

/// The lines before a function that has that name begin with `#[test]`, other attributes aside.
fn is_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let begins = [format!("fn {name}("), format!("async fn {name}(")];
    let found = lines.iter().position(|line| begins.iter().any(|begin| line.starts_with(begin)));
    found.is_some_and(|at| {
        let mut above = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
        above.any(|line| *line == "#[test]" || line.starts_with("#[tokio::test"))
    })
}

/// `docs/field.md` has a row for each kind of trouble, and each row names tests: a file, a colon, and tests in that file. The
/// checks of a script are functions of it.
#[test]
fn every_row_of_the_field_names_its_tests() {
    let text = std::fs::read_to_string(repository().join("docs/field.md")).unwrap();
    let mut count = 0;
    let is_row = |line: &&str| line.starts_with("| ") && !line.starts_with("| what happens |");
    for row in text.lines().filter(is_row) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let [happens, does, tests] = cells[..] else { panic!("not three cells: {row}") };
        assert!(happens.len() > 10 && does.len() > 4, "{row}");
        for group in tests.split("; ") {
            let names = ticked(group);
            let (file, names) = names.split_first().unwrap_or_else(|| panic!("no file: {row}"));
            let source = std::fs::read_to_string(repository().join(file));
            let source = source.unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(!names.is_empty(), "{file} without a test: {row}");
            let is_script = source.starts_with("#!/usr/bin/env python3") || source.starts_with("\"\"\"");
            for name in names {
                let is_there =
                    if is_script { source.contains(&format!("def {name}(")) } else { is_test(&source, name) };
                assert!(is_there, "{file} has no test {name}");
                count += 1;
            }
        }
    }
    assert!(count > 50, "only {count} tests are named");
    assert!(is_test("#[test]\nfn one() {}", "one") && !is_test("fn one() {}", "one"));
}

/// The release publishes every crate that may be published, each after those that it needs.
#[test]
fn crates_are_released_in_the_order_of_their_needs() {
    let workflow = std::fs::read_to_string(repository().join(".github/workflows/release.yml")).unwrap();
    let list = workflow.lines().find_map(|line| line.trim().strip_prefix("for crate in ")).unwrap();
    let order: Vec<&str> = list.trim_end_matches("; do").split(' ').collect();
    let releasing = std::fs::read_to_string(repository().join("docs/releasing.md")).unwrap();
    let mut expected = Vec::new();
    for folder in std::fs::read_dir(repository().join("crates")).unwrap() {
        let path = folder.unwrap().path().join("Cargo.toml");
        let manifest: toml::Table = std::fs::read_to_string(&path).unwrap().parse().unwrap();
        let package = manifest["package"].as_table().unwrap();
        let name = package["name"].as_str().unwrap().to_owned();
        assert!(releasing.contains(&format!("`{name}`")), "docs/releasing.md does not name {name}");
        if package.contains_key("publish") {
            continue;
        }
        for key in ["description", "keywords", "categories", "readme", "rust-version", "license"] {
            assert!(package.contains_key(key), "{name} has no {key} for the registry");
        }
        assert!(
            path.parent().unwrap().join(package["readme"].as_str().unwrap()).exists(),
            "readme of {name}"
        );
        let at =
            order.iter().position(|one| *one == name).unwrap_or_else(|| panic!("{name} is not released"));
        for needed in manifest["dependencies"].as_table().unwrap().keys() {
            let is_ours = needed == "saldo" || needed.starts_with("saldo-");
            assert!(!is_ours || order[..at].contains(&needed.as_str()), "{name} is released before {needed}");
        }
        expected.push(name);
    }
    expected.sort();
    let mut released = order.clone();
    released.sort_unstable();
    assert_eq!(released, expected);
}

/// The number of lines of a file before its tests.
fn lines(path: &Path) -> usize {
    if path.is_dir() {
        return std::fs::read_dir(path).unwrap().map(|entry| lines(&entry.unwrap().path())).sum();
    }
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().take_while(|line| *line != "#[cfg(test)]").count()
}

#[test]
fn the_code_that_guards_the_money_has_the_stated_size() {
    let text = std::fs::read_to_string(repository().join("docs/architecture.md")).unwrap();
    let section = text.split("\n## ").find(|section| section.starts_with("What guards the money\n")).unwrap();
    let mut total = 0;
    let mut files = 0;
    for row in section.lines().filter(|line| line.starts_with('|')).skip(2) {
        // The following files are in this crate's folder.
        let mut folder = PathBuf::new();
        for token in ticked(row) {
            if token.ends_with("src/") {
                folder = repository().join("crates").join(token);
            } else if token.contains("/src/") {
                total += lines(&repository().join("crates").join(token));
                files += 1;
            } else {
                total += lines(&folder.join(token));
                files += 1;
            }
        }
    }
    assert!(files > 30, "only {files} files");
    let stated = section.split("About ").nth(1).and_then(|rest| rest.split(" lines").next()).unwrap();
    let stated: usize = stated.replace(',', "").parse().unwrap();
    assert!(total.abs_diff(stated) * 20 <= stated, "{total} lines, not about {stated}");
}
