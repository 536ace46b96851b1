//! How many files and connections the system lets this process have open at one time.

/// What is kept for connections to providers and for files.
const OWN: usize = 128;

/// Makes room for so many connections of callers. Returns for how many there is room, at least one.
#[cfg(unix)]
pub(crate) fn make_room_for(connections: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let wanted = u64::try_from(connections.saturating_add(OWN)).unwrap_or(u64::MAX);
    let limit = getrlimit(Resource::Nofile);
    let mut current = limit.current.unwrap_or(u64::MAX);
    if current < wanted {
        let raised = wanted.min(limit.maximum.unwrap_or(u64::MAX));
        if setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum }).is_ok() {
            current = raised;
        }
    }
    let room = usize::try_from(current).unwrap_or(usize::MAX).saturating_sub(OWN);
    connections.min(room.max(1))
}

/// Elsewhere there is no such limit that is met first.
#[cfg(not(unix))]
pub(crate) fn make_room_for(connections: usize) -> usize {
    let _ = OWN;
    connections
}
