//! One piece of work, done in up to three ways.

/// Does the work once, and returns whether the result is right.
pub type Work = Box<dyn FnMut() -> bool>;

/// One of the three ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Side {
    /// The part that no implementation can avoid.
    Limit,
    /// A well-known library.
    Peer,
    /// saldo.
    Ours,
}

/// The bound that our side must reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// At most this many times the limit.
    TimesLimit(f64),
    /// At most this many microseconds.
    Microseconds(f64),
    /// At most this many microseconds more than the limit.
    MoreThanLimit(f64),
}

/// One piece of work in up to three ways.
pub struct Row {
    /// What the row measures, in a few words.
    pub what: String,
    /// The part that no implementation can avoid, if there is a meaningful limit.
    pub limit: Option<Work>,
    /// A well-known library, if one does this work.
    pub peer: Option<Work>,
    /// saldo.
    pub ours: Work,
    /// The bound that our side must reach.
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
