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
