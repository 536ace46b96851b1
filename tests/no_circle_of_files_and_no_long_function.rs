//! Files of one crate depend on each other in one direction only, and no function is longer than a screen.
//!
//! A circle of files cannot be read from one end to the other, and none of its files can be changed or tested alone.
//! [`saldo_tests::syntax`] says what counts as a dependency.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use saldo_tests::syntax::{LongFunction, Sources, circles, long_functions};

/// The crates that are checked.
const CRATES: [&str; 10] =
    ["doctor", "proof", "beacon", "chain", "execute", "token", "reading", "source", "saldo", "serve"];
/// Lines of the longest function that is allowed, from `fn` to the closing brace.
const MOST_LINES: usize = 60;

/// Adds the texts of the Rust files below a folder, by their paths below the first one.
fn read_folder(folder: &Path, below: &str, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{below}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            read_folder(&path, &format!("{name}/"), files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// Every circle and every long function of a crate, in words; empty if there is none.
fn report(name: &str) -> String {
    let mut files = BTreeMap::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(name).join("src");
    read_folder(&folder, "", &mut files);
    let sources = Sources::parse(&files);
    let edges = sources.edges();
    let mut text = String::new();
    for circle in circles(&edges) {
        writeln!(text, "crates/{name}/src: a circle of {} files", circle.len()).unwrap();
        for from in &circle {
            for (to, taken) in edges[from].iter().filter(|(to, _)| circle.contains(*to)) {
                let taken: Vec<&str> = taken.iter().map(String::as_str).collect();
                writeln!(text, "  {from} -> {to}: {}", taken.join(", ")).unwrap();
            }
        }
    }
    for file in sources.files() {
        for LongFunction { name: function, line, lines } in long_functions(&files[file], MOST_LINES) {
            writeln!(text, "crates/{name}/src/{file}:{line} {function} has {lines} lines").unwrap();
        }
    }
    text
}

#[test]
fn crates_have_no_circle_and_no_long_function() {
    for name in CRATES {
        let found = report(name);
        println!("{}", if found.is_empty() { format!("crates/{name}/src: clean\n") } else { found.clone() });
        assert!(found.is_empty(), "{found}");
    }
}

fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let files = files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
    let found = circles(&Sources::parse(&files).edges());
    found.into_iter().map(|circle| circle.into_iter().collect()).collect()
}

#[test]
fn two_files_that_name_each_other_are_a_circle() {
    let files = [
        ("lib.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
        ("a.rs", "use crate::B; pub struct A(B);"),
        ("b.rs", "pub enum B { Boxed(Box<super::a::A>) }"),
    ];
    assert_eq!(circles_of(&files), [["a.rs", "b.rs"]]);
}

#[test]
fn a_child_that_names_its_parent_is_a_circle_if_the_parent_uses_it() {
    let child = ("a/child.rs", "use super::A; pub(super) fn f(a: &A) {}");
    let lib = ("lib.rs", "mod a;");
    let used = ("a.rs", "mod child; pub struct A; fn g(a: &A) { child::f(a) }");
    assert_eq!(circles_of(&[lib, used, child]), [["a.rs", "a/child.rs"]]);
    let only_declared = ("a.rs", "mod child; pub use child::f; pub struct A;");
    assert_eq!(circles_of(&[lib, only_declared, child]), [[""; 0]; 0]);
}

#[test]
fn methods_that_another_file_adds_to_a_type_close_a_circle() {
    let lib = ("lib.rs", "mod a; mod b;");
    let added = ("b.rs", "use crate::a::A; impl A { pub fn more(&self) {} pub fn make() {} }");
    for body in ["self.more()", "Self::make()", "A::make()", "drop(vec![self.more()])"] {
        let text = format!("pub struct A; impl A {{ fn f(&self) {{ {body} }} }}");
        assert_eq!(circles_of(&[lib, ("a.rs", &text), added]), [["a.rs", "b.rs"]], "{body}");
    }
    assert_eq!(circles_of(&[lib, ("a.rs", "pub struct A;"), added]), [[""; 0]; 0]);
}

#[test]
fn test_code_and_one_direction_are_no_circle() {
    let files = [
        ("lib.rs", "mod a; mod b; #[cfg(test)] mod c;"),
        ("a.rs", "pub struct A; #[cfg(test)] mod tests { use crate::b::B; }"),
        ("b.rs", "use crate::a; pub struct B(a::A);"),
    ];
    assert_eq!(circles_of(&files), [[""; 0]; 0]);
}

#[test]
fn a_function_of_61_lines_is_long() {
    let function =
        |lines: usize| format!("\n/// Does it.\nfn f() {{\n{}}}\n", "    g();\n".repeat(lines - 2));
    let found = |text: &str| -> Vec<(String, usize, usize)> {
        let long = long_functions(text, MOST_LINES);
        long.into_iter().map(|function| (function.name, function.line, function.lines)).collect()
    };
    assert_eq!(found(&function(60)), []);
    assert_eq!(found(&function(61)), [("f".to_owned(), 3, 61)]);
    let inside = format!("impl A {{ {} }}", function(61).trim());
    assert_eq!(found(&inside), [("f".to_owned(), 2, 61)]);
    assert_eq!(found(&format!("#[cfg(test)] mod tests {{ {} }}", function(61))), []);
}
