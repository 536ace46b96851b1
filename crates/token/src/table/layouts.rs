//! The layouts that were established.

use alloy_primitives::{B256, U256, b256};

use crate::key::Mapping;
use crate::layout::{Guard, Layout, Place, Word};

const fn slot(number: u8) -> B256 {
    B256::with_last_byte(number)
}

pub(super) const LAYOUTS: &[Layout] = &[
    Layout {
        code_hash: b256!("d0a06b12ac47863b5c7be4185c2deaad1c61557033f56c7d4ea74429cbb25e23"),
        name: "WETH9",
        mapping: Mapping::Solidity { base: slot(3) },
        word: Word::Amount,
        guards: &[],
        source: "https://etherscan.io/address/0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2#code",
        argument: "`balanceOf` is the getter of `mapping (address => uint) public balanceOf`, which is the fourth variable after \
                   `name`, `symbol` and `decimals`. A getter has one path. The code has no `delegatecall` and no assembly. The \
                   published source, compiled by solc 0.4.18 without optimizer, has this hash.",
        real_proof: Some("mpt/real-getproof/nimbus.json"),
    },
    Layout {
        code_hash: b256!("5b83bdbcc56b2e630f2807bbadd2b0c21619108066b92a58de081261089e9ce5"),
        name: "UniswapV2Pair",
        mapping: Mapping::Solidity { base: slot(1) },
        word: Word::Amount,
        guards: &[],
        source: "https://www.npmjs.com/package/@uniswap/v2-core/v/1.0.1",
        argument: "`balanceOf` is the getter of `mapping(address => uint) public balanceOf`, the second variable of the first base \
                   contract, after `totalSupply`. A getter has one path. The code has no immutable values, so all pools of the \
                   factory have it. The published source, compiled by solc 0.5.16, has this hash.",
        real_proof: None,
    },
    Layout {
        code_hash: b256!("b44fb4e949d0f78f87f79ee46428f23a2a5713ce6fc6e0beb3dda78c2ac1ea55"),
        name: "TetherToken",
        mapping: Mapping::Solidity { base: slot(2) },
        word: Word::Amount,
        guards: &[Guard {
            place: Place::Token,
            slot: slot(10),
            mask: U256::MAX,
            expected: U256::ZERO,
            meaning: "the token was not replaced by another contract (`deprecated` and `upgradedAddress`)",
        }],
        source: "https://etherscan.io/address/0xdAC17F958D2ee523a2206206994597C13D831ec7#code",
        argument: "`balanceOf` returns `balances[who]` if `deprecated` is false, and asks `upgradedAddress` if it is true. Slot 0 \
                   has `owner` and `paused`, 1 `_totalSupply`, 2 `balances`, 3 and 4 the fees, 5 `allowed`, 6 `isBlackListed`, \
                   7 to 9 name, symbol and decimals, 10 `upgradedAddress` and `deprecated`. The code with this hash, run, reads slot 10 \
                   and the word of the holder, and nothing else. The guard is stricter than the code: it wants `upgradedAddress` \
                   empty too.",
        real_proof: Some("mpt/real-getproof/avm.json"),
    },
    Layout {
        code_hash: b256!("cdfb7d322961af3acae7a8f7ee8b69c205b36f576cc5b077f170c7eb8ecbe3ea"),
        name: "FiatTokenV2_2",
        mapping: Mapping::Solidity { base: slot(9) },
        word: Word::BlockedBitAndAmount,
        guards: &[],
        source: "https://github.com/circlefin/stablecoin-evm/blob/master/contracts/v2/FiatTokenV2_2.sol",
        argument: "`balanceOf` returns `balanceAndBlacklistStates[account]` without the highest bit, whether or not the token is \
                   paused or the account is blocked. The mapping is at slot 9, where earlier versions kept `balances`. The published \
                   source, compiled by solc 0.6.12, has another digest of its metadata and so another hash: its storage layout and \
                   its runs say the same, and the real proof is of this hash.",
        real_proof: Some("e2e/mainnet-deneb-11412861-usdc-balance"),
    },
];
