"""The rollup's own chain: op-geth, made to advance over the Engine API, and a provider in front of it."""

from __future__ import annotations

import json
import secrets
import threading
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from engine import Engine, EngineError
from keccak import keccak256
from op_geth import OpGeth
from process import Failed, wait_until
from rlp_encoding import encoded, word
from rollup_contracts import CHAIN_ID
from testnet import START_SECONDS

BLOCK_SECONDS = 2
# How many blocks it has when it starts.
PAST_BLOCKS = 20
# A provider's head goes on while it is asked.
NEWEST = 2
# After so many failures in a row it stands still.
MOST_FAILURES = 10
DEPOSITOR = bytes.fromhex("deaddeaddeaddeaddeaddeaddeaddeaddead0001")
L1_BLOCK = bytes.fromhex("4200000000000000000000000000000000000015")
MESSAGE_PASSER = "0x4200000000000000000000000000000000000016"
FEE_VAULT = "0x4200000000000000000000000000000000000011"
# The system contracts of the hard forks that it shares with L1: the same code as there.
SHARED = ("0x000f3df6d732807ef1319fb7b8bb8522d0beac02", "0x0000f90827f1c53a10cb7a02335b175320002935")
FORKS = ("regolith", "shanghai", "canyon", "cancun", "ecotone", "fjord", "granite", "holocene", "prague", "isthmus")
BLOCKS = (
    "homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg", "istanbul", "muirGlacier",
    "berlin", "london", "arrowGlacier", "grayGlacier", "mergeNetsplit", "bedrock",
)
DENOMINATOR, ELASTICITY = 250, 6
GAS_LIMIT = 30_000_000


def genesis(time_of: int, l1_accounts: dict[str, Any], funded: dict[str, int]) -> dict[str, Any]:
    """The first block of the rollup, with every fork up to Isthmus."""
    accounts: dict[str, Any] = {address: {"balance": hex(wei)} for address, wei in funded.items()}
    accounts |= {address: l1_accounts[address] for address in SHARED}
    # Nothing here reads what L1 is like. The real contract stores it.
    accounts["0x" + L1_BLOCK.hex()] = {"balance": "0x0", "code": "0x00"}
    # Without a slot, op-geth refuses its own blocks, because it leaves out the root of an empty storage.
    accounts[MESSAGE_PASSER] = {"balance": "0x0", "code": "0x00", "storage": {_hexed(word(0)): _hexed(word(1))}}
    config: dict[str, Any] = {"chainId": CHAIN_ID, "terminalTotalDifficulty": 0}
    config |= {f"{name}Block": 0 for name in BLOCKS} | {f"{name}Time": 0 for name in FORKS}
    config["optimism"] = {
        "eip1559Elasticity": ELASTICITY, "eip1559Denominator": 50, "eip1559DenominatorCanyon": DENOMINATOR,
    }
    return {
        "config": config, "nonce": "0x0", "timestamp": hex(time_of), "gasLimit": hex(GAS_LIMIT), "difficulty": "0x0",
        "extraData": _hexed(b"\0" + DENOMINATOR.to_bytes(4, "big") + ELASTICITY.to_bytes(4, "big")),
        "mixHash": _hexed(word(0)), "coinbase": FEE_VAULT, "baseFeePerGas": hex(10**9), "alloc": accounts,
    }


@dataclass
class RollupChain(OpGeth):
    """op-geth, and in the place of op-node a thread that has it build a block every two seconds."""

    genesis_time: int = field(default_factory=lambda: int(time.time()) - PAST_BLOCKS * BLOCK_SECONDS)

    def start(self, l1_accounts: dict[str, Any], funded: dict[str, int]) -> None:
        """Starts it, and waits until it has reached the present time."""
        self._deposits: list[bytes] = []
        self._fault: EngineError | None = None
        self._is_stopped = threading.Event()
        self.start_client(genesis(self.genesis_time, l1_accounts, funded))
        assert self.process is not None
        try:
            # The newest version is for forks that this chain does not have.
            self._engine = Engine(self.name, self.engine_url, bytes.fromhex(self.secret.read_text()), (4,))
        except EngineError as error:
            raise Failed(str(error)) from error
        self._hash = self.block(0)["hash"]
        self._number, self._time = 0, self.genesis_time
        threading.Thread(target=self._advance, daemon=True).start()
        wait_until("rollup up to now", lambda: self.head() >= PAST_BLOCKS, START_SECONDS, [self.process])

    def stop(self) -> None:
        """Stops the blocks, and then the client."""
        self._is_stopped.set()
        super().stop()

    def head(self) -> int:
        """The number of the newest block."""
        if self._fault:
            raise Failed(f"the rollup stands still: {self._fault}")
        return super().head()

    def fund(self, address: str, wei: int) -> None:
        """Gives wei to an account in the next block, by a deposit, which needs no signature."""
        source = keccak256(word(0) + keccak256(secrets.token_bytes(32) + word(0)))
        self._deposits.append(_deposit(source, DEPOSITOR, bytes.fromhex(address[2:]), wei, 100_000, b""))

    def _advance(self) -> None:
        failures = 0
        while not self._is_stopped.wait(max(0.0, self._time + BLOCK_SECONDS - time.time())):
            try:
                self._build()
                failures = 0
            except EngineError as error:
                # A busy machine can miss a deadline. One that was killed by `stop` is no fault.
                failures += 1
                if failures == MOST_FAILURES and not self._is_stopped.is_set():
                    self._fault = error
                    return
                self._is_stopped.wait(1.0)

    def _build(self) -> None:
        deposits = list(self._deposits)
        beacon_root = _hexed(keccak256(b"beacon" + word(self._number)))
        attributes = {
            "timestamp": hex(self._time + BLOCK_SECONDS), "prevRandao": _hexed(keccak256(b"randao" + word(self._number))),
            "suggestedFeeRecipient": FEE_VAULT, "withdrawals": [], "parentBeaconBlockRoot": beacon_root,
            "transactions": [_hexed(transaction) for transaction in [self._l1_info(), *deposits]],
            # Zeros: as the configuration says.
            "noTxPool": True, "gasLimit": hex(GAS_LIMIT), "eip1559Params": _hexed(bytes(8)),
        }
        built = self._engine.build(_forkchoice(self._hash), attributes)
        digest = built.payload["blockHash"]
        self._engine.follow(built, beacon_root, _forkchoice(digest))
        self._hash, self._deposits = digest, self._deposits[len(deposits):]
        self._number, self._time = int(built.payload["blockNumber"], 16), int(built.payload["timestamp"], 16)

    def _l1_info(self) -> bytes:
        """The first transaction of each block (`setL1BlockValuesIsthmus`). What it says of L1 is made up."""
        sizes = ((1368, 4), (810_949, 4), (0, 8), (self._time, 8), (self._number, 8), (10**9, 32), (1, 32), (1, 32), (0, 32), (0, 12))
        data = keccak256(b"setL1BlockValuesIsthmus()")[:4] + b"".join(value.to_bytes(size, "big") for value, size in sizes)
        source = keccak256(word(1) + keccak256(word(self._number) + word(0)))
        return _deposit(source, DEPOSITOR, L1_BLOCK, 0, 1_000_000, data)


def _forkchoice(digest: str) -> dict[str, str]:
    return {name: digest for name in ("headBlockHash", "safeBlockHash", "finalizedBlockHash")}


def _deposit(source: bytes, sender: bytes, to: bytes, wei: int, gas: int, data: bytes) -> bytes:
    """A deposit (type 0x7e) that makes the wei that it sends."""
    return b"\x7e" + encoded([source, sender, to, wei, wei, gas, 0, data])


class HeadOnly:
    """A provider in front of op-geth that serves proofs at its newest blocks alone, as most providers of rollups do."""

    def __init__(self, chain: OpGeth) -> None:
        self._chain = chain
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                answer = provider.answer(json.loads(body))
                # A reader that does not wait any longer closes the connection.
                with suppress(ConnectionError):
                    self.send_response(200)
                    self.send_header("content-type", "application/json")
                    self.send_header("content-length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Closes its port."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, asked: Any) -> bytes:
        """The answer to a request or a batch."""
        if isinstance(asked, list):
            return b"[" + b",".join(map(self.answer, asked)) + b"]"
        if asked.get("method") == "eth_getProof" and not self._is_served(asked["params"][2]):
            error = {"code": -32000, "message": "historical state is not available"}
            return json.dumps({"jsonrpc": "2.0", "id": asked["id"], "error": error}).encode()
        forwarded = urllib.request.Request(self._chain.url, json.dumps(asked).encode(), {"content-type": "application/json"})
        with urllib.request.urlopen(forwarded, timeout=START_SECONDS) as response:
            return bytes(response.read())

    def _is_served(self, block: Any) -> bool:
        """Whether it is one of the newest blocks, in each form that names a block."""
        head = self._chain.head()
        digest = block.get("blockHash") if isinstance(block, dict) else block if len(block) == 66 else None
        if digest:
            found = self._chain.call("eth_getBlockByHash", digest, False)
            number = int(found["number"], 16) if found else 0
        else:
            name = block["blockNumber"] if isinstance(block, dict) else block
            number = head if name == "latest" else int(name, 16) if name.startswith("0x") else 0
        return number > head - NEWEST


def _hexed(data: bytes) -> str:
    return "0x" + data.hex()
