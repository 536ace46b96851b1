//! `weave MUTANTS ROOT`: inserts every mutant of MUTANTS, the JSON of `cargo mutants --list --json`, into the sources
//! below ROOT, each behind its switch. Prints the numbers of the mutants that cannot be inserted.
//!
//! Only text is inserted, so that positions in the source stay valid. Mutated code becomes `if switch::on(7) { the
//! mutant } else { the original }`.

use std::collections::BTreeMap;

use proc_macro2::{LineColumn, Span};
use serde_json::Value;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Arm, Block, Expr, ExprBinary, ExprStruct, ExprUnary, ImplItemFn, ItemFn, Signature, Visibility};

/// From the first character to the one after the last, counted in the file.
type Range = (usize, usize);

struct Mutant {
    number: usize,
    genre: String,
    /// The replaced range, and its replacement.
    range: Range,
    replacement: String,
    /// The start of the function that contains it.
    function: Option<usize>,
    is_woven: bool,
}

/// The start of each line in a file, to convert lines and columns to positions.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &[char]) -> Self {
        let ends = text.iter().enumerate().filter(|(_, letter)| **letter == '\n');
        Self([0].into_iter().chain(ends.map(|(at, _)| at + 1)).collect())
    }

    /// Lines count from one, columns from zero.
    fn place(&self, at: LineColumn) -> usize {
        self.0[at.line - 1] + at.column
    }

    /// In the list, columns count from one too.
    fn listed(&self, at: &Value) -> usize {
        let number = |name: &str| usize::try_from(at[name].as_u64().expect("a number")).expect("a small one");
        self.place(LineColumn { line: number("line"), column: number("column") - 1 })
    }
}

struct Insertion {
    at: usize,
    /// At the same position, closing text comes first, and of closing texts the innermost.
    order: (bool, i64),
    text: String,
}

struct Weaver<'a> {
    text: &'a [char],
    lines: &'a Lines,
    mutants: Vec<Mutant>,
    insertions: Vec<Insertion>,
    depth: i64,
    is_in_chain: bool,
}

impl Weaver<'_> {
    fn range(&self, span: Span) -> Range {
        (self.lines.place(span.start()), self.lines.place(span.end()))
    }

    fn slice(&self, from: usize, to: usize) -> String {
        self.text[from..to].iter().collect()
    }

    fn find(&self, genre: &str, is_it: impl Fn(&Mutant) -> bool) -> Vec<usize> {
        let of_genre = self.mutants.iter().enumerate().filter(|(_, mutant)| mutant.genre == genre);
        of_genre.filter(|(_, mutant)| is_it(mutant)).map(|(index, _)| index).collect()
    }

    fn insert(&mut self, at: usize, text: String) {
        self.insertions.push(Insertion { at, order: (true, self.depth), text });
    }

    fn enclose(&mut self, (start, end): Range, opening: String, closing: &str) {
        self.insert(start, opening);
        self.insertions.push(Insertion { at: end, order: (false, -self.depth), text: closing.into() });
    }

    /// Replaces an expression by a choice between the original and its mutants.
    fn switch(&mut self, expression: Range, found: &[usize]) {
        if found.is_empty() {
            return;
        }
        let mut opening = "(".to_owned();
        for index in found {
            let (start, end) = self.mutants[*index].range;
            let (before, after) = (self.slice(expression.0, start), self.slice(end, expression.1));
            let mutant = &mut self.mutants[*index];
            let text = format!("{before}{}{after}", mutant.replacement);
            opening += &format!("if ::switch::on({}) {{ {text} }} else ", mutant.number);
            mutant.is_woven = true;
        }
        self.enclose(expression, opening + "{ ", " })");
    }

    fn function(&mut self, whole: Span, visibility: &Visibility, signature: &Signature, body: &Block) {
        let starts = [whole, visibility.span(), signature.span()].map(|span| self.range(span).0);
        let found = self.find("FnValue", |mutant| mutant.function.is_some_and(|at| starts.contains(&at)));
        let at = self.range(body.brace_token.span.open()).1;
        for index in found {
            let mutant = &mut self.mutants[index];
            mutant.is_woven = true;
            let text = format!(" if ::switch::on({}) {{ return {}; }} ", mutant.number, mutant.replacement);
            self.insert(at, text);
        }
    }

    fn deeper(&mut self, look: impl FnOnce(&mut Self)) {
        self.depth += 1;
        look(self);
        self.depth -= 1;
    }
}

fn has_let(expression: &Expr) -> bool {
    match expression {
        Expr::Let(_) => true,
        Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

/// The operators of a chain without parentheses.
fn operators(chain: &ExprBinary, found: &mut Vec<Span>) {
    found.push(chain.op.span());
    for side in [&chain.left, &chain.right] {
        if let Expr::Binary(binary) = &**side {
            operators(binary, found);
        }
    }
}

impl<'a> Visit<'a> for Weaver<'_> {
    fn visit_expr_binary(&mut self, binary: &'a ExprBinary) {
        let has_let = has_let(&binary.left) || has_let(&binary.right);
        // Another operator may bind differently: so the mutant is the whole chain. A chain with `let` cannot be
        // mutated separately.
        if !has_let && !self.is_in_chain {
            let mut spans = Vec::new();
            operators(binary, &mut spans);
            let ranges: Vec<Range> = spans.into_iter().map(|span| self.range(span)).collect();
            let found = self.find("BinaryOperator", |mutant| ranges.contains(&mutant.range));
            self.switch(self.range(binary.span()), &found);
        }
        let was_in_chain = self.is_in_chain;
        self.deeper(|this| {
            for side in [&binary.left, &binary.right] {
                this.is_in_chain = !has_let && matches!(**side, Expr::Binary(_));
                visit::visit_expr(this, side);
            }
        });
        self.is_in_chain = was_in_chain;
    }

    fn visit_expr_unary(&mut self, unary: &'a ExprUnary) {
        let operator = self.range(unary.op.span());
        let found = self.find("UnaryOperator", |mutant| mutant.range == operator);
        self.switch(self.range(unary.span()), &found);
        self.deeper(|this| visit::visit_expr_unary(this, unary));
    }

    fn visit_expr_struct(&mut self, expression: &'a ExprStruct) {
        let fields: Vec<usize> = expression.fields.iter().map(|field| self.range(field.span()).0).collect();
        let found = self.find("StructField", |mutant| fields.contains(&mutant.range.0));
        self.switch(self.range(expression.span()), &found);
        self.deeper(|this| visit::visit_expr_struct(this, expression));
    }

    fn visit_arm(&mut self, arm: &'a Arm) {
        let start = self.range(arm.span()).0;
        let deletions = self.find("MatchArm", |mutant| mutant.range.0 == start);
        let is_kept: String = deletions
            .iter()
            .map(|index| format!("!::switch::on({}) && ", self.mutants[*index].number))
            .collect();
        let guard = arm.guard.as_ref().map(|(_, guard)| &**guard);
        if guard.is_some_and(has_let) {
            self.deeper(|this| visit::visit_arm(this, arm));
            return;
        }
        for index in deletions {
            self.mutants[index].is_woven = true;
        }
        let Some(guard) = guard else {
            if !is_kept.is_empty() {
                self.insert(self.range(arm.pat.span()).1, format!(" if {is_kept}true "));
            }
            self.deeper(|this| visit::visit_arm(this, arm));
            return;
        };
        let range = self.range(guard.span());
        let found = self.find("MatchArmGuard", |mutant| mutant.range == range);
        self.deeper(|this| {
            if !is_kept.is_empty() {
                this.enclose(range, format!("{is_kept}("), ")");
            }
            this.deeper(|this| {
                this.switch(range, &found);
                this.deeper(|this| visit::visit_expr(this, guard));
            });
            visit::visit_expr(this, &arm.body);
        });
    }

    fn visit_item_fn(&mut self, function: &'a ItemFn) {
        self.function(function.span(), &function.vis, &function.sig, &function.block);
        self.deeper(|this| visit::visit_item_fn(this, function));
    }

    fn visit_impl_item_fn(&mut self, function: &'a ImplItemFn) {
        self.function(function.span(), &function.vis, &function.sig, &function.block);
        self.deeper(|this| visit::visit_impl_item_fn(this, function));
    }
}

/// Returns the source with its mutants, and the numbers of the mutants that were not inserted.
fn weave(source: &str, listed: &[(usize, &Value)]) -> (String, Vec<usize>) {
    let text: Vec<char> = source.chars().collect();
    let lines = Lines::of(&text);
    let mutants = listed.iter().map(|(number, mutant)| Mutant {
        number: *number,
        genre: mutant["genre"].as_str().expect("a genre").into(),
        range: (lines.listed(&mutant["span"]["start"]), lines.listed(&mutant["span"]["end"])),
        replacement: mutant["replacement"].as_str().expect("a replacement").into(),
        function: mutant["function"].as_object().map(|function| lines.listed(&function["span"]["start"])),
        is_woven: false,
    });
    let (mutants, insertions) = (mutants.collect(), Vec::new());
    let mut weaver = Weaver { text: &text, lines: &lines, mutants, insertions, depth: 0, is_in_chain: false };
    weaver.visit_file(&syn::parse_file(source).expect("Rust"));

    weaver.insertions.sort_by_key(|insertion| (insertion.at, insertion.order));
    let (mut woven, mut done) = (String::new(), 0);
    for insertion in weaver.insertions {
        woven.extend(&text[done..insertion.at]);
        woven += &insertion.text;
        done = insertion.at;
    }
    woven.extend(&text[done..]);
    let left = weaver.mutants.iter().filter(|mutant| !mutant.is_woven).map(|mutant| mutant.number);
    (woven, left.collect())
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, list, root] = &arguments[..] else { panic!("usage: weave MUTANTS ROOT") };
    let list = std::fs::read_to_string(list).expect("a list of mutants");
    let list: Value = serde_json::from_str(&list).expect("JSON");
    let mut by_file: BTreeMap<&str, Vec<(usize, &Value)>> = BTreeMap::new();
    for (number, mutant) in list.as_array().expect("a list").iter().enumerate() {
        // A mutant that the compiler rejected is null in the list.
        if let Some(file) = mutant["file"].as_str() {
            by_file.entry(file).or_default().push((number, mutant));
        }
    }
    for (file, listed) in by_file {
        let path = format!("{root}/{file}");
        let (woven, left) = weave(&std::fs::read_to_string(&path).expect("a source"), &listed);
        std::fs::write(&path, woven).expect("a file to write to");
        left.iter().for_each(|number| println!("{number}"));
    }
}
