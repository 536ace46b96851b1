"""`saldo` as a reader of a rollup: single commands, and a process that watches and tells every change."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from faults import amounts
from process import Failed
from rollup_contracts import CHAIN_ID
from scenario import ANSWER_SECONDS, expect
from testnet import Testnet


class Saldo:
    """Runs `saldo` for the rollup of the test network. Everything that it prints is logged."""

    def __init__(
        self, testnet: Testnet, program: Path, environment: dict[str, str],
        demand_wanted: Callable[[], None] = lambda: None,
    ) -> None:
        self._directory = testnet.directory
        self._program = program
        self._demand_wanted = demand_wanted
        self.environment = testnet.private_environment() | environment
        self.environment["SALDO_L1_RPC_URL"] = self.environment["ETH_RPC_URL"]

    def network(self, profile: str) -> str:
        """The networks to read: L1, and the rollup of a profile."""
        return f"{self.environment['SALDO_NETWORK']},{self._directory / profile}"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One command, until its end."""
        self._demand_wanted()
        done = subprocess.run(
            [self._program, *arguments], env=self.environment, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=ANSWER_SECONDS, check=False,
        )
        with self._log().open("a") as log:
            log.write(f"$ saldo {' '.join(arguments)}\n{done.stdout}{done.stderr}")
        return done

    @contextmanager
    def started(self, *arguments: str) -> Iterator[Lines]:
        """What a process prints that runs until the end of the `with` block."""
        with self._log().open("a", buffering=1) as log:
            child = subprocess.Popen(
                [self._program, *arguments], env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=log, text=True, start_new_session=True,
            )
            try:
                yield Lines(child, log.write)
            finally:
                child.kill()
                child.wait()

    @contextmanager
    def wallet(self, profile: str, *arguments: str) -> Iterator[Wallet]:
        """A wallet that watches until the end of the `with` block."""
        with self.started("balance", "--json", "-n", self.network(profile), "--watch", *arguments) as lines:
            yield Wallet(lines, self._demand_wanted)

    def _log(self) -> Path:
        return self._directory / "logs/rollup.log"


class Lines:
    """What a process has printed so far, each line a JSON object."""

    def __init__(self, child: subprocess.Popen[str], log: Callable[[str], object]) -> None:
        self.child = child
        self._log = log
        self.all: list[dict[str, Any]] = []
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self) -> None:
        assert self.child.stdout is not None
        for line in self.child.stdout:
            self._log(line)
            self.all.append(json.loads(line))


class Wallet:
    """A `saldo` process that watches, and every change that it told."""

    def __init__(self, lines: Lines, demand_wanted: Callable[[], None]) -> None:
        self._child = lines.child
        self._demand_wanted = demand_wanted
        self.changes = lines.all
        self._seen = 0

    def await_reading(
        self, state: str, seconds: float, holds: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        """The next reading of the rollup in this state, for which `holds` is true."""
        is_it = lambda change: change["reading"]["state"] == state and holds(change["reading"])
        return dict(self.await_change("reading", seconds, is_it)["reading"])

    def await_change(
        self, kind: str, seconds: float, holds: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        """The next change of the rollup of this kind, for which `holds` is true."""
        deadline = time.monotonic() + seconds
        while True:
            self._demand_wanted()
            while self._seen < len(self.changes):
                change = self.changes[self._seen]
                self._seen += 1
                if change["change"] == kind and change.get("chain_id") == CHAIN_ID and holds(change):
                    return change
            if self._child.poll() is not None or time.monotonic() > deadline:
                newest = self.changes[-1] if self.changes else None
                raise Failed(f"no such {kind} within {seconds:.0f} s; the newest change is {newest}")
            time.sleep(0.1)

    def is_running(self) -> bool:
        """Whether it still watches."""
        return self._child.poll() is None

    def demand_true(self, true_amounts: set[str]) -> None:
        """Requires that every amount of the rollup that was shown is a true one."""
        for change in self.changes:
            if change.get("chain_id") == CHAIN_ID:
                for amount in amounts(change):
                    expect(amount in true_amounts, f"a false amount: {change}")
