"""A development node, a `saldo drill attach` in front of it, and a wallet that reads through both."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from process import Command, Failed, Process, wait_until
from testnet import request

START_SECONDS = 60.0
SIGN_SECONDS = 15.0
ETHER = 10**18
# The second account of a well-known mnemonic.
RECIPIENT = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
UNUSED = "0x00000000000000000000000000000000000000ff"


class Node:
    """A development node."""

    def __init__(self, name: str, port: int, command: Command, directory: Path, logs: Path) -> None:
        self.name = name
        self.url = f"http://127.0.0.1:{port}"
        self._start: Callable[[], Process] = lambda: Process(name, command, logs / f"{name}.log", directory)
        self.process = self._start()

    def restart(self) -> None:
        """Stops the node, which loses its chain, and starts another one at the same port."""
        self.process.stop()
        self.process = self._start()

    def end_and_restart(self, number: signal.Signals) -> None:
        """Ends the node by a signal, and starts it again at the same port."""
        self.process.send_signal(number)
        self.process.wait(START_SECONDS)
        self.process = self._start()
        wait_until(f"answer from {self.name} after its restart", self.is_up, START_SECONDS, [self.process])

    @property
    def sender(self) -> str:
        """An account whose key the node holds."""
        return str(self.call("eth_accounts")[0])

    def call(self, method: str, *parameters: Any) -> Any:
        """Requests one JSON-RPC result."""
        return request(self.name, self.url, method, *parameters)

    def is_up(self) -> bool:
        """Whether the node answers."""
        try:
            return bool(self.call("eth_chainId"))
        except Failed:
            return False

    def balance(self, address: str) -> int:
        """The balance of an account by the node, in wei."""
        return int(self.call("eth_getBalance", address, "latest"), 16)

    def send(self, wei: int) -> int:
        """Sends ether. Returns the number of the block with the transaction."""
        return int(self._mined({"to": RECIPIENT, "value": hex(wei)})["blockNumber"], 16)

    def deploy(self, creation_code: str) -> tuple[str, int]:
        """Makes a contract. Returns its address, and the number of its block."""
        receipt = self._mined({"data": creation_code, "gas": hex(3_000_000)})
        return str(receipt["contractAddress"]), int(receipt["blockNumber"], 16)

    def call_contract(self, contract: str, data: str) -> int:
        """Sends a call to a contract. Returns the number of its block."""
        return int(self._mined({"to": contract, "data": data, "gas": hex(500_000)})["blockNumber"], 16)

    def _mined(self, transaction: dict[str, str]) -> dict[str, Any]:
        """Sends a transaction, and returns its receipt."""
        sent = self.call("eth_sendTransaction", {"from": self.sender, **transaction})
        receipt: dict[str, Any] = {}

        def is_mined() -> bool:
            # Just after its start geth answers with an error: "transaction indexing is in progress".
            with suppress(Failed):
                receipt.update(self.call("eth_getTransactionReceipt", sent) or {})
            return bool(receipt)

        wait_until("receipt", is_mined, START_SECONDS, [self.process])
        return receipt


class Attached:
    """A running `saldo drill attach`, and one long-lived client of it."""

    def __init__(self, binary: Path, node: Node, *options: str) -> None:
        command = [str(binary), "drill", "attach", "--upstream", node.url, "--json", *options]
        self._child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.binary = binary
        first = self.line()
        if "network_file" not in first:
            raise Failed(f"attach printed {first}")
        self.network: str = first["network_file"]
        reader = [str(binary), "balance", "-", "--line-by-line", "--network", self.network, "--json", "--timeout", "6s"]
        self._reader = subprocess.Popen(
            reader, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def line(self) -> dict[str, Any]:
        """The next line of its output."""
        line = self._child.stdout.readline() if self._child.stdout else ""
        return json.loads(line) if line else {}

    def read(self, address: str) -> dict[str, Any]:
        """A reading by the long-lived client."""
        if not (self._reader.stdin and self._reader.stdout):
            raise Failed("no reader")
        self._reader.stdin.write(address + "\n")
        self._reader.stdin.flush()
        return json.loads(self._reader.stdout.readline())

    def expect(self, address: str, wei: int, block: int = 0) -> dict[str, Any]:
        """Waits until the amount is proven, at that block or later."""
        seen: dict[str, Any] = {}

        def is_proven() -> bool:
            seen.update(self.read(address))
            is_new = seen["state"] == "proven" and seen["block"]["number"] >= block
            return is_new and int(seen["amount"]) == wei

        try:
            wait_until(f"proven {wei} wei", is_proven, SIGN_SECONDS)
        except Failed as error:
            raise Failed(f"{error}; the last reading is {json.dumps(seen)}") from None
        return seen

    def expect_token(self, owner: str, token: str, units: int, block: int) -> None:
        """Waits until so many units are proven, at that block or later."""
        seen: dict[str, Any] = {}

        def is_proven() -> bool:
            _, readings = self.all_once(owner, "--token", token, "--no-wait")
            seen.update(readings[1])
            is_new = seen["state"] == "proven" and seen["block"]["number"] >= block
            return is_new and int(seen["amount"]) == units

        try:
            wait_until(f"proven {units} units", is_proven, SIGN_SECONDS)
        except Failed as error:
            raise Failed(f"{error}; the last reading is {json.dumps(seen)}") from None

    def once(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """A reading by a client of its own."""
        status, readings = self.all_once(*arguments)
        return status, readings[0]

    def all_once(self, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
        """Readings of several addresses by a client of its own."""
        command = [str(self.binary), "balance", "--network", self.network, "--json", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    def describe(self, token: str) -> tuple[int, dict[str, Any]]:
        """What `saldo token` says."""
        command = [str(self.binary), "token", token, "--network", self.network, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, json.loads(done.stdout)

    def ends(self) -> tuple[int, dict[str, Any]]:
        """Its exit status, and its last line."""
        status, last = self._child.wait(SIGN_SECONDS), {}
        while said := self.line():
            last = said
        return status, last

    def stop(self) -> None:
        """Stops the command and its client."""
        for child in (self._reader, self._child):
            child.send_signal(signal.SIGINT)
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()


def demand(condition: bool, what: str) -> None:
    """Raises `Failed` unless the condition holds."""
    if not condition:
        raise Failed(what)


@contextmanager
def running(name: str, port: int, command: Command, directory: Path, logs: Path) -> Iterator[Node]:
    """A node for the length of a `with` block."""
    node = Node(name, port, command, directory, logs)
    try:
        wait_until(f"answer from {name}", node.is_up, START_SECONDS, [node.process])
        yield node
    finally:
        node.process.stop()
