//! One piece of work, done in up to three ways.

/// Does the work once, and says whether it came out right.
pub type Work = Box<dyn FnMut() -> bool>;

/// Which of the three ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Side {
    /// What nobody can do without.
    Limit,
    /// A well-known library's way.
    Peer,
    /// Ours.
    Ours,
}

/// What ours must reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// At most this many times the limit.
    TimesLimit(f64),
    /// At most this many microseconds.
    Microseconds(f64),
    /// At most this many microseconds more than the limit.
    MoreThanLimit(f64),
}

/// One piece of work.
pub struct Row {
    /// What it is, in a few words.
    pub what: String,
    /// What nobody can do without, if there is a meaningful limit.
    pub limit: Option<Work>,
    /// A well-known library's way, if one does this.
    pub peer: Option<Work>,
    /// Ours.
    pub ours: Work,
    /// What ours must reach.
    pub bound: Bound,
}

impl Row {
    /// The work of one side, if the row has it.
    pub fn side(&mut self, side: Side) -> Option<&mut Work> {
        match side {
            Side::Limit => self.limit.as_mut(),
            Side::Peer => self.peer.as_mut(),
            Side::Ours => Some(&mut self.ours),
        }
    }
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Row").field("what", &self.what).finish_non_exhaustive()
    }
}
