//! How much watches may ask.

/// How much a client's watches may ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pace {
    /// Somebody is looking: what is shown is proven anew every 5 minutes (or [`Policy::max_age`](saldo_reading::Policy), if
    /// that is less), and within some slots of a change.
    #[default]
    Foreground,
    /// Nobody is looking: what is known is proven anew every 30 minutes, and nothing else is asked.
    Background,
    /// Nothing is asked. What is shown still grows old.
    Paused,
}
