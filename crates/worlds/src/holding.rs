//! What wallets read: the coin of some accounts, and tokens.

use alloy_primitives::Address;
use saldo::{Holding, NetworkId};
use saldo_drill::Chain;
use saldo_reading::Asset;

/// The accounts that wallets read: two with a balance at first, and one that does not exist.
pub const OWNERS: [Address; 3] =
    [Address::repeat_byte(0xa1), Address::repeat_byte(0xb0), Address::repeat_byte(0x0b)];

const NETWORK: NetworkId = NetworkId::new(Chain::CHAIN_ID);

/// A plain token: the code of WETH9.
pub(crate) const PLAIN: Address = Address::repeat_byte(0x31);
/// A token with a guard: the code of USDT.
pub(crate) const GUARDED: Address = Address::repeat_byte(0x32);
/// A token behind a proxy that can be upgraded: at first to the code of USDC.
pub(crate) const PROXY: Address = Address::repeat_byte(0x33);
pub(crate) const PROXY_CODE: Address = Address::repeat_byte(0x34);
/// A minimal proxy to the code of [`PLAIN`].
pub(crate) const CLONE: Address = Address::repeat_byte(0x35);
/// A token whose code has no known layout.
pub(crate) const OTHER: Address = Address::repeat_byte(0x36);
/// A token whose code cannot be run over proven state.
pub(crate) const NOT_RUN: Address = Address::repeat_byte(0x38);
/// An address that never has code.
pub(crate) const NOTHING: Address = Address::repeat_byte(0x37);

/// What wallets read: the coin of each of the [`OWNERS`], and tokens.
pub const HOLDINGS: [Holding; 14] = [
    Holding::native(NETWORK, OWNERS[0]),
    Holding::native(NETWORK, OWNERS[1]),
    Holding::native(NETWORK, OWNERS[2]),
    Holding::erc20(NETWORK, OWNERS[0], PLAIN),
    Holding::erc20(NETWORK, OWNERS[0], GUARDED),
    Holding::erc20(NETWORK, OWNERS[0], PROXY),
    Holding::erc20(NETWORK, OWNERS[1], PROXY),
    Holding::erc20(NETWORK, OWNERS[2], CLONE),
    Holding::erc20(NETWORK, OWNERS[2], PLAIN),
    Holding::erc20(NETWORK, OWNERS[0], OTHER),
    Holding::erc20(NETWORK, OWNERS[0], OWNERS[1]),
    // A token that holds some of itself.
    Holding::erc20(NETWORK, PLAIN, PLAIN),
    Holding::erc20(NETWORK, OWNERS[0], CLONE),
    Holding::erc20(NETWORK, OWNERS[0], NOT_RUN),
];

/// The owner and the token of a holding.
pub(crate) const fn of_token(holding: &Holding) -> Option<(Address, Address)> {
    match holding.asset() {
        Asset::Erc20(token) => Some((holding.owner(), token)),
        _ => None,
    }
}
