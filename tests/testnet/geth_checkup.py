"""What `saldo doctor` must report about `geth --dev` with the settings and the failures that its users meet."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from install import HERE
from process import Command, Failed, Process, wait_until
from scenario import expect, expect_equal
from testnet import START_SECONDS, ExecutionClient, Testnet, free_ports

ANSWER_SECONDS = 60.0
# Without a beacon source no balance can be proven.
NEEDS_ACTION = 4
# The chain id of `geth --dev`.
CHAIN_ID = 1337
BLOCKS = 12
RESEND_SECONDS = 3.0


class GethCheckup:
    """The examinations of geth without a beacon chain."""

    def __init__(self, geth: Path, testnet: Testnet, saldo: Path, environment: dict[str, str]) -> None:
        self._geth = geth
        self._testnet = testnet
        self._saldo = saldo
        network = Path(environment["SALDO_NETWORK"]).read_text()
        ours = testnet.directory / "geth-dev.toml"
        ours.write_text(network.replace(f"chain_id = {testnet.chain_id}", f"chain_id = {CHAIN_ID}", 1))
        self._environment = testnet.private_environment() | {"SALDO_NETWORK": str(ours)}

    def checks(self) -> Iterator[tuple[str, Callable[[], object]]]:
        """Every check with its name."""
        yield "doctor: geth --dev", self._examine_well
        yield "doctor: geth takes 10 calls at once", lambda: self._examine_limit(10, "batch-request-limit", 10)
        yield "doctor: geth takes one call at once", lambda: self._examine_limit(1, "batch-request-limit", 1)
        # It counts results only: ten of about 7 bytes fit, but no two proofs.
        yield "doctor: geth sends 200 bytes at once", (
            lambda: self._examine_limit(1, "batch-response-max-size", 200)
        )
        yield "doctor: geth does not take this host name", self._examine_other_host
        for number in (signal.SIGTERM, signal.SIGKILL):
            yield f"doctor: geth ends by {number.name} while it answers", (
                lambda number=number: self._examine_ending(number)
            )

    def _examine_well(self) -> None:
        with self._running() as client:
            provider = self._examine(client.url)
        expect_equal("findings", provider["findings"], [])
        # It makes further blocks now and then.
        tip = provider["tip"]["value"]["number"]
        expect(tip >= BLOCKS, f"tip is {tip}")
        for route in ("block_rebuilds", "raw_header", "proof_at_tip", "by_tag", "by_hash"):
            expect_equal(route, provider[route]["state"], "found", provider[route])
        expect_equal("depth", provider["depth"]["value"]["proven_blocks"], tip - 1)
        expect_equal("batch", provider["batch"]["value"], 50)
        claims = {"disabled": False, "oldest_block": 0, "oldest_state": 0}
        expect_equal("capabilities", provider["capabilities"]["value"], claims)

    def _examine_limit(self, calls: int, setting: str, value: int) -> None:
        with self._running(f"--rpc.{setting}", str(value)) as client:
            provider = self._examine(client.url)
        expect_equal("findings", provider["findings"], [])
        expect_equal("batch", provider["batch"]["value"], calls)

    def _examine_other_host(self) -> None:
        # geth always accepts an IPv4 address as the host.
        with self._running("--http.vhosts", "other.example") as client:
            provider = self._examine(client.url.replace("127.0.0.1", "localhost"))
        (finding,) = provider["findings"]
        expect_equal("finding", finding["code"], "denied")
        expect("URL" in finding["next_step"], finding["next_step"])

    def _examine_ending(self, number: signal.Signals) -> None:
        """Any moment is good: whatever was answered by then, the doctor reports, and ends with its usual status."""
        for milliseconds in (0, 5, 30):
            with self._running() as client:
                child = self._start(client.url)
                time.sleep(milliseconds / 1000)
                client.process.send_signal(number)
                out, err = child.communicate(timeout=ANSWER_SECONDS)
            expect_equal("exit status", child.returncode, NEEDS_ACTION, out + err)
            (provider,) = json.loads(out)["providers"]
            found = {finding["code"] for finding in provider["findings"]}
            expect(found <= {"unreachable", "fails"}, f"findings after {milliseconds} ms: {found}")

    @contextmanager
    def _running(self, *options: str) -> Iterator[ExecutionClient]:
        """A new chain with a few blocks: geth makes one for each transaction."""
        (port,) = free_ports(1)
        command: Command = [self._geth, "--dev", "--config", HERE / "geth/geth.toml", "--ipcdisable"]
        servers = ["--http", "--http.port", str(port), "--http.api", "eth,net,web3,debug", *options]
        log = self._testnet.directory / "logs/geth-dev.log"
        process = Process("geth", [*command, *servers], log, self._testnet.directory, self._environment)
        try:
            client = ExecutionClient("geth", f"http://127.0.0.1:{port}", process)
            wait_until("answer from geth", client.answers, START_SECONDS, [process])
            (faucet,) = client.call("eth_accounts")
            for nonce in range(BLOCKS):
                transfer = {"from": faucet, "to": "0x" + "cc" * 20, "value": "0x1", "nonce": hex(nonce)}
                _mine(client, process, transfer)
            yield client
        finally:
            process.stop()

    def _examine(self, url: str) -> Any:
        child = self._start(url)
        out, err = child.communicate(timeout=ANSWER_SECONDS)
        with (self._testnet.directory / "logs/saldo.log").open("a") as log:
            log.write(f"$ saldo doctor --json\n{out}{err}")
        expect_equal("exit status of saldo doctor", child.returncode, NEEDS_ACTION, out + err)
        (provider,) = json.loads(out)["providers"]
        return provider

    def _start(self, url: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self._saldo, "doctor", "--json", "--rpc-url", f"geth={url}"], env=self._environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )


def _mine(client: ExecutionClient, process: Process, transfer: dict[str, str]) -> None:
    """Sends a transfer, and waits for it.

    geth makes no block for one that comes before its miner listens. It makes one for another in its place, at a higher price.
    """
    price = 2 * int(client.call("eth_gasPrice"), 16)
    begun = time.monotonic()
    sent: list[str] = []

    def is_mined() -> bool:
        if time.monotonic() >= begun + RESEND_SECONDS * len(sent):
            with suppress(Failed):
                priced = transfer | {"gasPrice": hex(price << len(sent))}
                sent.append(client.call("eth_sendTransaction", priced))
        return any(_is_mined(client, transaction) for transaction in sent)

    wait_until("receipt", is_mined, START_SECONDS, [process])


def _is_mined(client: ExecutionClient, transaction: str) -> bool:
    try:
        return client.call("eth_getTransactionReceipt", transaction) is not None
    except Failed:
        # Just after its start: "transaction indexing is in progress".
        return False
