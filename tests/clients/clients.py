"""web3.py, unchanged but for its URL. Usage: clients.py known|unknown URL ADDRESS WEI"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

from web3 import AsyncWeb3, HTTPProvider, Web3, WebSocketProvider
from web3.exceptions import ContractLogicError, Web3RPCError


# The contract of scenario.toml, and what the address holds of it.
TOKEN = Web3.to_checksum_address("0x" + "31" * 20)
UNITS = 2_500_000_000_000_000_000
ABI = [
    {
        "type": "function",
        "name": "balanceOf",
        "stateMutability": "view",
        "inputs": [{"name": "owner", "type": "address"}],
        "outputs": [{"name": "", "type": "uint256"}],
    }
]


def main() -> None:
    mode, url, address, wei = sys.argv[1:]
    web3 = Web3(HTTPProvider(url, exception_retry_configuration=None))
    address = Web3.to_checksum_address(address)
    token = web3.eth.contract(address=TOKEN, abi=ABI)
    calls: dict[str, tuple[Callable[[], object], Callable[[object], bool]]] = {
        "balance": (lambda: web3.eth.get_balance(address), lambda value: value == int(wei)),
        "nonce": (lambda: web3.eth.get_transaction_count(address), lambda value: value == 0),
        "block": (lambda: web3.eth.get_block("latest")["hash"].hex(), lambda value: len(str(value)) >= 64),
        "whole": (lambda: len(web3.eth.get_block("latest", True)["transactions"]), lambda value: value == 0),
        "call": (lambda: web3.eth.call({"to": address, "data": "0x"}).hex(), lambda value: value in ("", "0x")),
        "token": (lambda: token.functions.balanceOf(address).call(), lambda value: value == UNITS),
        "number": (lambda: web3.eth.block_number, lambda value: int(str(value)) > 0),
        "proof": (lambda: len(web3.eth.get_proof(address, [0])["accountProof"]), lambda value: value != 0),
        "chain": (lambda: web3.eth.chain_id, lambda value: value == 31337),
    }
    for name, (call, is_right) in calls.items():
        if mode == "known" or name == "chain":
            value = call()
            assert is_right(value), f"{name}: {value}"
            print(f"web3.py   {name:<14}{value}")
            continue
        try:
            value = call()
        except Exception as error:  # noqa: BLE001: whatever it raises, it must say why.
            assert "not known (it is not 0)" in str(error), repr(error)
            assert not isinstance(error, ContractLogicError), "not knowing is no revert"
            # As docs/migrating.md has it.
            assert isinstance(error, Web3RPCError) and error.rpc_response["error"]["code"] == -32050, repr(error)
            print(f"web3.py   {name:<14}raises {type(error).__name__}: {str(error)[:110]}")
        else:
            raise AssertionError(f"{name} gives {value} though nothing is known")
    if mode == "known":
        asyncio.run(asyncio.wait_for(subscribe(url.replace("http", "ws", 1)), 60))


async def subscribe(url: str) -> None:
    async with AsyncWeb3(WebSocketProvider(url)) as web3:
        await web3.eth.subscribe("newHeads")
        async for message in web3.socket.process_subscriptions():
            assert message["result"]["number"] > 0
            print("web3.py   subscription  a block is announced")
            return


main()
