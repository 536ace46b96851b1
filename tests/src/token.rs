//! Contracts of tokens on a drill's chain. The chain runs no code: a contract has the hash of a code of mainnet, and the storage
//! that this code would have written.

use alloy_primitives::{Address, B256, Bytes, U256};
use saldo::{Failure, Holding, Reading};
use saldo_drill::Chain;
use saldo_token::{Layout, Pointer, Proxy, layouts, proxies};

use crate::NETWORK;
use crate::assembler::token_of;

/// The address of a plain token, with the code of WETH9.
pub const WETH: Address = Address::repeat_byte(0x31);
/// The address of a token with a guard, with the code of USDT.
pub const USDT: Address = Address::repeat_byte(0x32);
/// The address of a token behind a proxy, with the codes of USDC.
pub const USDC: Address = Address::repeat_byte(0x33);
/// The implementation of [`USDC`].
pub const USDC_CODE: Address = Address::repeat_byte(0x34);
/// The address of a minimal proxy (ERC-1167) that runs the code of [`WETH`] in its own storage.
pub const CLONE: Address = Address::repeat_byte(0x35);
/// The address of a token whose code has no layout, and cannot be run to its end. Its balances are a mapping in slot 0.
pub const UNKNOWN: Address = Address::repeat_byte(0x36);

/// The holding of `token` by `owner` on the drill's chain.
pub const fn erc20(owner: Address, token: Address) -> Holding {
    Holding::erc20(NETWORK, owner, token)
}

/// The layout of that name.
///
/// # Panics
/// If there is none.
pub fn layout(name: &str) -> &'static Layout {
    layouts().iter().find(|layout| layout.name == name).expect("a layout of that name")
}

/// The proxy of that name, and the slot of its pointer.
///
/// # Panics
/// If there is none, or its pointer is not in a slot of its own.
pub fn proxy(name: &str) -> (&'static Proxy, B256) {
    let proxy = proxies().iter().find(|proxy| proxy.name == name).expect("a proxy of that name");
    let Pointer::Slot(slot) = proxy.pointer else { panic!("{name} has a beacon") };
    (proxy, slot)
}

/// The code of a minimal proxy (ERC-1167) that passes its calls to `target`.
pub fn minimal_proxy(target: Address) -> Bytes {
    let (before, after) = (
        alloy_primitives::hex!("363d3d373d3d3d363d73"),
        alloy_primitives::hex!("5af43d82803e903d91602b57fd5bf3"),
    );
    [before.as_slice(), target.as_slice(), after.as_slice()].concat().into()
}

/// From the next block on the tokens of this file exist, without balances.
pub fn deploy(chain: &Chain) {
    chain.set_code_hash(WETH, layout("WETH9").code_hash);
    chain.set_code_hash(USDT, layout("TetherToken").code_hash);
    chain.set_code_hash(USDC, proxy("FiatTokenProxy").0.code_hash);
    chain.set_code_hash(USDC_CODE, layout("FiatTokenV2_2").code_hash);
    point(chain, USDC, USDC_CODE);
    chain.set_code(CLONE, minimal_proxy(WETH));
    // It returns the hash of a block that no header of ours proves.
    chain.set_code(UNKNOWN, token_of("2 NUMBER SUB BLOCKHASH"));
}

/// From the next block on the proxy `token` passes its calls to `implementation`.
pub fn point(chain: &Chain, token: Address, implementation: Address) {
    let (_, slot) = proxy("FiatTokenProxy");
    chain.set_storage(token, slot, U256::from_be_bytes(implementation.into_word().0));
}

/// From the next block on the layout of that name keeps `word` for `owner` in the storage of `token`.
pub fn set_word(chain: &Chain, token: Address, layout_name: &str, owner: Address, word: U256) {
    chain.set_storage(token, layout(layout_name).mapping.slot(owner), word);
}

/// The codes of the failures of a reading, one for each request that failed.
pub fn failure_codes(reading: &Reading) -> Vec<&'static str> {
    let failures = reading.attempts().iter().filter_map(|attempt| attempt.outcome.failure());
    failures.map(Failure::code).collect()
}
