//! Text as shells and editors write it: UTF-8 with or without a byte order mark, or UTF-16 with one.

use std::fmt;

/// Why bytes are not text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotText {
    /// The line of the first byte that cannot be read, from 1 on.
    pub(crate) line: usize,
    expected: &'static str,
}

impl fmt::Display for NotText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: a character is not {}", self.line, self.expected)
    }
}

/// Reads UTF-8, or UTF-16 that begins with a byte order mark, as PowerShell writes it. The mark is left out.
///
/// # Errors
/// [`NotText`] with the line of the first byte that is neither.
pub(crate) fn decode(bytes: &[u8]) -> Result<String, NotText> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, NotText> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
        let read = bytes.get(..error.valid_up_to()).unwrap_or_default();
        NotText { line: line_after(read), expected: "UTF-8" }
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, NotText> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(pairs.len());
    let whole = char::decode_utf16(pairs.iter().copied().map(unit))
        .try_for_each(|read| read.map(|character| text.push(character)).map_err(drop));
    if whole.is_err() || !rest.is_empty() {
        return Err(NotText { line: line_after(text.as_bytes()), expected: "UTF-16" });
    }
    Ok(text)
}

/// The number of the line in which the next byte stands.
pub(crate) fn line_after(read: &[u8]) -> usize {
    read.iter().filter(|byte| **byte == b'\n').count().saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16_of(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn a_byte_order_mark_says_how_to_read() {
        let text = "0x12 # é\r\n";
        let marked = format!("\u{feff}{text}");
        assert_eq!(decode(text.as_bytes()).as_deref(), Ok(text));
        assert_eq!(decode(marked.as_bytes()).as_deref(), Ok(text));
        assert_eq!(decode(&utf16_of(&marked, u16::to_le_bytes)).as_deref(), Ok(text));
        assert_eq!(decode(&utf16_of(&marked, u16::to_be_bytes)).as_deref(), Ok(text));
        assert_eq!(decode(b"").as_deref(), Ok(""));
    }

    #[test]
    fn what_is_no_text_names_its_line() {
        let line = |bytes: &[u8]| decode(bytes).unwrap_err().line;
        assert_eq!(line(b"a\nb # caf\xe9\nc"), 2, "Latin-1");
        assert_eq!(line(b"\xc3"), 1, "a character that is cut off");
        assert_eq!(line(b"a\r\n\r\n\xff"), 3);
        let mut odd = utf16_of("\u{feff}a\nb", u16::to_le_bytes);
        odd.push(0);
        assert_eq!(line(&odd), 2, "half a unit");
        let mut lone = utf16_of("\u{feff}a\n\n", u16::to_be_bytes);
        lone.extend([0xd8, 0x00, 0x00, 0x61]);
        assert_eq!(line(&lone), 3, "half a pair");
    }
}
