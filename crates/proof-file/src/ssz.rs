//! A reader of SSZ. It reads each byte once, takes no memory before a limit is checked, and accepts no gap and no rest.
//!
//! Source: consensus-specs `ssz/simple-serialize.md`.

use alloy_primitives::{B256, FixedBytes};

use crate::error::FileError;

/// Bytes of an offset.
const OFFSET: usize = 4;

/// Reads one container: its fixed parts and offsets in order, then its variable parts.
pub(crate) struct Container<'a> {
    name: &'static str,
    whole: &'a [u8],
    position: usize,
    offsets: Vec<usize>,
}

impl<'a> Container<'a> {
    pub(crate) fn new(name: &'static str, whole: &'a [u8]) -> Self {
        Self { name, whole, position: 0, offsets: Vec::new() }
    }

    pub(crate) fn fixed<const N: usize>(&mut self) -> Result<FixedBytes<N>, FileError> {
        let end = self.position.saturating_add(N);
        let bytes = self.whole.get(self.position..end).ok_or(FileError::Malformed { what: self.name })?;
        self.position = end;
        Ok(FixedBytes::from_slice(bytes))
    }

    pub(crate) fn uint8(&mut self) -> Result<u8, FileError> {
        let FixedBytes([byte]) = self.fixed::<1>()?;
        Ok(byte)
    }

    pub(crate) fn uint16(&mut self) -> Result<u16, FileError> {
        Ok(u16::from_le_bytes(self.fixed()?.0))
    }

    pub(crate) fn uint64(&mut self) -> Result<u64, FileError> {
        Ok(u64::from_le_bytes(self.fixed()?.0))
    }

    /// Reads the offset of the next variable part.
    pub(crate) fn offset(&mut self) -> Result<(), FileError> {
        let offset = u32::from_le_bytes(self.fixed::<OFFSET>()?.0);
        self.offsets.push(usize::try_from(offset).unwrap_or(usize::MAX));
        Ok(())
    }

    /// Returns the `N` variable parts. Without any, the container must end here.
    pub(crate) fn parts<const N: usize>(self) -> Result<[&'a [u8]; N], FileError> {
        let malformed = FileError::Malformed { what: self.name };
        let first = self.offsets.first().copied().unwrap_or(self.whole.len());
        if first != self.position {
            return Err(malformed);
        }
        let parts = between(self.whole, &self.offsets).ok_or(FileError::Malformed { what: self.name })?;
        parts.try_into().map_err(|_| malformed)
    }
}

/// The parts of `whole` that begin at `offsets`, which must not decrease. The last part goes on to the end.
fn between<'a>(whole: &'a [u8], offsets: &[usize]) -> Option<Vec<&'a [u8]>> {
    let ends = offsets.iter().skip(1).copied().chain([whole.len()]);
    offsets.iter().zip(ends).map(|(start, end)| whole.get(*start..end)).collect()
}

/// Reads a list of parts of variable size, of at most `limit` parts of at most `part_limit` bytes.
pub(crate) fn list<'a>(
    what: &'static str,
    bytes: &'a [u8],
    limit: usize,
    part_limit: usize,
) -> Result<Vec<&'a [u8]>, FileError> {
    let malformed = || FileError::Malformed { what };
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let first = bytes.first_chunk::<OFFSET>().ok_or_else(malformed)?;
    let first = usize::try_from(u32::from_le_bytes(*first)).unwrap_or(usize::MAX);
    let count = first / OFFSET;
    if count > limit {
        return Err(FileError::TooMany { what, got: count, limit });
    }
    if count == 0 || !first.is_multiple_of(OFFSET) {
        return Err(malformed());
    }
    let head = bytes.get(..first).ok_or_else(malformed)?;
    let (words, _) = head.as_chunks::<OFFSET>();
    let offsets: Vec<usize> =
        words.iter().map(|word| usize::try_from(u32::from_le_bytes(*word)).unwrap_or(usize::MAX)).collect();
    let parts = between(bytes, &offsets).ok_or_else(malformed)?;
    match parts.iter().map(|part| part.len()).find(|length| *length > part_limit) {
        Some(got) => Err(FileError::TooMany { what, got, limit: part_limit }),
        None => Ok(parts),
    }
}

/// Reads a list of parts of `N` bytes, of at most `limit` parts.
pub(crate) fn fixed_list<'a, const N: usize>(
    what: &'static str,
    bytes: &'a [u8],
    limit: usize,
) -> Result<&'a [[u8; N]], FileError> {
    let (parts, rest) = bytes.as_chunks::<N>();
    if parts.len() > limit {
        return Err(FileError::TooMany { what, got: parts.len(), limit });
    }
    if rest.is_empty() { Ok(parts) } else { Err(FileError::Malformed { what }) }
}

/// Reads a list of roots.
pub(crate) fn roots(what: &'static str, bytes: &[u8], limit: usize) -> Result<Vec<B256>, FileError> {
    Ok(fixed_list::<32>(what, bytes, limit)?.iter().map(B256::from).collect())
}

/// Writes a list of parts of variable size.
pub(crate) fn write_list(parts: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut writer = saldo_beacon::encode::Writer::default();
    parts.into_iter().for_each(|part| writer.variable(part));
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_round_trips() {
        for parts in [vec![], vec![vec![]], vec![vec![1], vec![], vec![2, 3]]] {
            let bytes = write_list(parts.clone());
            assert_eq!(list("parts", &bytes, 3, 2).unwrap(), parts);
        }
    }

    #[test]
    fn a_list_has_its_limits() {
        let bytes = write_list([vec![1], vec![2, 3]]);
        assert!(matches!(list("parts", &bytes, 1, 2), Err(FileError::TooMany { got: 2, limit: 1, .. })));
        assert!(matches!(list("parts", &bytes, 2, 1), Err(FileError::TooMany { got: 2, limit: 1, .. })));
        // It claims a billion parts, and has none.
        assert!(matches!(list("parts", &[0xff; 4], 2, 1), Err(FileError::TooMany { .. })));
        for bytes in [&[4][..], &[0, 0, 0, 0], &[5, 0, 0, 0, 0], &[8, 0, 0, 0, 7, 0, 0, 0], &[4, 0, 0]] {
            assert!(matches!(list("parts", bytes, 2, 9), Err(FileError::Malformed { .. })), "{bytes:?}");
        }
        assert!(matches!(fixed_list::<2>("pairs", &[1, 2, 3], 9), Err(FileError::Malformed { .. })));
        assert!(matches!(fixed_list::<2>("pairs", &[1; 6], 2), Err(FileError::TooMany { got: 3, .. })));
    }

    #[test]
    fn a_container_has_no_gap_and_no_rest() {
        let read = |bytes: &[u8]| {
            let mut container = Container::new("it", bytes);
            let number = container.uint16()?;
            container.offset()?;
            let [part] = container.parts()?;
            Ok::<_, FileError>((number, part.to_vec()))
        };
        assert_eq!(read(&[7, 0, 6, 0, 0, 0, 9]).unwrap(), (7, vec![9]));
        for bytes in [&[7, 0, 7, 0, 0, 0, 9][..], &[7, 0, 5, 0, 0, 0, 9], &[7, 0, 6, 0, 0], &[]] {
            assert!(matches!(read(bytes), Err(FileError::Malformed { what: "it" })), "{bytes:?}");
        }
        let mut container = Container::new("it", &[1, 2]);
        container.uint8().unwrap();
        assert!(container.parts::<0>().is_err());
    }
}
