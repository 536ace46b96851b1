//! Codes, for people.

use std::path::Path;

use saldo::{Client, NotProven, Profile, ProviderId};

use super::super::rollup::l1;
use super::{Read, contract};
use crate::text::{attempt_line, good, place, warn};

/// The text of what was read, without a line break at its end.
pub(super) fn read(client: &Client, read: &Read, out: Option<&Path>) -> String {
    let (profile, anchor) = (&read.before, read.codes.anchor());
    let providers: Vec<&str> = read.codes.providers().map(ProviderId::as_str).collect();
    let mut lines = vec![
        format!("{}: the codes that its contracts on {} run", profile.name(), l1(profile)),
        format!("  {}", place(client, anchor, providers.join(", "))),
        format!("  block hash {}, of {}", anchor.hash(), anchor.timestamp()),
    ];
    for code in &read.codes.observed().codes {
        let known = read.known(code);
        let known = if read.is_named(code) { good(&known) } else { warn(&known) };
        lines.extend([
            String::new(),
            format!("{}  {known}", contract(code)),
            format!("  address         {}", code.address),
            format!("  implementation  {}", code.implementation),
            format!("  code            {}", code.code_hash),
        ]);
    }
    if let Some(refusal) = &read.codes.observed().ended_by {
        lines.extend([String::new(), warn(&format!("not all was read: {refusal}"))]);
    }
    lines.extend([String::new(), verdict(read)]);
    lines.extend(out.map(|path| format!("written to {}", path.display())));
    lines.push(format!(
        "These codes were read at block {}. A profile that names them refuses all others: compare them first with what the operator of {} \
         publishes about its contracts.",
        anchor.number(),
        profile.name()
    ));
    lines.extend(out.filter(|_| read.pinned.is_pinned()).map(|path| {
        let is_path = path.to_string_lossy().contains(['/', '.']);
        let before = if is_path { "" } else { "./" };
        format!("Then use it: saldo balance ADDRESS --network {before}{}", path.display())
    }));
    lines.join("\n")
}

fn verdict(read: &Read) -> String {
    if read.pinned.is_pinned() {
        return good("pinned: with these codes balances are proven");
    }
    let codes = read.codes.observed().codes.iter();
    let unknown: Vec<String> = codes.filter(|code| !read.is_known(code)).map(contract).collect();
    let why = match unknown.as_slice() {
        [] => "not all of its contracts were found".to_owned(),
        unknown => format!("saldo does not know what is stored by the {}", unknown.join(", ")),
    };
    warn(&format!("not pinned: {why}. Balances stay provisional until a file says it"))
}

/// The text if nothing was proven.
pub(super) fn nothing(profile: &Profile, not_proven: &NotProven) -> String {
    let why = not_proven.why();
    let first = format!("{}  {}: {why}", profile.name(), warn("unknown"));
    let attempts = not_proven.attempts().iter().map(attempt_line);
    let lines = std::iter::once(first).chain(attempts).chain([why.next_step().to_owned()]);
    lines.collect::<Vec<_>>().join("\n  ")
}
