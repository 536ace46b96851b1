//! Claims about blocks, and the code of the games that hold them.

use alloy_primitives::{Address, B256, Bytes, U256, hex, keccak256};
use saldo_chain::rollup::GameClaim;

use super::kind::RollupKind;
use crate::Chain;

/// The instructions of a game's proxy (Solady, "clones with immutable args"): before the length of its arguments, between that and the
/// implementation, and behind it.
const HEAD: [u8; 54] = hex!(
    "36602c57343d527f9e4ac34f21c619cefc926c8bd93b54bf5a39c7ab2127a895af1cc0691d7e3dff593da1005b363d3d373d3d3d3d61"
);
const MIDDLE: [u8; 9] = hex!("806062363936013d73");
const TAIL: [u8; 13] = hex!("5af43d3d93803e606057fd5bf3");

/// A game that was proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    game: Address,
    claim: GameClaim,
}

impl Proposal {
    /// The proposal of `claim` to the factory at that address.
    pub(crate) fn new(factory: Address, claim: GameClaim) -> Self {
        let game = Address::from_word(keccak256([factory.as_slice(), claim.uuid().as_slice()].concat()));
        Self { game, claim }
    }

    /// The game's address.
    pub fn game(&self) -> Address {
        self.game
    }

    /// What it claims.
    pub fn claim(&self) -> &GameClaim {
        &self.claim
    }
}

/// The numbers of the blocks that a game about `number` has roots of, oldest first.
///
/// # Panics
/// If there is no such game: its blocks are a multiple of the interval, and `step` divides that.
pub(crate) fn numbers(kind: RollupKind, number: u64) -> Vec<u64> {
    let (interval, step) = kind.intervals();
    let is_multiple = |of: u64, by: u64| by > 0 && of.checked_rem(by) == Some(0);
    assert!(is_multiple(interval, step), "a step of {step} blocks does not divide {interval}");
    assert!(
        is_multiple(number, interval),
        "no game is about block {number}, as it is about {interval} blocks"
    );
    let start = number.saturating_sub(interval);
    let count = interval.checked_div(step).unwrap_or(0);
    (1..=count).map(|place| start.saturating_add(place.saturating_mul(step))).collect()
}

/// The claim that the blocks up to `number` have these roots. `parent` is the game before it.
pub(crate) fn claim(kind: RollupKind, number: u64, roots: &[B256], parent: Address) -> GameClaim {
    let last = U256::from(number).to_be_bytes::<32>();
    let extra_data = match kind {
        RollupKind::Multiproof { .. } => [&last[..], parent.as_slice(), roots.concat().as_slice()].concat(),
        RollupKind::Fault => last.to_vec(),
    };
    let root_claim = roots.last().copied().unwrap_or_default();
    GameClaim { game_type: kind.game_type(), root_claim, extra_data: extra_data.into() }
}

/// The output root (version 0) of a chain's block: what the OP Stack claims about it; `None` if there is no such block.
///
/// Source: specs of the OP Stack, "L2 output root proposals", and `isthmus/exec-engine.md` for the root of the messages to L1.
pub(crate) fn output_root(chain: &Chain, number: u64) -> Option<B256> {
    let block = chain.block_at(number)?;
    let messages = block.execution.withdrawals_root()?;
    Some(keccak256([B256::ZERO, block.execution.state_root, messages, block.hash].concat()))
}

/// The arguments in a game's code.
pub(crate) struct Arguments {
    pub(crate) creator: Address,
    pub(crate) l1_head: B256,
    pub(crate) registry: Address,
    pub(crate) chain_id: u64,
}

impl Arguments {
    /// The code of the game with this claim, which runs the code of `implementation`.
    pub(crate) fn code(&self, kind: RollupKind, claim: &GameClaim, implementation: Address) -> Bytes {
        let head = [self.creator.as_slice(), claim.root_claim.as_slice(), self.l1_head.as_slice()].concat();
        let arguments = match kind {
            RollupKind::Multiproof { .. } => [head.as_slice(), &claim.extra_data].concat(),
            RollupKind::Fault => {
                let game_type = claim.game_type.to_be_bytes();
                [head.as_slice(), &game_type, &claim.extra_data, &self.of_implementation()].concat()
            }
        };
        clone_code(implementation, &arguments)
    }

    /// Prestate, machine, registry, bonds and chain. Prestate, machine and bonds are made up.
    fn of_implementation(&self) -> Vec<u8> {
        let chain_id = U256::from(self.chain_id).to_be_bytes::<32>();
        let [machine, bonds] = [Address::repeat_byte(0x3c), Address::repeat_byte(0xb0)];
        let prestate = keccak256("prestate");
        let parts = [prestate.as_slice(), machine.as_slice(), self.registry.as_slice(), bonds.as_slice()];
        [parts.concat().as_slice(), &chain_id].concat()
    }
}

/// The code of a clone with these arguments. It counts the two bytes of the length behind them.
fn clone_code(implementation: Address, arguments: &[u8]) -> Bytes {
    let length =
        u16::try_from(arguments.len().saturating_add(2)).expect("a game's code has at most 24,576 bytes");
    let length = length.to_be_bytes();
    let parts = [&HEAD[..], &length, &MIDDLE, implementation.as_slice(), &TAIL, arguments, &length];
    parts.concat().into()
}
