//! Moments as HTTP spells them.

use saldo_beacon::unit::UnixTime;

const SECONDS_A_DAY: u64 = 24 * 60 * 60;
/// 1970-01-01 was a Thursday.
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
/// The months of a year that begins in March, so that a leap day is its last.
const MONTHS: [(&str, u64); 12] = [
    ("Mar", 31),
    ("Apr", 30),
    ("May", 31),
    ("Jun", 30),
    ("Jul", 31),
    ("Aug", 31),
    ("Sep", 30),
    ("Oct", 31),
    ("Nov", 30),
    ("Dec", 31),
    ("Jan", 31),
    ("Feb", 29),
];

/// The moment as an HTTP date, in whole seconds, for example `Sun, 06 Nov 1994 08:49:37 GMT`
/// ([RFC 9110, section 5.6.7](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7)). The year 9999 is the last.
pub(crate) fn http_date(time: UnixTime) -> String {
    /// 9999-12-31 23:59:59.
    const LAST: u64 = 253_402_300_799;
    let seconds = time.as_secs().min(LAST);
    let (days, second) = (seconds / SECONDS_A_DAY, seconds % SECONDS_A_DAY);
    let (hours, minutes) = (second / 3600, second / 60 % 60);
    let weekday = usize::try_from(days % 7).ok().and_then(|day| WEEKDAYS.get(day)).unwrap_or(&"");
    let (year, month, day) = calendar(days);
    format!("{weekday}, {day:02} {month} {year:04} {hours:02}:{minutes:02}:{:02} GMT", second % 60)
}

/// Year, month and day of a day counted from 1970-01-01.
fn calendar(days: u64) -> (u64, &'static str, u64) {
    /// From 1600-03-01 to 1970-01-01.
    const BEFORE_1970: u64 = 135_080;
    const YEAR: u64 = 365;
    const FOUR_YEARS: u64 = 4 * YEAR + 1;
    const CENTURY: u64 = 25 * FOUR_YEARS - 1;
    const FOUR_CENTURIES: u64 = 4 * CENTURY + 1;
    let days = days.saturating_add(BEFORE_1970);
    let (cycles, days) = (days / FOUR_CENTURIES, days % FOUR_CENTURIES);
    // The last day of a cycle, and of four years, is a leap day: it begins no new century and no new year.
    let centuries = (days / CENTURY).min(3);
    let days = days.saturating_sub(centuries.saturating_mul(CENTURY));
    let (fours, days) = (days / FOUR_YEARS, days % FOUR_YEARS);
    let years = (days / YEAR).min(3);
    let mut day = days.saturating_sub(years.saturating_mul(YEAR));
    let counts = [(1600, 1), (cycles, 400), (centuries, 100), (fours, 4), (years, 1)];
    let year =
        counts.iter().fold(0_u64, |sum, (count, years)| sum.saturating_add(count.saturating_mul(*years)));
    for (place, (month, length)) in MONTHS.into_iter().enumerate() {
        if day < length {
            // January and February belong to the calendar's next year.
            return (year.saturating_add(u64::from(place >= 10)), month, day.saturating_add(1));
        }
        day = day.saturating_sub(length);
    }
    (year, "Feb", 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, date) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
            (1_709_251_200, "Fri, 01 Mar 2024 00:00:00 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (u64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(http_date(UnixTime::from_secs(seconds)), date);
        }
    }
}
