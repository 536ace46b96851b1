//! Tokens of the test chain. The chain runs no code: a contract has the hash of a code of mainnet, and the storage that this code
//! would have written.

use alloy_primitives::{B256, U256, b256, hex, keccak256};
use saldo::Address;
use saldo_drill::Chain;

use super::{ALICE, BOB};

/// A token with the code of WETH9. Alice has 5 of its base units.
pub const WETH: Address = Address::repeat_byte(0x31);
/// A token behind a proxy, with the codes of USDC. Alice has 7,250,000 base units; Bob has 9, frozen.
pub const USDC: Address = Address::repeat_byte(0x33);
/// The implementation of [`USDC`].
pub const USDC_CODE: Address = Address::repeat_byte(0x34);
/// A token with the code of USDT that was deprecated: its layout does not hold, and no provider has its code.
pub const OLD_USDT: Address = Address::repeat_byte(0x32);
/// A token whose code has no layout and is run: its balance is the word in slot 0, which is 10, for each owner. It has 6 decimals and
/// the symbol "RUN".
pub const RUN: Address = Address::repeat_byte(0x36);
/// The code of [`RUN`]. By the selector in the input it returns 6, "RUN" in 32 bytes, or the word in slot 0.
pub const RUN_CODE: [u8; 63] = hex!(
    "60003560e01c8063313ce567146024576395d89b4114602f5760005460005260206000f3"
    "5b600660005260206000f3"
    "5b6252554e60e81b60005260206000f3"
);
/// A contract whose code fails whatever it is asked.
pub const REVERTS: Address = Address::repeat_byte(0x38);
/// A contract whose code never ends.
pub const ENDLESS: Address = Address::repeat_byte(0x39);
/// A minimal proxy (ERC-1167) that runs the code of [`WETH`] in its own storage, where Alice has 8.
pub const CLONE: Address = Address::repeat_byte(0x35);
/// A minimal proxy that passes its calls to an address without code.
pub const BROKEN: Address = Address::repeat_byte(0x37);

/// The code of WETH9.
pub const WETH_CODE_HASH: B256 = b256!("d0a06b12ac47863b5c7be4185c2deaad1c61557033f56c7d4ea74429cbb25e23");
/// The code of USDC's proxy.
pub const USDC_PROXY_HASH: B256 = b256!("d80d4b7c890cb9d6a4893e6b52bc34b56b25335cb13716e0d1d31383e6b41505");
/// The code of USDC's implementation.
pub const USDC_CODE_HASH: B256 = b256!("cdfb7d322961af3acae7a8f7ee8b69c205b36f576cc5b077f170c7eb8ecbe3ea");
const USDT_CODE_HASH: B256 = b256!("b44fb4e949d0f78f87f79ee46428f23a2a5713ce6fc6e0beb3dda78c2ac1ea55");
/// keccak256 of "org.zeppelinos.proxy.implementation".
const ZEPPELINOS: B256 = b256!("7050c9e0f4ca769c69bd3a8ef740bc37934f8e2c036e5a723fd8ee048ed3f8c3");

/// From the next block on the tokens exist.
pub fn deploy(chain: &Chain) {
    chain.set_code_hash(WETH, WETH_CODE_HASH);
    chain.set_code_hash(OLD_USDT, USDT_CODE_HASH);
    chain.set_storage(OLD_USDT, B256::with_last_byte(10), U256::ONE);
    chain.set_code_hash(USDC, USDC_PROXY_HASH);
    chain.set_code_hash(USDC_CODE, USDC_CODE_HASH);
    chain.set_storage(USDC, ZEPPELINOS, U256::from_be_bytes(USDC_CODE.into_word().0));
    chain.set_code(RUN, RUN_CODE.to_vec().into());
    chain.set_storage(RUN, B256::ZERO, U256::from(10));
    // PUSH1 0 PUSH1 0 REVERT
    chain.set_code(REVERTS, hex!("60006000fd").into());
    // JUMPDEST PUSH1 0 JUMP
    chain.set_code(ENDLESS, hex!("5b600056").into());
    chain.set_code(CLONE, minimal_proxy(WETH));
    chain.set_code(BROKEN, minimal_proxy(Address::repeat_byte(0x99)));
    set_word(chain, WETH, 3, ALICE, U256::from(5));
    set_word(chain, CLONE, 3, ALICE, U256::from(8));
    set_word(chain, USDC, 9, ALICE, U256::from(7_250_000));
    set_word(chain, USDC, 9, BOB, U256::ONE.wrapping_shl(255) | U256::from(9));
    set_word(chain, OLD_USDT, 2, ALICE, U256::from(6));
}

/// From the next block on the mapping in `slot` of `token` has `word` for `owner`.
pub fn set_word(chain: &Chain, token: Address, slot: u8, owner: Address, word: U256) {
    let key = keccak256([owner.into_word(), B256::with_last_byte(slot)].concat());
    chain.set_storage(token, key, word);
}

fn minimal_proxy(target: Address) -> alloy_primitives::Bytes {
    let (before, after) = (hex!("363d3d373d3d3d363d73"), hex!("5af43d82803e903d91602b57fd5bf3"));
    [before.as_slice(), target.as_slice(), after.as_slice()].concat().into()
}
