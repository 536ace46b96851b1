//! The profile that is written: what was read, for people, and the profile itself.

use super::super::rollup::l1;
use super::{Read, contract};

/// The text of the file.
pub(super) fn text(read: &Read) -> String {
    let (profile, anchor) = (&read.before, read.codes.anchor());
    let mut text = format!(
        "# {}, read by `saldo network codes` under block {} of {} ({}), {}.\n",
        profile.name(),
        anchor.number(),
        l1(profile),
        anchor.hash(),
        anchor.timestamp()
    );
    for code in &read.codes.observed().codes {
        let named = if read.is_named(code) { "" } else { " (not named below)" };
        text.push_str(&format!(
            "# {}: {} runs {}{named}\n#   {}; code {}\n",
            contract(code),
            code.address,
            code.implementation,
            read.known(code),
            code.code_hash
        ));
    }
    if let Some(refusal) = &read.codes.observed().ended_by {
        text.push_str(&format!("# Not all was read: {refusal}.\n"));
    }
    format!("{text}{}", read.pinned.to_toml())
}
