//! The pace: how many requests watches may make.

/// Limits the requests that a client's watches make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pace {
    /// The user sees the readings. They are proven again every 5 minutes (or
    /// [`Policy::max_age`](saldo_reading::Policy), if that is less), and within some slots after a change.
    #[default]
    Foreground,
    /// The user does not see the readings. They are proven again every 30 minutes, and no other request is
    /// made.
    Background,
    /// No request is made. The age of the readings still grows, and the watch reports it.
    Paused,
}
