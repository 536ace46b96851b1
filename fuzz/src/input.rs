//! The bytes of an input, read from the front. What is missing reads as zero, so that every input means something.

/// An input, or what is left of it.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    left: &'a [u8],
}

impl<'a> Input<'a> {
    /// Begins with the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// The next bytes.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let taken = self.take(N);
        array[..taken.len()].copy_from_slice(taken);
        array
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        u8::from_le_bytes(self.array())
    }

    /// The next two bytes as an index.
    pub fn index(&mut self) -> usize {
        usize::from(u16::from_le_bytes(self.array()))
    }

    /// The next eight bytes as a number.
    pub fn number(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    /// One of several, chosen by the next two bytes.
    ///
    /// # Panics
    /// If there is nothing to choose from.
    pub fn choice<'b, T>(&mut self, from: &'b [T]) -> &'b T {
        &from[self.index() % from.len()]
    }

    /// As many bytes as the next two say, or as there are.
    pub fn part(&mut self) -> &'a [u8] {
        let length = self.index();
        self.take(length)
    }

    /// All that is left.
    pub fn rest(self) -> &'a [u8] {
        self.left
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, left) = self.left.split_at(length.min(self.left.len()));
        self.left = left;
        taken
    }
}

/// Writes a part as [`Input::part`] reads it.
pub fn part(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("parts are short");
    [&length.to_le_bytes()[..], bytes].concat()
}
