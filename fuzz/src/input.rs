//! The bytes of an input, read from the front. Missing bytes read as zero, so that every input is valid.

/// The unread rest of an input.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    left: &'a [u8],
}

impl<'a> Input<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    /// Whether all bytes are read.
    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Reads the next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let taken = self.take(N);
        array[..taken.len()].copy_from_slice(taken);
        array
    }

    /// Reads the next byte.
    pub fn byte(&mut self) -> u8 {
        u8::from_le_bytes(self.array())
    }

    /// Reads the next two bytes as an index.
    pub fn index(&mut self) -> usize {
        usize::from(u16::from_le_bytes(self.array()))
    }

    /// Reads the next eight bytes as a number.
    pub fn number(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    /// Returns one of several values, chosen by the next two bytes.
    ///
    /// # Panics
    /// If `from` is empty.
    pub fn choice<'b, T>(&mut self, from: &'b [T]) -> &'b T {
        &from[self.index() % from.len()]
    }

    /// Reads a length of two bytes, then that many bytes, or all that are left.
    pub fn part(&mut self) -> &'a [u8] {
        let length = self.index();
        self.take(length)
    }

    /// Returns all unread bytes.
    pub fn rest(self) -> &'a [u8] {
        self.left
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, left) = self.left.split_at(length.min(self.left.len()));
        self.left = left;
        taken
    }
}

/// Writes a part in the format that [`Input::part`] reads.
pub fn part(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("parts are short");
    [&length.to_le_bytes()[..], bytes].concat()
}
