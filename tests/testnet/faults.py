"""Outages and lies in front of real clients, by `saldo drill proxy`, and a wallet that watches through them."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from scenario import FUNDED, expect, expect_equal
from testnet import Testnet

# The scenarios that a proxy can apply to a real provider, and how many times faster than written they run. Each takes half a
# minute at most, and every fault lasts for some slots.
SCENARIOS = {
    "false-zero": 20,
    "truncated-proof": 20,
    "invented-trie": 20,
    "rate-limit-storm": 20,
    "captive-portal": 20,
    "two-lie-one-is-honest": 20,
    "cloud-region-down": 3600,
}
# The scenarios in which for a while no provider proves anything.
ALL_FAIL = ("truncated-proof", "invented-trie", "rate-limit-storm", "captive-portal")
PROVEN_SECONDS = 60.0


class Faults:
    """Each scenario is a proxy between a wallet and all clients. All run at the same time."""

    def __init__(self, testnet: Testnet, saldo: Path, environment: dict[str, str]) -> None:
        self._testnet = testnet
        self._saldo = saldo
        self._environment = testnet.private_environment() | environment
        self._environment.pop("ETH_RPC_URL", None)
        self._environment.pop("SALDO_BEACON_URL", None)

    def checks(self) -> Iterator[tuple[str, Callable[[], object]]]:
        """Every check with its name. The first one waits for all of them."""
        with ThreadPoolExecutor(len(SCENARIOS)) as pool:
            running = {name: pool.submit(self._watch_through, name, speed) for name, speed in SCENARIOS.items()}
            for name, outcome in running.items():
                yield f"{name}, in front of all clients: no false amount, and proven afterwards", outcome.result

    def _watch_through(self, name: str, speed: int) -> None:
        upstreams = [part for client in self._testnet.clients for part in ("--upstream", client.url)]
        beacon = ["--beacon-upstream", self._testnet.beacon_url]
        proxy = self._start("drill", "proxy", "-s", name, *upstreams, *beacon, "--speed", str(speed), "--json")
        try:
            said = json.loads(proxy.line())
            urls = [part for url in said["rpc_urls"] for part in ("--rpc-url", url)]
            urls += [part for url in said["beacon_urls"] for part in ("--beacon-url", url)]
            watch = ["--watch", "--max-age", "2s", "--timeout", "2s", "--json", *urls, FUNDED]
            wallet = self._start("balance", *watch)
            try:
                self._judge(name, speed, proxy, wallet)
            finally:
                wallet.stop()
        finally:
            proxy.stop()

    def _judge(self, name: str, speed: int, proxy: Program, wallet: Program) -> None:
        true_wei = str(self._testnet.funded_at_genesis(FUNDED))
        # No other reader consumes its output.
        threading.Thread(target=proxy.drain, daemon=True).start()
        lasts = self._seconds(name) / speed
        begun = time.monotonic()
        proven = not_proven = 0
        while True:
            elapsed = time.monotonic() - begun
            expect(elapsed < lasts + PROVEN_SECONDS, f"nothing is proven {PROVEN_SECONDS:.0f} s after its end")
            change = json.loads(wallet.line())
            for amount in amounts(change):
                expect_equal("amount", amount, true_wei)
            if change["change"] != "reading":
                continue
            is_proven = change["reading"]["state"] == "proven"
            proven += is_proven
            not_proven += not is_proven
            if is_proven and elapsed > lasts:
                break
        expect(proven >= 2, f"only {proven} readings were proven")
        expect(not_proven >= 1 or name not in ALL_FAIL, "every reading was proven, so the faults had no effect")

    def _seconds(self, name: str) -> float:
        command = [self._saldo, "drill", "list", "--json"]
        shown = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=True)
        scenarios = map(json.loads, shown.stdout.splitlines())
        (scenario,) = [line for line in scenarios if line["scenario"] == name]
        return float(scenario["lasts_seconds"])

    def _start(self, *arguments: str) -> Program:
        log = (self._testnet.directory / "logs/faults.log").open("a")
        child = subprocess.Popen(
            [self._saldo, *arguments], env=self._environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True,
        )
        return Program(child)


class Program:
    """A `saldo` process that prints lines until it is interrupted."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child = child

    def line(self) -> str:
        """The next line."""
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        expect(bool(line), f"it ended with status {self._child.poll()}")
        return line

    def drain(self) -> None:
        """Reads all its output."""
        assert self._child.stdout is not None
        for _ in self._child.stdout:
            pass

    def stop(self) -> None:
        """Interrupts it, as a user does."""
        self._child.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(5)
        self._child.kill()


def amounts(value: Any) -> Iterator[str]:
    """Every amount in the object, at any depth."""
    if isinstance(value, dict):
        if isinstance(value.get("amount"), str):
            yield value["amount"]
        for part in value.values():
            yield from amounts(part)
    elif isinstance(value, list):
        for part in value:
            yield from amounts(part)
