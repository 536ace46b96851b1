//! The state of a source, in one word.

/// The state of a source, in one word. Ordered: a later one is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// Answers in time, and tells the truth.
    Well,
    /// Answers, but slowly, or of old blocks.
    Slow,
    /// Asks to wait, or refuses to serve.
    Limited,
    /// Answers with errors, or with something that is no answer.
    Failing,
    /// Cannot be reached, or never answers.
    Gone,
    /// Says what is not true.
    Lies,
}

impl Condition {
    /// A stable name, in one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Slow => "slow",
            Self::Limited => "limited",
            Self::Failing => "failing",
            Self::Gone => "gone",
            Self::Lies => "lies",
        }
    }

    /// One character for it.
    pub const fn mark(self) -> char {
        match self {
            Self::Well => '.',
            Self::Slow => '~',
            Self::Limited => '-',
            Self::Failing => '!',
            Self::Gone => 'x',
            Self::Lies => '#',
        }
    }
}
