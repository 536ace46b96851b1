//! Numbers in the widths that other languages have.

use std::time::Duration;

/// Returns `number`, or the greatest number of the narrower type.
pub(crate) fn narrow<T: TryFrom<usize> + Bounded>(number: usize) -> T {
    T::try_from(number).unwrap_or(T::GREATEST)
}

/// Has a greatest number.
pub(crate) trait Bounded {
    /// The greatest number.
    const GREATEST: Self;
}

impl Bounded for u32 {
    const GREATEST: Self = Self::MAX;
}

impl Bounded for u64 {
    const GREATEST: Self = Self::MAX;
}

/// Returns whole milliseconds.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
