//! Units of beacon chain time: slots, epochs, sync committee periods, and milliseconds since 1970.
//!
//! They are distinct types, so that they cannot be mixed up. A [`Network`](crate::Network) knows how long slots and
//! epochs are, and converts between them. All arithmetic is checked, or saturates and says so in its name.

use core::fmt;
use core::num::ParseIntError;
use core::str::FromStr;
use core::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            /// Makes the unit from its number.
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// Returns the number.
            pub const fn get(self) -> u64 {
                self.0
            }

            /// Returns the unit `count` later, or `None` past the end of `u64`.
            pub fn checked_add(self, count: u64) -> Option<Self> {
                self.0.checked_add(count).map(Self)
            }

            /// Returns the unit `count` earlier, or `None` before zero.
            pub fn checked_sub(self, count: u64) -> Option<Self> {
                self.0.checked_sub(count).map(Self)
            }

            /// Returns the unit `count` later, or the last unit if that overflows.
            pub fn saturating_add(self, count: u64) -> Self {
                Self(self.0.saturating_add(count))
            }

            /// Returns the unit `count` earlier, or zero.
            pub fn saturating_sub(self, count: u64) -> Self {
                Self(self.0.saturating_sub(count))
            }

            /// Returns how many units after `earlier` this one is, or `None` if it is before `earlier`.
            pub fn since(self, earlier: Self) -> Option<u64> {
                self.0.checked_sub(earlier.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;

            fn from_str(text: &str) -> Result<Self, ParseIntError> {
                text.parse().map(Self)
            }
        }

        /// A decimal string, as in the beacon API.
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&self.0)
            }
        }

        /// A decimal string, as in the beacon API.
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                decimal::deserialize(deserializer).map(Self)
            }
        }
    };
}

unit! {
    /// A slot: the time in which one beacon block may be proposed.
    Slot
}
unit! {
    /// An epoch: a fixed number of slots.
    Epoch
}
unit! {
    /// A sync committee period: the epochs in which one sync committee signs.
    Period
}

/// A moment, in milliseconds since 1970-01-01 00:00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime {
    milliseconds: u64,
}

impl UnixTime {
    /// Makes the moment `seconds` after 1970; the last representable one if that overflows.
    pub const fn from_secs(seconds: u64) -> Self {
        Self { milliseconds: seconds.saturating_mul(1000) }
    }

    /// Makes the moment `milliseconds` after 1970.
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self { milliseconds }
    }

    /// Returns the whole seconds since 1970.
    pub const fn as_secs(self) -> u64 {
        self.milliseconds / 1000
    }

    /// Returns the milliseconds since 1970.
    pub const fn as_millis(self) -> u64 {
        self.milliseconds
    }

    /// Returns the time from `earlier` to this moment, or zero if it is not earlier.
    pub fn saturating_sub(self, earlier: Self) -> Duration {
        Duration::from_millis(self.milliseconds.saturating_sub(earlier.milliseconds))
    }

    /// Returns the moment `duration` later (whole milliseconds), or `None` if it cannot be represented.
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        let added = u64::try_from(duration.as_millis()).ok()?;
        self.milliseconds.checked_add(added).map(Self::from_millis)
    }

    /// Returns the moment `duration` later (whole milliseconds), or the last representable one if that overflows.
    pub fn saturating_add(self, duration: Duration) -> Self {
        self.checked_add(duration).unwrap_or(Self::from_millis(u64::MAX))
    }
}

/// As ISO 8601 in UTC, such as `2026-11-28T22:33:10Z`; with milliseconds if it is not at a whole second.
impl fmt::Display for UnixTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.as_secs(), self.milliseconds % 1000);
        let (year, month, day) = civil(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
        write!(formatter, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if millis > 0 {
            write!(formatter, ".{millis:03}")?;
        }
        formatter.write_str("Z")
    }
}

/// Year, month and day of that many days after 1970-01-01. Source: the civil-from-days algorithm, which counts eras of 400
/// years that start in March (<https://howardhinnant.github.io/date_algorithms.html>).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days.saturating_add(719_468);
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let leap_days = (day_of_era / 36_524).saturating_sub(day_of_era / 146_096);
    let year_of_era = day_of_era.saturating_add(leap_days).saturating_sub(day_of_era / 1_460) / 365;
    let days_before =
        year_of_era.saturating_mul(365).saturating_add(year_of_era / 4).saturating_sub(year_of_era / 100);
    let day_of_year = day_of_era.saturating_sub(days_before);
    let from_march = day_of_year.saturating_mul(5).saturating_add(2) / 153;
    let day =
        day_of_year.saturating_sub(from_march.saturating_mul(153).saturating_add(2) / 5).saturating_add(1);
    let month = if from_march < 10 { from_march.saturating_add(3) } else { from_march.saturating_sub(9) };
    let year = era.saturating_mul(400).saturating_add(year_of_era).saturating_add(u64::from(month <= 2));
    (year, month, day)
}

/// Unsigned numbers as strict decimal strings: digits only, no sign, no leading zero.
pub(crate) mod decimal {
    use super::*;

    pub(crate) fn deserialize<'de, N: FromStr, D: Deserializer<'de>>(deserializer: D) -> Result<N, D::Error> {
        deserializer.deserialize_str(Visitor(core::marker::PhantomData))
    }

    /// Reads a number in decimal digits, without more zeros than it needs.
    pub(crate) fn read<N: FromStr>(text: &str) -> Option<N> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let canonical = text == "0" || !text.starts_with('0');
        text.parse().ok().filter(|_| digits && canonical)
    }

    struct Visitor<N>(core::marker::PhantomData<N>);

    impl<N: FromStr> de::Visitor<'_> for Visitor<N> {
        type Value = N;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a decimal string")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<N, E> {
            read(text).ok_or_else(|| E::custom("not a decimal number in range"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_iso_8601() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_200, "2024-03-01T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (1_791_294_816, "2026-10-06T13:53:36Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(UnixTime::from_secs(seconds).to_string(), expected);
        }
        assert_eq!(UnixTime::from_millis(1_795_881_190_007).to_string(), "2026-11-28T15:53:10.007Z");
        assert!(UnixTime::from_millis(u64::MAX).to_string().ends_with('Z'), "no moment overflows");
    }

    #[test]
    fn arithmetic_never_wraps() {
        assert_eq!(Slot::new(u64::MAX).checked_add(1), None);
        assert_eq!(Slot::new(0).checked_sub(1), None);
        assert_eq!(Epoch::new(5).since(Epoch::new(3)), Some(2));
        assert_eq!(Period::new(3).since(Period::new(5)), None);
        let moment = UnixTime::from_millis(7_999);
        assert_eq!((moment.as_secs(), moment.as_millis()), (7, 7_999));
        assert_eq!(UnixTime::from_secs(u64::MAX), UnixTime::from_millis(u64::MAX));
        assert_eq!(UnixTime::from_millis(u64::MAX).checked_add(Duration::from_millis(1)), None);
        assert_eq!(UnixTime::from_secs(1).saturating_sub(UnixTime::from_secs(2)), Duration::ZERO);
    }

    #[test]
    fn numbers_are_strict_decimal_strings() {
        assert_eq!(serde_json::from_str::<Slot>("\"18446744073709551615\"").unwrap(), Slot::new(u64::MAX));
        assert_eq!(serde_json::to_string(&Slot::new(7)).unwrap(), "\"7\"");
        for refused in [
            "7",
            "\"\"",
            "\"+7\"",
            "\"-7\"",
            "\"07\"",
            "\"0x7\"",
            "\" 7\"",
            "\"18446744073709551616\"",
            "null",
        ] {
            assert!(serde_json::from_str::<Slot>(refused).is_err(), "{refused}");
        }
        let error = serde_json::from_str::<Slot>("7").unwrap_err().to_string();
        assert!(error.contains("expected a decimal string"), "{error}");
    }

    #[test]
    fn a_moment_is_shown_with_its_milliseconds() {
        assert_eq!(UnixTime::from_millis(1_606_824_023_045).to_string(), "2020-12-01T12:00:23.045Z");
    }
}
