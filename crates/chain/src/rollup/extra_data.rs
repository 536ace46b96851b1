//! The extra data of games: which blocks their claims are about.

use alloy_primitives::{B256, U256};

/// The most intermediate roots of a game that are read. Base has 20.
const MAX_ROOTS: u64 = 256;

/// Why extra data is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExtraDataError {
    /// It is shorter or longer than that of a game of this kind.
    #[error("it has {got} bytes, expected {expected}")]
    Length {
        /// Its bytes.
        got: usize,
        /// Those of this kind.
        expected: usize,
    },
    /// The block number does not fit.
    #[error("the block number is too large")]
    BlockNumber,
    /// The last intermediate root is not the claim.
    #[error("the last intermediate root {got} is not the claim {expected}")]
    LastRoot {
        /// The root.
        got: B256,
        /// The claim.
        expected: B256,
    },
    /// The intervals of the game's code do not divide, or there are too many roots. The profile is wrong.
    #[error("the intervals {interval} and {step} give no roots")]
    Interval {
        /// How many blocks a game is about.
        interval: u64,
        /// How many blocks lie between two roots.
        step: u64,
    },
}

/// Reads the extra data of a fault game: the number of the claim's block.
///
/// # Errors
/// [`ExtraDataError`] if it is not one number.
pub fn block_number(extra_data: &[u8]) -> Result<u64, ExtraDataError> {
    let word = <&[u8; 32]>::try_from(extra_data);
    let word = word.map_err(|_| ExtraDataError::Length { got: extra_data.len(), expected: 32 })?;
    number(word)
}

/// Reads the extra data of a game with intermediate roots: each root with the number of its block, oldest first. The last is the
/// claim. A game is about `interval` blocks, and has a root for each `step` of them.
///
/// # Errors
/// [`ExtraDataError`] if it has another length, or its last root is not `root_claim`.
pub fn intermediate_roots(
    extra_data: &[u8],
    root_claim: B256,
    interval: u64,
    step: u64,
) -> Result<Vec<(u64, B256)>, ExtraDataError> {
    let wrong = ExtraDataError::Interval { interval, step };
    let count = interval.checked_div(step).filter(|count| (1..=MAX_ROOTS).contains(count)).ok_or(wrong)?;
    if count.checked_mul(step) != Some(interval) {
        return Err(wrong);
    }
    let roots = usize::try_from(count).map_err(|_| wrong)?;
    let expected = roots.saturating_mul(32).saturating_add(52);
    let cut = || {
        let (last, rest) = extra_data.split_first_chunk::<32>()?;
        let (_parent_game, rest) = rest.split_first_chunk::<20>()?;
        let (words, rest) = rest.as_chunks::<32>();
        (rest.is_empty() && words.len() == roots).then_some((last, words))
    };
    let (last, words) = cut().ok_or(ExtraDataError::Length { got: extra_data.len(), expected })?;
    let last = number(last)?;
    let start = last.checked_sub(interval).ok_or(ExtraDataError::BlockNumber)?;
    let roots = words
        .iter()
        .zip(1_u64..)
        .map(|(root, place)| (start.saturating_add(place.saturating_mul(step)), B256::new(*root)));
    let roots: Vec<_> = roots.collect();
    let got = roots.last().map_or(B256::ZERO, |(_, root)| *root);
    if got != root_claim {
        return Err(ExtraDataError::LastRoot { got, expected: root_claim });
    }
    Ok(roots)
}

fn number(word: &[u8; 32]) -> Result<u64, ExtraDataError> {
    U256::from_be_bytes(*word).try_into().map_err(|_| ExtraDataError::BlockNumber)
}
