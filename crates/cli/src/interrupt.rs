//! The end of a command that runs until it is stopped.

use std::future::Future;

/// Completes when the command is interrupted (Ctrl-C), terminated (SIGTERM, as test runners send), or its terminal is closed (SIGHUP).
/// Listens from this call on, so that nothing that is made after it is left behind.
#[cfg(unix)]
pub(crate) fn interrupted() -> impl Future<Output = ()> {
    use futures_util::stream::{FuturesUnordered, StreamExt};
    use tokio::signal::unix::{SignalKind, signal};
    let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
    if !outlives_terminal() {
        kinds.push(SignalKind::hangup());
    }
    let signals: Vec<_> = kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect();
    async move {
        let received = signals.into_iter().map(|mut signal| async move { signal.recv().await });
        let mut received: FuturesUnordered<_> = received.collect();
        if received.next().await.is_none() {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

/// Completes when the command is interrupted (Ctrl-C).
#[cfg(not(unix))]
pub(crate) fn interrupted() -> impl Future<Output = ()> {
    async {
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// Whether the command was started to go on without its terminal, as by `nohup`: then SIGHUP stays ignored.
#[cfg(unix)]
fn outlives_terminal() -> bool {
    use std::io::IsTerminal;
    match std::fs::read_to_string("/proc/self/status").ok().as_deref().and_then(ignores_hang_up) {
        Some(ignored) => ignored,
        // Where the system does not tell: `nohup` leaves the command no output on a terminal.
        None => !std::io::stdout().is_terminal() && !std::io::stderr().is_terminal(),
    }
}

/// Reads from the status of a process of Linux whether it ignores SIGHUP, which is signal 1: the lowest bit of the mask.
#[cfg(unix)]
fn ignores_hang_up(status: &str) -> Option<bool> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    Some(u64::from_str_radix(mask.trim(), 16).ok()? & 1 == 1)
}

#[cfg(all(test, unix))]
mod tests {
    use super::ignores_hang_up;

    #[test]
    fn the_mask_of_ignored_signals_is_read() {
        for (mask, ignored) in [
            ("0000000000000000", Some(false)),
            ("0000000000001001", Some(true)),
            ("fffffffffffffffe", Some(false)),
            ("none", None),
        ] {
            assert_eq!(ignores_hang_up(&format!("Name:\tsaldo\nSigIgn:\t{mask}\nSigCgt:\t1\n")), ignored);
        }
        assert_eq!(ignores_hang_up("Name:\tsaldo\n"), None);
    }
}
