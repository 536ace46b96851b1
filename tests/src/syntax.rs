//! The sources of a crate as syntax: which file depends on which, and how long its functions are.
//!
//! A file depends on another if it names an item that the other defines, through however many re-exports, or if it calls a
//! method that the other adds to a type of a third file. A re-export (`pub use`) is no dependency by itself, and test code
//! does not count. Not seen are method calls whose name two files define, and names inside macros that are not lists of
//! expressions.

use std::collections::{BTreeMap, BTreeSet};

use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ImplItem, Item, Token, UseTree, Visibility};

/// The segments of a path.
type Names = Vec<String>;
/// The file that defines a type, and the type's name.
type Type = (String, String);
/// For each file the files it depends on, with the names that it takes from them.
pub type Edges = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// What a name in a module is.
#[derive(Clone, Debug)]
enum Meaning {
    Item,
    Module(Names),
    Import(Names),
}

/// A module: the file it stands in and the names it knows.
#[derive(Debug, Default)]
struct Module {
    file: String,
    names: BTreeMap<String, Meaning>,
    globs: Vec<Names>,
}

/// The sources of one crate as syntax, without test code.
#[derive(Default)]
pub struct Sources {
    modules: BTreeMap<Names, Module>,
    /// The items of each module.
    items: BTreeMap<Names, Vec<Item>>,
    /// Methods that a file adds to a type of another file.
    methods: BTreeMap<(Type, String), String>,
    /// Of each method name with a receiver, the files that define one.
    by_name: BTreeMap<String, BTreeSet<String>>,
}

/// Where a path leads to.
enum Target {
    Module,
    /// An item of a module, with the segments that follow it.
    Item {
        file: String,
        name: String,
        rest: Names,
    },
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let meta = &attribute.meta;
        let condition = meta.require_list().map(|list| list.tokens.to_string()).unwrap_or_default();
        meta.path().is_ident("test")
            || meta.path().is_ident("cfg") && (condition == "test" || condition.starts_with("all (test"))
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        _ => &[],
    }
}

/// The name that an item defines, if it defines one.
fn defined(item: &Item) -> Option<String> {
    Some(match item {
        Item::Const(item) => item.ident.to_string(),
        Item::Enum(item) => item.ident.to_string(),
        Item::Fn(item) => item.sig.ident.to_string(),
        Item::Macro(item) => item.ident.as_ref()?.to_string(),
        Item::Static(item) => item.ident.to_string(),
        Item::Struct(item) => item.ident.to_string(),
        Item::Trait(item) => item.ident.to_string(),
        Item::TraitAlias(item) => item.ident.to_string(),
        Item::Type(item) => item.ident.to_string(),
        Item::Union(item) => item.ident.to_string(),
        _ => return None,
    })
}

/// Every path that a `use` names, with the name it gets here; a glob has the name `*`.
fn imports(tree: &UseTree, before: &Names) -> Vec<(Names, String)> {
    let with = |name: String| before.iter().cloned().chain([name]).collect::<Names>();
    match tree {
        UseTree::Path(path) => imports(&path.tree, &with(path.ident.to_string())),
        UseTree::Group(group) => group.items.iter().flat_map(|tree| imports(tree, before)).collect(),
        UseTree::Glob(_) => vec![(before.clone(), "*".to_owned())],
        UseTree::Name(name) if name.ident == "self" => {
            before.last().map(|last| vec![(before.clone(), last.clone())]).unwrap_or_default()
        }
        UseTree::Name(name) => vec![(with(name.ident.to_string()), name.ident.to_string())],
        UseTree::Rename(rename) => vec![(with(rename.ident.to_string()), rename.rename.to_string())],
    }
}

fn names(path: &syn::Path) -> Names {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

impl Sources {
    /// Parses the files of a crate, by their paths below `src`.
    ///
    /// # Panics
    /// If a file is no Rust, or a module that is declared has no file.
    pub fn parse(files: &BTreeMap<String, String>) -> Self {
        let mut sources = Self::default();
        sources.add_file(files, &[], "lib.rs");
        sources.find_methods();
        sources
    }

    /// Returns the files that are not test code.
    pub fn files(&self) -> BTreeSet<&str> {
        self.modules.values().map(|module| module.file.as_str()).collect()
    }

    fn add_file(&mut self, files: &BTreeMap<String, String>, module: &[String], file: &str) {
        let text = files.get(file).unwrap_or_else(|| panic!("{file} is declared and not there"));
        let items = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}")).items;
        self.add_module(files, module, file, items);
    }

    fn add_module(&mut self, files: &BTreeMap<String, String>, at: &[String], file: &str, items: Vec<Item>) {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        let items: Vec<Item> = items.into_iter().filter(|item| !is_test(attributes(item))).collect();
        for item in &items {
            if let Some(name) = defined(item) {
                module.names.insert(name, Meaning::Item);
            }
            if let Item::Use(item) = item {
                for (path, name) in imports(&item.tree, &Vec::new()) {
                    match name.as_str() {
                        "*" => module.globs.push(path),
                        _ => drop(module.names.insert(name, Meaning::Import(path))),
                    }
                }
            }
            if let Item::Mod(child) = item {
                let name = child.ident.to_string();
                let path: Names = at.iter().cloned().chain([name.clone()]).collect();
                match &child.content {
                    Some((_, items)) => self.add_module(files, &path, file, items.clone()),
                    None => self.add_file(files, &path, &format!("{}.rs", path.join("/"))),
                }
                module.names.insert(name, Meaning::Module(path));
            }
        }
        self.modules.insert(at.to_vec(), module);
        self.items.insert(at.to_vec(), items);
    }

    /// Follows a path from a module to the item it names; `None` for what is of another crate or local.
    fn resolve(&self, at: &[String], path: &[String]) -> Option<Target> {
        self.resolve_within(at, path, 16)
    }

    fn resolve_within(&self, at: &[String], path: &[String], left: usize) -> Option<Target> {
        let left = left.checked_sub(1)?;
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => self.descend(&[], rest, left),
            "self" => self.descend(at, rest, left),
            "super" => match rest.first().map(String::as_str) {
                Some("super") => self.resolve_within(at.split_last()?.1, rest, left),
                _ => self.descend(at.split_last()?.1, rest, left),
            },
            name if self.modules[at].names.contains_key(name) => self.descend(at, path, left),
            _ => {
                let globs = self.modules[at].globs.iter();
                let paths = globs.map(|glob| glob.iter().chain(path).cloned().collect::<Names>());
                paths.into_iter().find_map(|path| self.resolve_within(at, &path, left).filter(is_item))
            }
        }
    }

    fn descend(&self, at: &[String], path: &[String], left: usize) -> Option<Target> {
        let Some((name, rest)) = path.split_first() else { return Some(Target::Module) };
        let module = self.modules.get(at)?;
        match module.names.get(name) {
            Some(Meaning::Module(child)) => self.descend(child, rest, left),
            Some(Meaning::Import(import)) => {
                let path: Names = import.iter().chain(rest).cloned().collect();
                self.resolve_within(at, &path, left)
            }
            // A name that is not found is made by a macro of that file.
            Some(Meaning::Item) | None => {
                Some(Target::Item { file: module.file.clone(), name: name.clone(), rest: rest.to_vec() })
            }
        }
    }

    fn type_of(&self, at: &[String], ty: &syn::Type) -> Option<Type> {
        let syn::Type::Path(path) = ty else { return None };
        match self.resolve(at, &names(&path.path))? {
            Target::Item { file, name, .. } => Some((file, name)),
            Target::Module => None,
        }
    }

    fn find_methods(&mut self) {
        let (mut methods, mut by_name) = (BTreeMap::new(), BTreeMap::<String, BTreeSet<String>>::new());
        for (at, items) in &self.items {
            let file = &self.modules[at].file;
            let impls =
                items.iter().filter_map(|item| if let Item::Impl(item) = item { Some(item) } else { None });
            for item in impls {
                let functions = item.items.iter().filter_map(|item| {
                    if let ImplItem::Fn(function) = item { Some(&function.sig) } else { None }
                });
                let of = self.type_of(at, &item.self_ty).filter(|_| item.trait_.is_none());
                for signature in functions {
                    let name = signature.ident.to_string();
                    if signature.receiver().is_some() {
                        by_name.entry(name.clone()).or_default().insert(file.clone());
                    }
                    if let Some(of) = of.clone().filter(|(defined, _)| defined != file) {
                        methods.insert((of, name), file.clone());
                    }
                }
            }
        }
        (self.methods, self.by_name) = (methods, by_name);
    }

    /// Returns what each file depends on.
    pub fn edges(&self) -> Edges {
        let mut edges = Edges::new();
        for (at, items) in &self.items {
            let mut reader = Reader { sources: self, at, of: None, edges: &mut edges };
            items.iter().for_each(|item| reader.visit_item(item));
        }
        edges
    }
}

fn is_item(target: &Target) -> bool {
    matches!(target, Target::Item { .. })
}

/// Reads one module and notes what it depends on.
struct Reader<'a> {
    sources: &'a Sources,
    at: &'a [String],
    /// The type whose `impl` is being read.
    of: Option<Type>,
    edges: &'a mut Edges,
}

impl Reader<'_> {
    fn note(&mut self, file: &str, name: &str) {
        let here = &self.sources.modules[self.at].file;
        if file != here {
            let to = self.edges.entry(here.clone()).or_default().entry(file.to_owned()).or_default();
            to.insert(name.to_owned());
        }
    }

    fn note_path(&mut self, path: &[String]) {
        let target = match (path.first().map(String::as_str), &self.of) {
            (Some("Self"), Some((file, name))) => {
                Some(Target::Item { file: file.clone(), name: name.clone(), rest: path[1..].to_vec() })
            }
            _ => self.sources.resolve(self.at, path),
        };
        let Some(Target::Item { file, name, rest }) = target else { return };
        self.note(&file, &name);
        if let Some(function) = rest.first() {
            self.note_method(&(file, name), function);
        }
    }

    fn note_method(&mut self, of: &Type, function: &str) {
        if let Some(file) = self.sources.methods.get(&(of.clone(), function.to_owned())) {
            self.note(file, &format!("{}::{function}", of.1));
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if matches!(item.vis, Visibility::Inherited) {
            imports(&item.tree, &Vec::new()).iter().for_each(|(path, _)| self.note_path(path));
        }
    }

    fn visit_item_mod(&mut self, _: &'ast syn::ItemMod) {}

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.of = self.sources.type_of(self.at, &item.self_ty);
        visit::visit_item_impl(self, item);
        self.of = None;
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !is_test(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.note_path(&names(path));
        visit::visit_path(self, path);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let name = call.method.to_string();
        let is_self = matches!(&*call.receiver, Expr::Path(path) if path.path.is_ident("self"));
        match self.of.clone().filter(|_| is_self) {
            Some(of) => self.note_method(&of, &name),
            None => {
                let definitions = self.sources.by_name.get(&name).filter(|files| files.len() == 1);
                let added = self.sources.methods.iter().find(|((_, method), _)| *method == name);
                if let (Some(_), Some(((of, _), _))) = (definitions, added) {
                    self.note_method(of, &name);
                }
            }
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        if let Ok(list) = mac.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
            let mut reader =
                Reader { sources: self.sources, at: self.at, of: self.of.clone(), edges: self.edges };
            list.iter().for_each(|expression| Visit::visit_expr(&mut reader, expression));
        }
    }
}

/// The files that lead back to themselves, each group once.
pub fn circles(edges: &Edges) -> BTreeSet<BTreeSet<String>> {
    let reached = |from: &String| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(file) = open.pop() {
            let next = edges.get(&file).into_iter().flat_map(BTreeMap::keys);
            open.extend(next.filter(|next| seen.insert((*next).clone())).cloned());
        }
        seen
    };
    let all: BTreeMap<&String, BTreeSet<String>> = edges.keys().map(|file| (file, reached(file))).collect();
    let circle = |(file, to): (&&String, &BTreeSet<String>)| -> BTreeSet<String> {
        to.iter().filter(|other| all.get(other).is_some_and(|back| back.contains(*file))).cloned().collect()
    };
    all.iter().map(circle).filter(|circle| !circle.is_empty()).collect()
}

/// Finds functions of more than `most` lines.
struct LongFunctions {
    most: usize,
    found: Vec<LongFunction>,
}

/// A function that is too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LongFunction {
    /// Its name.
    pub name: String,
    /// The line of `fn`.
    pub line: usize,
    /// Lines from `fn` to the closing brace.
    pub lines: usize,
}

impl LongFunctions {
    fn measure(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let (line, last) = (signature.fn_token.span.start().line, block.brace_token.span.close().end().line);
        let lines = last - line + 1;
        if lines > self.most {
            self.found.push(LongFunction { name: signature.ident.to_string(), line, lines });
        }
    }
}

impl<'ast> Visit<'ast> for LongFunctions {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.measure(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !is_test(&function.attrs) {
            self.measure(&function.sig, &function.block);
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.measure(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

/// Returns the functions of a file that have more than `most` lines, without test code.
///
/// # Panics
/// If the text is no Rust.
pub fn long_functions(text: &str, most: usize) -> Vec<LongFunction> {
    let mut long = LongFunctions { most, found: Vec::new() };
    long.visit_file(&syn::parse_file(text).unwrap());
    long.found
}
