"""The drill server of the table of scenarios, and the app's parts with a switch."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Coroutine, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import saldo

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[3]
SERVER = Path(os.environ.get("SALDO_SCENARIO_SERVER", ROOT / "target/debug/scenario-server"))
OWNED = 1_500_000_000_000_000_000
"""What the owner of every scenario holds, in wei."""


def run(work: Coroutine[Any, Any, T], seconds: float = 60) -> T:
    """Runs ``work`` on an event loop of its own, at most for so long."""
    return asyncio.run(asyncio.wait_for(work, seconds))


def scenario_names() -> list[str]:
    return subprocess.run([SERVER, "--list"], check=True, capture_output=True, text=True).stdout.split()


class World:
    """One scenario, served on loopback until the end of the block."""

    def __init__(self, name: str) -> None:
        self._server = subprocess.Popen([SERVER, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._told = self._answer()
        self.steps: list[dict[str, Any]] = self._told["steps"]
        self.config = _config(self._told["config"])

    def __enter__(self) -> World:
        return self

    def __exit__(self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None) -> None:
        assert self._server.stdin and self._server.stdout
        self._server.stdin.close()
        self._server.wait(timeout=10)
        self._server.stdout.close()

    def happen(self, at: str) -> None:
        """Lets the events up to this time happen."""
        assert self._server.stdin
        print(at, file=self._server.stdin, flush=True)
        assert self._answer()["happened"] > 0, f"nothing happens at {at}"

    def _answer(self) -> Any:
        assert self._server.stdout
        return json.loads(self._server.stdout.readline())

    @property
    def owner(self) -> str:
        """The address that holds ``OWNED`` wei."""
        named = (step.get("owner") or step["holdings"][0]["owner"] for step in self.steps if {"owner", "holdings"} & set(step))
        return str(next(named))


def _config(told: dict[str, Any]) -> saldo.ClientConfig:
    lists = {"rpc", "beacon", "mirrors", "checkpoint_sources"}
    records = {"checkpoint": saldo.Checkpoint, "policy": saldo.Policy}
    given: dict[str, Any] = {}
    for name, value in told.items():
        if name in lists:
            given[name] = [saldo.Endpoint(**endpoint) for endpoint in value]
        elif name in records and value is not None:
            given[name] = records[name](**value)
        elif name == "others":
            given[name] = [_other(network) for network in value]
        else:
            given[name] = value
    return saldo.ClientConfig(**given)


def _other(told: dict[str, Any]) -> saldo.NetworkConfig:
    policy = None if told["policy"] is None else saldo.Policy(**told["policy"])
    endpoints = [saldo.Endpoint(**endpoint) for endpoint in told["rpc"]]
    return saldo.NetworkConfig(**(told | {"rpc": endpoints, "policy": policy}))


class SwitchedTransport:
    """An HTTP stack with a switch: it sends requests, or misbehaves."""

    def __init__(self) -> None:
        self.does = "pass"
        self.in_progress = 0
        self.sent = 0
        self._inner = saldo.StandardTransport(proxies=saldo.Proxies({}))

    async def send(self, request: saldo.HttpRequest) -> saldo.HttpResponse:
        self.in_progress += 1
        self.sent += 1
        try:
            return await self._answer(request)
        finally:
            self.in_progress -= 1

    async def _answer(self, request: saldo.HttpRequest) -> saldo.HttpResponse:
        match self.does:
            case "pass":
                return await self._inner.send(request)
            case "throws":
                raise ArithmeticError("something without a name")
            case "hangs":
                await asyncio.Event().wait()
            case "floods":
                return saldo.HttpResponse(status=200, headers=(), body=b" " * (request.max_bytes + 1))
        raise saldo.TransportFailure(saldo.FailureKind(self.does), status=302)


class SwitchedStorage:
    """A storage in memory with a switch: it works, or misbehaves."""

    def __init__(self) -> None:
        self.does = "pass"
        self.writes = 0
        self._inner = saldo.MemoryStorage()

    async def load(self) -> saldo.StorageSnapshot:
        return await self._inner.load()

    async def apply(self, changes: Sequence[saldo.StorageChange], expected_version: int) -> saldo.StorageAck:
        self.writes += 1
        match self.does:
            case "pass":
                return await self._inner.apply(changes, expected_version)
            case "throws":
                raise ArithmeticError("something without a name")
            case "full":
                raise saldo.StorageFailure(saldo.StorageFailureKind.FULL)
            case "loses":
                return saldo.StorageAck.of([], expected_version + 1)
        raise AssertionError(f"the storage does not know {self.does}")


def amount(proven: saldo.Proven | None) -> str:
    return "none" if proven is None else str(proven.amount)
