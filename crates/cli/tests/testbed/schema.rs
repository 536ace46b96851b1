//! The schemas in `docs/` of what the command prints.

use jsonschema::{Registry, Validator};
use serde_json::{Value, json};

/// The text of each schema that others may refer to, by its name.
const SCHEMAS: [(&str, &str); 10] = [
    ("reading", include_str!("../../../../docs/saldo.reading-1.schema.json")),
    ("health", include_str!("../../../../docs/saldo.health-1.schema.json")),
    ("doctor", include_str!("../../../../docs/saldo.doctor-1.schema.json")),
    ("change", include_str!("../../../../docs/saldo.change-1.schema.json")),
    ("token", include_str!("../../../../docs/saldo.token-1.schema.json")),
    ("rollup-codes", include_str!("../../../../docs/saldo.rollup-codes-1.schema.json")),
    ("verdict", include_str!("../../../../docs/saldo.verdict-1.schema.json")),
    ("proof-file", include_str!("../../../../docs/saldo.proof-file-1.schema.json")),
    ("evidence-verdict", include_str!("../../../../docs/saldo.evidence-verdict-1.schema.json")),
    ("evidence", include_str!("../../../../docs/saldo.evidence-1.schema.json")),
];

/// The schema of that name, or a part of it: `reading#/$defs/serialised`.
///
/// # Panics
/// If there is no such schema.
pub fn schema(name: &str) -> Validator {
    let (name, part) = name.split_once('#').unwrap_or((name, ""));
    let mut registry = Registry::new();
    for (name, text) in SCHEMAS {
        let schema: Value = serde_json::from_str(text).expect("JSON");
        jsonschema::draft202012::meta::validate(&schema).expect("a valid schema");
        registry = registry.add(format!("urn:saldo:{name}:1"), schema).expect("a name of its own");
    }
    let registry = registry.prepare().expect("schemas that refer to known ones");
    let root = json!({ "$ref": format!("urn:saldo:{name}:1#{part}") });
    jsonschema::draft202012::options().with_registry(&registry).build(&root).expect("a schema of that name")
}

/// Asserts that `line` follows `schema`.
#[track_caller]
pub fn assert_follows(schema: &Validator, line: &Value) {
    let errors: Vec<String> = schema.iter_errors(line).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}: {line}");
}
