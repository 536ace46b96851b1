"""`geth --dev` behind `saldo drill attach`: with small limits, with another host name, ended while it answers, across a fork."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from attached import ETHER, RECIPIENT, START_SECONDS, Attached, Node, demand, running
from install import HERE
from process import Command, Failed, run, wait_until
from testnet import FUNDED_KEYS, free_ports

ADDRESSES = [RECIPIENT, *(f"0x{number:040x}" for number in range(1, 25))]
# Long enough for geth to start and for a first balance to be proven, also on a busy machine.
FORK_AFTER_SECONDS = 40
NEEDS_ACTION = 4


def geth_command(geth: Path, port: int, *options: str | Path) -> Command:
    """`geth --dev` at a port, with further options. It makes a block for each transaction."""
    alone: Command = ["--dev", "--config", HERE / "geth/geth.toml", "--ipcdisable"]
    return [geth, *alone, "--http", "--http.port", str(port), "--http.api", "eth,net,web3,debug", *options]


class GethChecks:
    """The checks that only geth has. Each starts a geth of its own."""

    def __init__(self, geth: Path, binary: Path, directory: Path, logs: Path) -> None:
        self._geth = geth
        self._binary = binary
        self._directory = directory
        self._logs = logs
        self._numbers = count(1)

    def checks(self) -> Iterator[tuple[str, Callable[[], object]]]:
        """Every check with its name."""
        for setting, value in (
            ("batch-request-limit", 10),
            ("batch-request-limit", 3),
            ("batch-request-limit", 1),
            ("batch-response-max-size", 20_000),
            ("batch-response-max-size", 2_000),
        ):
            yield f"with --rpc.{setting} {value} all addresses are proven", (
                lambda setting=setting, value=value: self._prove_all(f"--rpc.{setting}", str(value))
            )
        yield "a host name that it does not take is named as the reason", self._refuse_host
        for number in (signal.SIGTERM, signal.SIGKILL):
            yield f"ended by {number.name} while it answers, and started again: no false amount", (
                lambda number=number: self._restart(number)
            )
        yield "balances are proven before and after Amsterdam", self._cross_amsterdam

    def _prove_all(self, *options: str) -> None:
        with self._running(*options) as node, self._attached(node) as attached:
            node.send(ETHER)
            attached.expect(RECIPIENT, ETHER)
            status, readings = attached.all_once(*ADDRESSES)
            proven = {reading["address"].lower(): reading["amount"] for reading in readings}
            expected = {address: str(ETHER if address == RECIPIENT else 0) for address in ADDRESSES}
            # The addresses 1 to 17 are of precompiled contracts, and geth gives some of them 1 wei.
            expected |= {address: str(node.balance(address)) for address in ADDRESSES}
            demand(status == 0 and proven == expected, f"status {status}: {readings}")

    def _refuse_host(self) -> None:
        # geth always accepts an IPv4 address as the host.
        with self._running("--http.vhosts", "other.example") as node:
            url = node.url.replace("127.0.0.1", "localhost")
            command = [str(self._binary), "drill", "attach", "--upstream", url, "--json"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        error = json.loads(done.stdout)["error"]
        demand(done.returncode == 1 and error["code"] == "denied", done.stdout)
        demand("host name" in error["detail"] and "--http.vhosts" in error["next_step"], done.stdout)

    def _restart(self, number: signal.Signals) -> None:
        """SIGTERM: the chain goes on. SIGKILL: geth goes back to the state on its disk, or to its first block."""
        with self._running("--datadir", self._new_directory()) as node:
            with self._attached(node) as attached, ThreadPoolExecutor(1) as pool:
                # What each block holds: a new client may name an older one, and then its amount.
                amounts = {0: 0}
                for wei in (ETHER, 2 * ETHER):
                    block = node.send(ETHER)
                    amounts[block] = wei
                    attached.expect(RECIPIENT, wei, block)
                # It answers readings when the signal comes, and is asked again until it is back.
                restarting = pool.submit(lambda: (time.sleep(0.3), node.end_and_restart(number)))
                while not restarting.done():
                    _, readings = attached.all_once(*ADDRESSES, "--timeout", "1s", "--no-wait")
                    (reading,) = [reading for reading in readings if reading["address"].lower() == RECIPIENT]
                    if reading["state"] == "proven":
                        wei = amounts[reading["block"]["number"]]
                        demand(reading["amount"] == str(wei), f"a false amount: {reading}")
                    else:
                        demand(reading["amount"] is None, f"a false amount: {reading}")
                restarting.result()
                left = node.balance(RECIPIENT)
                if number == signal.SIGTERM:
                    demand(left == 2 * ETHER, f"geth has lost blocks: {left} wei are left")
                # Trust starts from the first block, so that attach goes on with what is left.
                attached.expect(RECIPIENT, left)
                block = node.send(ETHER)
                attached.expect(RECIPIENT, left + ETHER, block)

    def _cross_amsterdam(self) -> None:
        data = self._new_directory()
        fork = int(time.time()) + FORK_AFTER_SECONDS
        self._make_chain(data, fork)
        with self._running("--datadir", data) as node, self._attached(node) as attached:
            block = node.send(ETHER)
            reading = attached.expect(RECIPIENT, node.balance(RECIPIENT), block)
            before = self._header(node, reading)
            demand(int(before["timestamp"], 16) < fork, "geth started too slowly for this check")
            demand("blockAccessListHash" not in before and "slotNumber" not in before, f"{before}")
            time.sleep(max(fork + 1 - time.time(), 0))
            block = node.send(2 * ETHER)
            reading = attached.expect(RECIPIENT, node.balance(RECIPIENT), block)
            after = self._header(node, reading)
            demand("blockAccessListHash" in after and "slotNumber" in after, f"{after}")
            demand(after["stateRoot"] == reading["block"]["state_root"], f"{after}")
            doctor = [str(self._binary), "doctor", "--json", "--network", attached.network]
            done = subprocess.run(doctor, capture_output=True, text=True, timeout=60, check=False)
            (provider,) = json.loads(done.stdout)["providers"]
            demand(provider["findings"] == [], done.stdout)
            demand(provider["block_rebuilds"]["state"] == "found", done.stdout)

    def _header(self, node: Node, reading: dict[str, Any]) -> dict[str, Any]:
        """The block that a reading names."""
        block = node.call("eth_getBlockByNumber", hex(reading["block"]["number"]), False)
        demand(block["hash"] == reading["block"]["hash"], f"{reading}: the node has {block}")
        return dict(block)

    def _make_chain(self, data: Path, fork: int) -> None:
        """A chain that becomes Amsterdam at a time. Its first block is that of `geth --dev`, which has Osaka and later contracts."""
        command = [str(self._geth), "--dev", "dumpgenesis"]
        shown = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, check=True)
        genesis = json.loads(shown.stdout)
        address, key = next(iter(FUNDED_KEYS.items()))
        config, blobs = genesis["config"], genesis["config"]["blobSchedule"]
        # Bogota is a later fork.
        config.pop("bogotaTime", None)
        config["amsterdamTime"] = fork
        blobs["osaka"] = blobs["amsterdam"] = blobs["prague"]
        genesis["alloc"][address.removeprefix("0x")] = {"balance": hex(1000 * ETHER)}
        data.mkdir()
        files = {"genesis.json": json.dumps(genesis), "key": key.removeprefix("0x"), "password": ""}
        for name, content in files.items():
            (data / name).write_text(content)
        base: Command = [self._geth, "--datadir", data]
        log = self._logs / "geth-init.log"
        account: Command = ["account", "import", "--password", data / "password", data / "key"]
        run("giving geth a key", [*base, *account], log, START_SECONDS, self._directory)
        run("making geth's database", [*base, "init", data / "genesis.json"], log, START_SECONDS, self._directory)

    def _new_directory(self) -> Path:
        return self._directory / f"geth-{next(self._numbers)}"

    @contextmanager
    def _running(self, *options: str | Path) -> Iterator[Node]:
        (port,) = free_ports(1)
        with running("geth", port, geth_command(self._geth, port, *options), self._directory, self._logs) as node:
            yield node

    @contextmanager
    def _attached(self, node: Node) -> Iterator[Attached]:
        attached = Attached(self._binary, node)
        try:
            yield attached
        finally:
            attached.stop()
