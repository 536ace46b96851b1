"""op-geth, the execution client of a rollup, with a chain of its own."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from install import HERE
from keccak import keccak256
from process import Command, Failed, Process, run, wait_until
from rlp_encoding import word
from rollup_contracts import CHAIN_ID
from testnet import START_SECONDS, free_ports, request


@dataclass
class OpGeth:
    """A running op-geth. It builds no block before something asks for it over the Engine API."""

    directory: Path
    op_geth: Path
    name: str = "op-geth"
    process: Process | None = None

    def start_client(self, first_block: dict[str, Any], options: Sequence[str] = ()) -> None:
        """Starts it with a new database, and waits until it answers. `options` are those of the database and of the client."""
        home, self.secret = self.directory / self.name, self.directory / f"{self.name}.jwt"
        first = self.directory / f"{self.name}-genesis.json"
        first.write_text(json.dumps(first_block))
        self.secret.write_text(secrets.token_hex(32))
        logs = self.directory / "logs"
        making: Command = [self.op_geth, "--datadir", home, *options, "init", first]
        run(f"making the database of {self.name}", making, logs / f"{self.name}-init.log", START_SECONDS, self.directory)
        rpc, engine = free_ports(2)
        self.url, self.engine_url = f"http://127.0.0.1:{rpc}", f"http://127.0.0.1:{engine}"
        command: Command = [self.op_geth, "--datadir", home, *options, "--networkid", str(CHAIN_ID), "--syncmode", "full"]
        command = [*command, "--config", HERE / "geth/geth.toml", "--nodiscover", "--maxpeers", "0", "--nat", "none"]
        command = [*command, "--ipcdisable", "--http", "--http.addr", "127.0.0.1", "--http.port", str(rpc)]
        command = [*command, "--authrpc.addr", "127.0.0.1", "--authrpc.port", str(engine), "--authrpc.jwtsecret", self.secret]
        command = [*command, "--rollup.disabletxpoolgossip"]
        self.process = Process(self.name, command, logs / f"{self.name}.log", self.directory)
        wait_until(f"answer from {self.name}", self._answers, START_SECONDS, [self.process])

    def stop(self) -> None:
        """Stops the client."""
        if self.process:
            self.process.stop()

    def call(self, method: str, *parameters: Any) -> Any:
        """Requests one JSON-RPC result of op-geth."""
        return request(self.name, self.url, method, *parameters)

    def head(self) -> int:
        """The number of the newest block."""
        return int(self.call("eth_blockNumber"), 16)

    def block(self, number: int) -> Any:
        """The header of a block."""
        return self.call("eth_getBlockByNumber", hex(number), False)

    def balance(self, address: str, number: int) -> int:
        """A balance after a block."""
        return int(self.call("eth_getBalance", address, hex(number)), 16)

    def output_root(self, number: int) -> bytes:
        """What L1 is told of a block. The header is enough since Isthmus."""
        header = self.block(number)
        parts = (header[name] for name in ("stateRoot", "withdrawalsRoot", "hash"))
        return keccak256(word(0) + b"".join(bytes.fromhex(part[2:]) for part in parts))

    def _answers(self) -> bool:
        try:
            return int(self.call("eth_chainId"), 16) == CHAIN_ID
        except Failed:
            return False
