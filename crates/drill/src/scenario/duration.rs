//! Lengths of time as people write them.

use std::time::Duration;

use serde::Deserialize;

/// A length of time in a file.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Length(pub(super) Duration);

impl TryFrom<String> for Length {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        parse(&text).map(Self)
    }
}

const UNITS: [(&str, u64); 5] = [("ms", 1), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];

/// Reads `500ms`, `30s`, `2h30m` or `10d`.
///
/// # Errors
/// What was expected, if it is no length of time.
pub fn parse(text: &str) -> Result<Duration, &'static str> {
    const EXPECTED: &str = "expected a length of time such as \"500ms\", \"30s\", \"2h30m\" or \"10d\"";
    let mut rest = text.trim();
    let mut millis = 0_u64;
    if rest.is_empty() {
        return Err(EXPECTED);
    }
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).ok_or(EXPECTED)?;
        let (number, after) = rest.split_at_checked(digits).ok_or(EXPECTED)?;
        let number: u64 = number.parse().map_err(|_| EXPECTED)?;
        let unit = UNITS.iter().find(|(name, _)| after.starts_with(name)).ok_or(EXPECTED)?;
        rest = after.strip_prefix(unit.0).unwrap_or_default();
        let part = number.checked_mul(unit.1).ok_or("that is too long")?;
        millis = millis.checked_add(part).ok_or("that is too long")?;
    }
    Ok(Duration::from_millis(millis))
}

/// A length of time in its two largest units, as [`parse`] reads it.
pub fn brief(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let pair = |large: u64, name: &str, small: u64, other: &str| match small {
        0 => format!("{large}{name}"),
        small => format!("{large}{name}{small}{other}"),
    };
    match (days, hours, minutes, seconds % 60) {
        (0, 0, 0, 0) if duration.subsec_millis() > 0 => format!("{}ms", duration.subsec_millis()),
        (0, 0, 0, seconds) => format!("{seconds}s"),
        (0, 0, minutes, seconds) => pair(minutes, "m", seconds, "s"),
        (0, hours, minutes, _) => pair(hours, "h", minutes, "m"),
        (days, hours, ..) => pair(days, "d", hours, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_and_written() {
        for (text, millis) in
            [("500ms", 500), ("30s", 30_000), ("2h30m", 9_000_000), ("10d", 864_000_000), ("0s", 0)]
        {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
            assert_eq!(brief(Duration::from_millis(millis)), text);
        }
        for wrong in ["", "5", "m", "1.5s", "-1s", "5 m", "5y", "99999999999999999999s", "9999999999999999d"]
        {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
