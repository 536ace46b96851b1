//! A writer of SSZ.

use alloy_primitives::B256;

/// Bytes of an offset.
const OFFSET: usize = 4;

/// Writes one SSZ container: its fixed parts and offsets in order, then its variable parts.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Fixed(Vec<u8>),
    Variable(Vec<u8>),
}

impl Writer {
    /// Adds a part of a fixed size.
    pub fn fixed(&mut self, bytes: &[u8]) {
        match self.parts.last_mut() {
            Some(Part::Fixed(before)) => before.extend_from_slice(bytes),
            _ => self.parts.push(Part::Fixed(bytes.to_vec())),
        }
    }

    /// Adds an unsigned integer of 64 bits.
    pub fn uint64(&mut self, number: u64) {
        self.fixed(&number.to_le_bytes());
    }

    /// Adds 32-byte values of a fixed number.
    pub fn roots(&mut self, roots: &[B256]) {
        roots.iter().for_each(|root| self.fixed(root.as_slice()));
    }

    /// Adds a part of a variable size.
    pub fn variable(&mut self, bytes: Vec<u8>) {
        self.parts.push(Part::Variable(bytes));
    }

    /// Returns the container. A container beyond 4 GiB, which offsets cannot express, is never read again.
    pub fn finish(self) -> Vec<u8> {
        let length = |part: &Part| match part {
            Part::Fixed(bytes) => bytes.len(),
            Part::Variable(_) => OFFSET,
        };
        let fixed_size = self.parts.iter().map(length).fold(0_usize, usize::saturating_add);
        let (mut head, mut tail) = (Vec::with_capacity(fixed_size), Vec::new());
        for part in self.parts {
            match part {
                Part::Fixed(bytes) => head.extend(bytes),
                Part::Variable(bytes) => {
                    let offset = fixed_size.saturating_add(tail.len());
                    head.extend(u32::try_from(offset).unwrap_or(u32::MAX).to_le_bytes());
                    tail.extend(bytes);
                }
            }
        }
        head.extend(tail);
        head
    }
}
