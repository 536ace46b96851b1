//! The parser's errors without the typed text: it may be a URL, and a URL is a secret.

use clap::error::{ContextKind, ContextValue};

const WITHHELD: &str = "…";

/// Removes all typed text from `error`, except names of options.
pub(crate) fn withhold(error: &mut clap::Error) {
    // This suggestion ("to pass '…' as a value") repeats the whole argument.
    error.remove(ContextKind::Suggested);
    for kind in [
        ContextKind::InvalidSubcommand,
        ContextKind::InvalidArg,
        ContextKind::InvalidValue,
        ContextKind::TrailingArg,
    ] {
        let typed = match error.get(kind) {
            Some(ContextValue::String(typed)) => typed,
            _ => continue, // Lists hold names of our own: what is missing.
        };
        if kind != ContextKind::InvalidArg || !is_option(typed) {
            error.insert(kind, ContextValue::String(WITHHELD.to_owned()));
        }
    }
}

/// The error in one line.
pub(crate) fn one_line(error: &clap::Error) -> String {
    let message = error.render().to_string();
    let mut lines = message.lines().map(str::trim);
    let line = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    if !line.ends_with(':') {
        return line;
    }
    // A list follows, and then an empty line.
    let listed: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    format!("{line} {}", listed.join(", "))
}

/// Whether `typed` can be an option, with at most its placeholder: `--timeout <TIME>`.
fn is_option(typed: &str) -> bool {
    /// Longer than every option, shorter than every API key.
    const LONGEST: usize = 20;
    let name = typed.split(' ').next().unwrap_or_default();
    let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    plain && name.starts_with('-') && name.len() <= LONGEST
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::Saldo;

    fn message(arguments: &[&str]) -> String {
        let typed = std::iter::once("saldo").chain(arguments.iter().copied());
        let mut error = Saldo::try_parse_from(typed).err().expect("these arguments are wrong");
        withhold(&mut error);
        format!("{}\n{error}\n{error:?}", one_line(&error))
    }

    #[test]
    fn what_is_missing_is_named_in_one_line() {
        for (arguments, missing) in [
            (&["balance", "--json"][..], "<ADDRESS>..."),
            (&["network", "import", "--json"], "--beacon-url <URL>"),
        ] {
            let error = Saldo::try_parse_from(std::iter::once(&"saldo").chain(arguments)).err();
            let line = one_line(&error.expect("an argument is missing"));
            let before = "the following required arguments were not provided: ";
            assert_eq!(
                line.strip_prefix(before).map(|listed| listed.contains(missing)),
                Some(true),
                "{line}"
            );
        }
    }

    #[test]
    fn typed_text_is_withheld_and_options_are_named() {
        for (arguments, expected) in [
            (&["https://SECRET"][..], "unrecognized subcommand '…'"),
            (&["demo", "https://SECRET"], "unexpected argument '…' found"),
            (&["demo", "--https://SECRET"], "unexpected argument '…' found"),
            (&["balance", "--SECRET=1"], "unexpected argument '…' found"),
            (&["balance", "--json=https://SECRET"], "unexpected value '…' for '--json' found"),
            (&["balance", "--timeout", "https://SECRET"], "for '--timeout <TIME>': expected a whole number"),
            (&["balance", "--rpc", "https://SECRET"], "unexpected argument '--rpc' found"),
            (&["balance", "--rpcurl=https://SECRET"], "a similar argument exists: '--rpc-url'"),
            (&["balance", "-r", "https://SECRET"], "<ADDRESS>..."),
        ] {
            let shown = message(arguments);
            assert!(shown.contains(expected), "{arguments:?}: {shown}");
            assert!(!shown.contains("SECRET"), "{arguments:?}: {shown}");
        }
    }
}
