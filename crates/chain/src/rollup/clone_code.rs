//! The code of a game: a proxy that holds its arguments behind its own instructions.
//!
//! The factory of the OP Stack makes it (Solady, "clones with immutable args") and sets the arguments when it creates the game. Code
//! cannot change, so proven code holds what was proposed.

use alloy_primitives::{Address, B256, hex};

/// The instructions before the length of the arguments.
const HEAD: [u8; 54] = hex!(
    "36602c57343d527f9e4ac34f21c619cefc926c8bd93b54bf5a39c7ab2127a895af1cc0691d7e3dff593da1005b363d3d373d3d3d3d61"
);
/// The instructions between that length and the implementation.
const MIDDLE: [u8; 9] = hex!("806062363936013d73");
/// The instructions between the implementation and the arguments.
const TAIL: [u8; 13] = hex!("5af43d3d93803e606057fd5bf3");
/// The bytes of the length behind the arguments, which it counts too.
const LENGTH: usize = 2;

/// Why bytes are not the code of a game.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloneCodeError {
    /// The instructions are not those of the known proxy.
    #[error("it is not the known proxy")]
    OtherProxy,
    /// A length in the code is not that of its arguments.
    #[error("a length is {got}, expected {expected}")]
    Length {
        /// The length in the code.
        got: usize,
        /// The bytes that are there.
        expected: usize,
    },
    /// The arguments are shorter or longer than those of a game of this kind.
    #[error("the arguments have {got} bytes")]
    Arguments {
        /// Their bytes.
        got: usize,
    },
}

/// The parts of a game's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloneCode<'a> {
    implementation: Address,
    arguments: &'a [u8],
}

impl<'a> CloneCode<'a> {
    /// Reads the code of a game.
    ///
    /// # Errors
    /// [`CloneCodeError`] if it is other code, or its lengths are wrong.
    pub fn parse(code: &'a [u8]) -> Result<Self, CloneCodeError> {
        let (length, implementation, rest) = split(code).ok_or(CloneCodeError::OtherProxy)?;
        let (arguments, end) = rest.split_last_chunk::<LENGTH>().ok_or(CloneCodeError::OtherProxy)?;
        for got in [length, *end].map(u16::from_be_bytes).map(usize::from) {
            if got != rest.len() {
                return Err(CloneCodeError::Length { got, expected: rest.len() });
            }
        }
        Ok(Self { implementation: Address::new(*implementation), arguments })
    }

    /// Returns the contract whose code the game runs.
    pub fn implementation(&self) -> Address {
        self.implementation
    }

    /// Returns the arguments.
    pub fn arguments(&self) -> &'a [u8] {
        self.arguments
    }
}

/// Returns the length in the code, the implementation, and what follows the instructions.
fn split(code: &[u8]) -> Option<([u8; LENGTH], &[u8; 20], &[u8])> {
    let (length, rest) = code.strip_prefix(&HEAD)?.split_first_chunk::<LENGTH>()?;
    let (implementation, rest) = rest.strip_prefix(&MIDDLE)?.split_first_chunk::<20>()?;
    Some((*length, implementation, rest.strip_prefix(&TAIL)?))
}

/// The arguments of a game, cut as its kind has them. They are what the code holds; whether the code is a game's is said by
/// `Factory::game`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arguments<'a> {
    /// The claim.
    pub root_claim: B256,
    /// What else was proposed.
    pub extra_data: &'a [u8],
    /// The type, if the code has it.
    pub game_type: Option<u32>,
    /// What the implementation needs, if the code has that.
    pub implementation: Option<ImplementationArguments>,
}

/// The last arguments of a game whose implementation serves several rollups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImplementationArguments {
    /// The registry that decides about the game.
    pub registry: Address,
    /// The rollup's chain id as a word; zero in a super game.
    pub chain_id: B256,
}

/// The bytes of those arguments: prestate, machine, registry, bonds, chain.
const IMPLEMENTATION: usize = 32 + 20 + 20 + 20 + 32;
/// Games that only named parties may propose and challenge have their addresses behind those.
const PARTIES: usize = 40;

impl<'a> Arguments<'a> {
    /// Cuts arguments that are creator, claim, L1 head and extra data.
    ///
    /// # Errors
    /// [`CloneCodeError::Arguments`] if they are too short.
    pub fn plain(arguments: &'a [u8]) -> Result<Self, CloneCodeError> {
        let (root_claim, extra_data) = head(arguments)?;
        Ok(Self { root_claim, extra_data, game_type: None, implementation: None })
    }

    /// Cuts arguments that have the type before the extra data, and those of the implementation behind it. With `is_permissioned` the
    /// addresses of two parties follow.
    ///
    /// # Errors
    /// [`CloneCodeError::Arguments`] if they are too short.
    pub fn with_implementation(arguments: &'a [u8], is_permissioned: bool) -> Result<Self, CloneCodeError> {
        let wrong = CloneCodeError::Arguments { got: arguments.len() };
        let (root_claim, rest) = head(arguments)?;
        let (game_type, rest) = rest.split_first_chunk::<4>().ok_or(wrong)?;
        let parties = if is_permissioned { PARTIES } else { 0 };
        let behind = IMPLEMENTATION.saturating_add(parties);
        let length = rest.len().checked_sub(behind).ok_or(wrong)?;
        let (extra_data, rest) = rest.split_at_checked(length).ok_or(wrong)?;
        let implementation = ImplementationArguments::read(rest).ok_or(wrong)?;
        Ok(Self {
            root_claim,
            extra_data,
            game_type: Some(u32::from_be_bytes(*game_type)),
            implementation: Some(implementation),
        })
    }
}

impl ImplementationArguments {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (_prestate, rest) = bytes.split_first_chunk::<32>()?;
        let (_machine, rest) = rest.split_first_chunk::<20>()?;
        let (registry, rest) = rest.split_first_chunk::<20>()?;
        let (_bonds, rest) = rest.split_first_chunk::<20>()?;
        let chain_id = rest.first_chunk::<32>()?;
        Some(Self { registry: Address::new(*registry), chain_id: B256::new(*chain_id) })
    }
}

/// Returns the claim, and what follows the L1 head.
fn head(arguments: &[u8]) -> Result<(B256, &[u8]), CloneCodeError> {
    let cut = || {
        let (_creator, rest) = arguments.split_first_chunk::<20>()?;
        let (root_claim, rest) = rest.split_first_chunk::<32>()?;
        let (_l1_head, rest) = rest.split_first_chunk::<32>()?;
        Some((B256::new(*root_claim), rest))
    };
    cut().ok_or(CloneCodeError::Arguments { got: arguments.len() })
}
