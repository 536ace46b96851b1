//! What a provider names: a game by its type, its claim and its extra data.

use alloy_primitives::{B256, Bytes, Keccak256, U256};

/// The most bytes of extra data that are read. Code has at most 24,576, and holds the extra data.
pub const MAX_EXTRA_DATA: usize = 24_576;

/// A game as a provider names it. Nothing of it is believed: the factory has a game with exactly these values, or it has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GameClaim {
    /// The game's type.
    pub game_type: u32,
    /// The claimed root: an output root, or a super root.
    pub root_claim: B256,
    /// What else was proposed. Its form depends on the type.
    pub extra_data: Bytes,
}

impl GameClaim {
    /// Returns the key of the game in the factory: keccak256 of the ABI encoding of type, claim and extra data.
    pub fn uuid(&self) -> B256 {
        let length = self.extra_data.len();
        let padding = length.next_multiple_of(32).saturating_sub(length);
        let mut hasher = Keccak256::new();
        hasher.update(word(u64::from(self.game_type)));
        hasher.update(self.root_claim);
        // The extra data is behind three words.
        hasher.update(word(96));
        hasher.update(word(u64::try_from(length).unwrap_or(u64::MAX)));
        hasher.update(&self.extra_data);
        hasher.update([0; 32].get(..padding).unwrap_or_default());
        hasher.finalize()
    }
}

fn word(number: u64) -> [u8; 32] {
    U256::from(number).to_be_bytes()
}
