"""Every scenario of the common table shows what the table says: tests/ffi/scenarios.toml."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from drill import SwitchedStorage, SwitchedTransport, World, amount, run, scenario_names

import saldo

AT_ONCE = 6
"""How many scenarios run at the same time: most of their time is spent waiting."""
PAUSE_SECONDS = 0.1


class Difference(Exception):
    """What is shown differs from what the table expects."""


def fields(shown: dict[str, Any], expected: dict[str, Any]) -> None:
    for name, value in expected.items():
        if name not in shown or shown[name] != value or type(shown[name]) is not type(value):
            raise Difference(f"{name} is {shown.get(name)!r}, expected {value!r}, in {shown}")


def of_reading(reading: saldo.Reading, expected: dict[str, Any]) -> dict[str, Any]:
    match reading:
        case saldo.Proven():
            agreed = len(reading.block.origin.agreed_by)
            return {
                "state": "proven",
                "amount": str(reading.amount),
                "frozen": reading.is_frozen,
                "layout": getattr(reading.derivation, "layout", "none"),
                "restored": reading.is_restored,
                "level": reading.block.assurance.level,
                "nonce": reading.nonce,
                "agreed_by_at_least": min(agreed, expected.get("agreed_by_at_least", 0)),
            }
        case saldo.Provisional(unconfirmed=unconfirmed):
            claim = str(unconfirmed.amount) if isinstance(unconfirmed, saldo.Claimed) else "none"
            quorum = reading.quorum.operators if reading.quorum else 0
            own: dict[str, Any] = {"state": "provisional", "unconfirmed": claim, "quorum": quorum}
        case saldo.Unknown():
            own = {"state": "unknown"}
    return own | {
        "why": reading.why.code,
        "needs_action": reading.why.needs_action,
        "has_retry_after": reading.why.retry_after_seconds is not None,
        "last": amount(reading.last),
    }


def compare_readings(readings: tuple[saldo.Reading, ...], expected: list[dict[str, Any]]) -> None:
    if len(readings) != len(expected):
        raise Difference(f"{len(readings)} readings, expected {len(expected)}")
    for reading, one in zip(readings, expected):
        fields(of_reading(reading, one), one)


def of_last(proven: saldo.Proven | None) -> dict[str, Any]:
    return {"amount": amount(proven), "restored": proven is not None and proven.is_restored}


def of_total(total: saldo.Total) -> dict[str, Any]:
    def part(sum_: saldo.PartialSum) -> str:
        return str(sum_.amount) if isinstance(sum_, saldo.SumOf) else "none"

    match total.sum:
        case saldo.ProvenSum(amount=whole):
            return {"sum": "proven", "amount": str(whole)}
        case saldo.RememberedSum(together=together):
            return {"sum": "remembered", "amount": str(together)}
        case saldo.IncompleteSum(proven=proven, remembered=remembered, missing=missing):
            return {"sum": "partial", "proven": part(proven), "remembered": part(remembered), "missing": len(missing)}
        case other:
            return {"sum": type(other).__name__}


def of_change(change: saldo.Change, expected: dict[str, Any]) -> dict[str, Any]:
    match change:
        case saldo.NewReading(reading=reading):
            return of_reading(reading, expected) | {"change": "reading"}
        case saldo.Remembered(last=last):
            return {"change": "remembered", "amount": amount(last)}
        case saldo.Withdrawn(withdrawn=withdrawn):
            return {"change": "withdrawn", "amount": amount(withdrawn)}
        case saldo.StorageChanged(unwritten=unwritten):
            return {"change": "storage", "unwritten": unwritten}
        case saldo.ActivityChanged():
            return {"change": "activity"}
        case _:
            return {"change": "other"}


def of_token(reading: saldo.TokenReading) -> dict[str, Any]:
    layout = reading.proven.layout if reading.proven else None
    return {
        "provable": reading.proven.provable if reading.proven else "none",
        "layout": layout.name if layout else "none",
        "tells_frozen": bool(layout and layout.tells_frozen),
        "why": reading.why.code if reading.why else None,
    }


def of_token_list(tokens: saldo.TokenList) -> dict[str, Any]:
    first = tokens.tokens[0].info
    return {
        "tokens": len(tokens.tokens),
        "other_networks": tokens.other_networks,
        "skipped": tokens.skipped,
        "decimals": first.decimals,
        "source": first.source,
        "symbol": first.symbol.text,
        "flaws": ",".join(first.symbol.flaws),
    }


def of_verdict(verdict: saldo.Verdict) -> dict[str, Any]:
    match verdict:
        case saldo.Confirmed(proven=proven):
            return {"verdict": "confirmed", "proven": str(proven.amount)}
        case saldo.Different(proven=proven, claimed=claimed):
            return {"verdict": "different", "proven": str(proven.amount), "claimed": str(claimed)}
        case saldo.Changed(proven=proven, claimed=claimed):
            return {"verdict": "changed", "proven": str(proven.amount), "claimed": str(claimed)}
        case saldo.NotChecked(unknown=unknown):
            return {"verdict": "not_checked", "why": unknown.why.code}


def of_rollup(rollup: saldo.RollupHealth | None) -> str:
    if rollup is None:
        return "none"
    if rollup.stopped_timestamp is not None:
        return "stopped"
    return "vouched" if rollup.newest else "not_vouched"


def claims(step: dict[str, Any]) -> list[saldo.Claim]:
    return [
        saldo.Claim(holding(told["holding"]), int(told["amount"]), told.get("block")) for told in step["claims"]
    ]


def holding(told: dict[str, Any]) -> saldo.Holding:
    return saldo.Holding(**told)


def holdings(step: dict[str, Any]) -> list[saldo.Holding]:
    return [holding(told) for told in step["holdings"]]


class Scenario:
    """A scenario in progress."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.http = SwitchedTransport()
        self.memory = SwitchedStorage()
        self.client = self.open()
        self.watch: saldo.Watch | None = None

    def open(self) -> saldo.Client:
        return saldo.Client(self.world.config, transport=self.http, storage=self.memory)

    def on(self, step: dict[str, Any]) -> saldo.Client:
        """The client for calls about the network of the step."""
        client = self.client.on(step["network_id"]) if "network_id" in step else self.client
        assert client is not None
        return client

    async def step(self, step: dict[str, Any]) -> None:
        end = time.monotonic() + step.get("within_ms", 0) / 1000
        if step["call"] == "watch_until":
            return await self.watch_until(step, end)
        while True:
            began = time.monotonic()
            try:
                return await self.once(step)
            except Difference:
                if time.monotonic() >= end:
                    raise
            finally:
                took_ms = (time.monotonic() - began) * 1000
                assert took_ms <= step.get("at_most_ms", took_ms), f"it took {took_ms} ms"
            await asyncio.sleep(PAUSE_SECONDS)

    async def once(self, step: dict[str, Any]) -> None:
        client, expect = self.client, step.get("expect")
        match step["call"]:
            case "balance":
                compare_readings((await self.on(step).balance(step["owner"]),), [expect])
            case "account":
                account = await client.account(step["owner"])
                fields(of_reading(account.balance, expect) | {"nonce": account.nonce}, expect)
            case "read":
                compare_readings(await client.read(holdings(step)), expect)
            case "read_patiently":
                compare_readings(await client.read_patiently(holdings(step), step["patience_ms"]), expect)
            case "finalized":
                compare_readings(await client.finalized(holdings(step)), expect)
            case "last":
                fields(of_last(await client.last(holding(step["holding"]))), expect)
            case "withdrawn":
                fields(of_last(await client.withdrawn(holding(step["holding"]))), expect)
            case "totals":
                totals = await client.totals(holdings(step))
                if len(totals) != len(expect):
                    raise Difference(f"{len(totals)} totals, expected {len(expect)}")
                for total, one in zip(totals, expect):
                    fields(of_total(total), one)
            case "token":
                fields(of_token(await client.token(step["token"])), expect)
            case "token_list":
                fields(of_token_list(await client.token_list(step["json"].encode())), expect)
            case "check":
                verdicts = await client.check(claims(step))
                if len(verdicts) != len(expect):
                    raise Difference(f"{len(verdicts)} verdicts, expected {len(expect)}")
                for verdict, one in zip(verdicts, expect):
                    fields(of_verdict(verdict), one)
            case "health":
                health = await self.on(step).health()
                shown = {name: getattr(health, name) for name in expect}
                fields(shown | {"rollup": of_rollup(health.rollup)}, expect)
            case "freshness":
                last = await client.last(holding(step["holding"]))
                assert last is not None
                fields({"freshness": (await client.freshness(last.block)).code}, {"freshness": expect})
            case "evidence":
                found = len(await client.evidence())
                fields({"at_least": min(found, expect["at_least"])}, expect)
            case "consensus_fault":
                fields({"is_there": await client.consensus_fault() is not None}, expect)
            case "storage_faults":
                codes = [fault.code for fault in await client.storage_faults()]
                if (not expect and codes) or any(code not in codes for code in expect):
                    raise Difference(f"the faults are {codes}, expected {expect}")
            case "watch_ended":
                assert self.watch
                async for change in self.watch:
                    raise Difference(f"the watch has not ended: {change}")
            case "cancel":
                await self.cancel(step)
            case _:
                await self.act(step)

    async def act(self, step: dict[str, Any]) -> None:
        match step["call"]:
            case "watch_open":
                self.watch = self.client.watch(holdings(step))
            case "watch_cancel":
                for _ in range(step["times"]):
                    await self.cancel_next(step["after_ms"] / 1000)
            case "transport":
                self.http.does = step["does"]
            case "storage":
                self.memory.does = step["does"]
            case "event":
                await asyncio.to_thread(self.world.happen, step["at"])
            case "network_changed":
                self.client.network_changed(step["is_online"])
            case "start_again":
                await self.client.start_again(saldo.Checkpoint(**step["checkpoint"]))
            case "adopt":
                await self.client.adopt(step["network"])
            case "forget":
                await self.client.forget(holding(step["holding"]))
            case "restart":
                await self.client.shutdown()
                self.client = self.open()
            case "shutdown":
                await self.client.shutdown()
            case other:
                raise AssertionError(f"the runner does not know the step {other}")

    async def cancel(self, step: dict[str, Any]) -> None:
        read = asyncio.ensure_future(self.client.balance(step["owner"]))
        await asyncio.sleep(step["after_ms"] / 1000)
        # A busy machine may not have begun a request by then.
        end = time.monotonic() + 5
        while self.http.in_progress == 0 and not read.done() and time.monotonic() < end:
            await asyncio.sleep(0.005)
        assert not read.done() and self.http.in_progress > 0, "the read is not in progress"
        read.cancel()
        end = time.monotonic() + 1
        while self.http.in_progress > 0 and time.monotonic() < end:
            await asyncio.sleep(0.005)
        fields({"requests_left": self.http.in_progress}, step["expect"])

    async def cancel_next(self, seconds: float) -> None:
        """Cancels a wait for the next change. One that came in time is put back: the next batch begins with it."""
        assert self.watch
        step = asyncio.ensure_future(anext(self.watch))
        await asyncio.wait((step,), timeout=seconds)
        if step.done():
            self.watch._left.appendleft(step.result())
        step.cancel()

    async def watch_until(self, step: dict[str, Any], end: float) -> None:
        assert self.watch
        seen = []
        while True:
            try:
                change = await asyncio.wait_for(anext(self.watch), max(end - time.monotonic(), 0.001))
            except (TimeoutError, asyncio.TimeoutError):
                raise Difference(f"no such change came, but {seen}") from None
            try:
                return fields(of_change(change, step["expect"]), step["expect"])
            except Difference as difference:
                seen.append(str(difference))


async def play(name: str) -> str:
    """Returns what differs; nothing if all is as the table says."""
    world = await asyncio.to_thread(World, name)
    scenario = Scenario(world)
    try:
        for number, step in enumerate(world.steps, 1):
            try:
                await scenario.step(step)
            except (Difference, AssertionError) as difference:
                return f"{name}, step {number}: {difference}\n{step}"
        return ""
    finally:
        await scenario.client.shutdown()
        await asyncio.to_thread(world.__exit__, None, None, None)


@pytest.fixture(scope="module")
def played() -> dict[str, str]:
    async def all_of_them() -> dict[str, str]:
        turn = asyncio.Semaphore(AT_ONCE)

        async def one(name: str) -> tuple[str, str]:
            async with turn:
                return name, await play(name)

        return dict(await asyncio.gather(*map(one, scenario_names())))

    return run(all_of_them(), 280)


@pytest.mark.parametrize("name", scenario_names())
def test_a_scenario_shows_what_the_table_says(name: str, played: dict[str, str]) -> None:
    assert played[name] == ""
