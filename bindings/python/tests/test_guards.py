"""Whatever the app's code raises, returns or fails to return, the library gets its answer, and the reading says what is known."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from drill import OWNED, SwitchedTransport, World, run

import saldo
from saldo._guard import GuardedLog, GuardedStorage, GuardedTransport
from saldo._load import native

REQUEST = native.HttpRequest(
    method="GET", url="http://key@secret.test/KEY", headers=[], body=b"", timeout_ms=1000, max_bytes=10
)
CHANGES = [native.StorageChange(name="a", value=b"1")]


class Odd(BaseException):
    """Is no ``Exception``."""


def raises(raised: BaseException) -> Callable[..., Any]:
    async def code(*_: Any) -> Any:
        raise raised

    return code


def returns(value: Any) -> Callable[..., Any]:
    async def code(*_: Any) -> Any:
        return value

    return code


class App:
    """An app's part whose methods all do the same."""

    def __init__(self, code: Callable[..., Any]) -> None:
        self.send = self.load = self.apply = self.write = code


CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "send": lambda app, loop: GuardedTransport(app, loop).send(REQUEST),
    "load": lambda app, loop: GuardedStorage(app, loop).load(),
    "apply": lambda app, loop: GuardedStorage(app, loop).apply(CHANGES, 0),
    "write": lambda app, loop: GuardedLog(app, loop).write([native.LogLine(level="info", target="t", text="x")]),
}
FAILURES = {
    "send": native.TransportFailure,
    "load": native.StorageFailure,
    "apply": native.StorageFailure,
    "write": native.LogFailure,
}


def failure(name: str, code: Callable[..., Any]) -> Any:
    """Calls the app's code through its guard, as the library does: on another loop. Returns what the library is told."""

    async def call() -> Any:
        loop = asyncio.get_running_loop()
        guarded = CALLS[name](App(code), loop)
        try:
            answer = await asyncio.to_thread(asyncio.run, asyncio.wait_for(guarded, 5))
        except Exception as raised:
            return raised
        raise AssertionError(f"the library was told {answer}")

    return run(call(), 10)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (ValueError("http://key@secret.test/KEY"), "ValueError"),
        (ArithmeticError(), "ArithmeticError"),
        (MemoryError(), "MemoryError"),
        (RecursionError(), "RecursionError"),
        (StopAsyncIteration(), "StopAsyncIteration"),
        (TimeoutError(), "TimeoutError"),
        (Odd("http://key@secret.test/KEY"), "Odd"),
        (GeneratorExit(), "GeneratorExit"),
        (asyncio.CancelledError(), "cancelled by the app"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_every_kind_of_throw_is_an_answer_that_names_only_its_class(name: str, raised: BaseException, told: str) -> None:
    answer = failure(name, raises(raised))
    assert isinstance(answer, FAILURES[name].Unexpected), repr(answer)
    assert answer.detail == told


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_is_answered_first_and_then_goes_on(name: str, stop: type[BaseException]) -> None:
    loop = asyncio.new_event_loop()
    answers: list[Any] = []

    def library() -> None:
        try:
            asyncio.run(asyncio.wait_for(CALLS[name](App(raises(stop("now"))), loop), 5))
        except Exception as answer:
            answers.append(answer)

    try:
        with pytest.raises(stop):
            loop.run_until_complete(asyncio.wait_for(asyncio.to_thread(library), 10))
        # The app's loop stands still from here on, and the library has its answer all the same.
        end = time.monotonic() + 5
        while not answers and time.monotonic() < end:
            time.sleep(0.01)
        [answer] = answers
        assert isinstance(answer, FAILURES[name].Unexpected) and answer.detail == stop.__name__
    finally:
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def test_a_class_derived_from_one_of_the_package_is_the_apps_code() -> None:
    class Derived(saldo.StandardTransport):
        async def send(self, request: saldo.HttpRequest) -> saldo.HttpResponse:
            raise asyncio.CancelledError

    async def call() -> None:
        guarded = GuardedTransport(Derived(), asyncio.get_running_loop()).send(REQUEST)
        with pytest.raises(native.TransportFailure.Unexpected) as answer:
            await asyncio.to_thread(asyncio.run, asyncio.wait_for(guarded, 5))
        assert answer.value.detail == "cancelled by the app"

    run(call(), 10)


@pytest.mark.parametrize("name", CALLS)
def test_code_that_is_not_async_is_an_answer(name: str) -> None:
    answer = failure(name, lambda *_: None)
    assert isinstance(answer, FAILURES[name].Unexpected) and answer.detail == "TypeError"

    def throws(*_: Any) -> Any:
        raise Odd

    answer = failure(name, throws)
    assert isinstance(answer, FAILURES[name].Unexpected) and answer.detail == "Odd"


@pytest.mark.parametrize("name", CALLS)
def test_a_loop_that_is_closed_is_an_answer(name: str) -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    with pytest.raises(FAILURES[name].Unexpected) as answer:
        asyncio.run(asyncio.wait_for(CALLS[name](App(returns(None)), loop), 5))
    assert answer.value.detail == "the app's event loop is closed"


@pytest.mark.parametrize(
    "response",
    [
        None,
        b"body",
        (200, (), b""),
        saldo.HttpResponse(status=65_536, headers=(), body=b""),
        saldo.HttpResponse(status=-1, headers=(), body=b""),
        saldo.HttpResponse(status=True, headers=(), body=b""),
        saldo.HttpResponse(status="200", headers=(), body=b""),  # type: ignore[arg-type]
        saldo.HttpResponse(status=200, headers=(), body="text"),  # type: ignore[arg-type]
        saldo.HttpResponse(status=200, headers=(), body=[1]),  # type: ignore[arg-type]
        saldo.HttpResponse(status=200, headers=None, body=b""),  # type: ignore[arg-type]
        saldo.HttpResponse(status=200, headers=[("a",)], body=b""),  # type: ignore[list-item]
        saldo.HttpResponse(status=200, headers=[("a", 1)], body=b""),  # type: ignore[list-item]
        saldo.HttpResponse(status=200, headers=[("a", "\ud800")], body=b""),
    ],
)
def test_a_wrong_response_is_an_unexpected_failure(response: Any) -> None:
    assert isinstance(failure("send", returns(response)), native.TransportFailure.Unexpected)


def test_a_body_beyond_the_limit_is_too_large() -> None:
    response = saldo.HttpResponse(status=200, headers=(), body=b"x" * 11)
    assert isinstance(failure("send", returns(response)), native.TransportFailure.TooLarge)


@pytest.mark.parametrize(
    "snapshot",
    [
        None,
        {},
        saldo.StorageSnapshot(entries={}, version=-1),
        saldo.StorageSnapshot(entries={}, version=2**64),
        saldo.StorageSnapshot(entries={}, version=1.0),  # type: ignore[arg-type]
        saldo.StorageSnapshot(entries={"a": "text"}, version=1),  # type: ignore[dict-item]
        saldo.StorageSnapshot(entries={1: b""}, version=1),  # type: ignore[dict-item]
        saldo.StorageSnapshot(entries=[("a", b"")], version=1),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_snapshot_is_an_unexpected_failure(snapshot: Any) -> None:
    assert isinstance(failure("load", returns(snapshot)), native.StorageFailure.Unexpected)


@pytest.mark.parametrize(
    "ack",
    [
        None,
        7,
        saldo.StorageAck(version=2**64, written=1, checksum=0),
        saldo.StorageAck(version=1, written=2**32, checksum=0),
        saldo.StorageAck(version=1, written=1, checksum=-1),
        saldo.StorageAck(version=1, written="1", checksum=0),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_acknowledgement_is_an_unexpected_failure(ack: Any) -> None:
    assert isinstance(failure("apply", returns(ack)), native.StorageFailure.Unexpected)


@pytest.mark.parametrize("kind", saldo.FailureKind)
def test_every_transport_failure_arrives_under_its_own_name(kind: saldo.FailureKind) -> None:
    answer = failure("send", raises(saldo.TransportFailure(kind, status=302, detail="why")))
    assert type(answer).__name__.rpartition(".")[2].lower() == kind.value.replace("_", "")
    if kind is saldo.FailureKind.REDIRECT:
        assert answer.status == 302
    if kind is saldo.FailureKind.UNEXPECTED:
        assert answer.detail == "why"


@pytest.mark.parametrize("kind", saldo.StorageFailureKind)
def test_every_storage_failure_arrives_under_its_own_name(kind: saldo.StorageFailureKind) -> None:
    for name in ("load", "apply"):
        answer = failure(name, raises(saldo.StorageFailure(kind, "why")))
        assert type(answer).__name__.rpartition(".")[2].lower() == kind.value.replace("_", "")


def test_a_failure_of_the_other_kind_is_unexpected() -> None:
    storage = saldo.StorageFailure(saldo.StorageFailureKind.FULL)
    assert isinstance(failure("send", raises(storage)), native.TransportFailure.Unexpected)
    transport = saldo.TransportFailure(saldo.FailureKind.DNS)
    assert isinstance(failure("load", raises(transport)), native.StorageFailure.Unexpected)


def test_the_library_has_no_failure_without_a_name_here() -> None:
    for kinds, failures in [
        (saldo.FailureKind, native.TransportFailure),
        (saldo.StorageFailureKind, native.StorageFailure),
    ]:
        there = {name.lower() for name, value in vars(failures).items() if isinstance(value, type)}
        assert there == {kind.value.replace("_", "") for kind in kinds}


class Throwing(SwitchedTransport):
    """An HTTP stack that raises this for the first provider's requests, and sends the others."""

    def __init__(self, raised: BaseException | None, broken: str) -> None:
        super().__init__()
        self.raised = raised
        self.broken = broken

    async def send(self, request: saldo.HttpRequest) -> saldo.HttpResponse:
        if not request.url.startswith(self.broken):
            return await super().send(request)
        if self.raised is None:
            await asyncio.Event().wait()
        raise self.raised or AssertionError


@pytest.mark.parametrize(
    "raised", [ValueError(), MemoryError(), asyncio.CancelledError(), Odd(), GeneratorExit(), None], ids=repr
)
def test_a_read_is_proven_beside_an_http_stack_that_breaks_for_one_provider(raised: BaseException | None) -> None:
    async def read(world: World) -> saldo.Reading:
        http = Throwing(raised, world.config.rpc[0].url)
        async with saldo.Client(world.config, transport=http) as client:
            [reading] = await client.read_patiently([client.native(world.owner)], 8_000)
            return reading

    with World("proven") as world:
        reading = run(read(world), 20)
    assert isinstance(reading, saldo.Proven) and reading.amount == OWNED
    outcomes = [(attempt.outcome, attempt.took_ms) for attempt in reading.attempts]
    if raised is not None:
        # The library was answered at once. It did not wait until its own deadline.
        assert all(took < 2_000 for _, took in outcomes), outcomes


class Storage:
    """A storage whose methods do this."""

    def __init__(self, code: Callable[..., Any]) -> None:
        self.code = code

    async def load(self) -> saldo.StorageSnapshot:
        return saldo.StorageSnapshot(entries={}, version=0)

    async def apply(self, changes: Sequence[saldo.StorageChange], expected_version: int) -> saldo.StorageAck:
        ack: saldo.StorageAck = await self.code(changes, expected_version)
        return ack


def wrong_count(changes: Sequence[saldo.StorageChange], version: int) -> saldo.StorageAck:
    return saldo.StorageAck.of([(change.name, change.value) for change in changes[1:]], version + 1)


def wrong_byte(changes: Sequence[saldo.StorageChange], version: int) -> saldo.StorageAck:
    return saldo.StorageAck.of([(change.name, (change.value or b"") + b"x") for change in changes], version + 1)


def same_version(changes: Sequence[saldo.StorageChange], version: int) -> saldo.StorageAck:
    return saldo.StorageAck.of([(change.name, change.value) for change in changes], version)


@pytest.mark.parametrize("answer", [wrong_count, wrong_byte, same_version, None, Odd(), asyncio.CancelledError()])
def test_a_write_that_is_not_what_was_asked_for_is_noticed(answer: Any) -> None:
    async def code(changes: Sequence[saldo.StorageChange], version: int) -> Any:
        if isinstance(answer, BaseException):
            raise answer
        return answer and answer(changes, version)

    async def faults(world: World) -> set[str]:
        async with saldo.Client(world.config, storage=Storage(code)) as client:
            [reading] = await client.read_patiently([client.native(world.owner)], 8_000)
            assert isinstance(reading, saldo.Proven)
            return {fault.code for fault in await client.storage_faults()}

    with World("proven") as world:
        assert "unwritten" in run(faults(world), 20)


def test_the_wrong_answers_above_differ_from_a_right_one() -> None:
    changes = [saldo.StorageChange(name="a", value=b"1"), saldo.StorageChange(name="b", value=None)]
    right = native.StorageAck(version=1, written=2, checksum=ord("a") + ord("1") + ord("b"))
    own = saldo.StorageAck.of([(change.name, change.value) for change in changes], 1)
    assert (own.version, own.written, own.checksum) == (right.version, right.written, right.checksum)


def test_the_app_hears_nothing_of_the_library_on_its_error_output(capfd: pytest.CaptureFixture[str]) -> None:
    test_a_read_is_proven_beside_an_http_stack_that_breaks_for_one_provider(Odd())
    assert capfd.readouterr().err == "", sys.version


def test_a_logger_gets_the_lines_and_they_name_no_url(caplog: pytest.LogCaptureFixture) -> None:
    async def read(world: World) -> None:
        async with saldo.Client(world.config, log=logging.getLogger("app.saldo")) as client:
            [reading] = await client.read_patiently([client.native(world.owner)], 8_000)
            assert isinstance(reading, saldo.Proven)
            end = time.monotonic() + 5
            while not caplog.records and time.monotonic() < end:
                await asyncio.sleep(0.01)

    caplog.set_level(1)
    with World("proven") as world:
        run(read(world))
    lines = [record.getMessage() for record in caplog.records if record.name == "app.saldo"]
    assert lines and all("http" not in line and world.owner.lower()[2:] not in line.lower() for line in lines), lines


@pytest.mark.parametrize("raised", [ValueError(), Odd(), asyncio.CancelledError(), None], ids=repr)
def test_a_log_that_breaks_stops_nothing(raised: BaseException | None) -> None:
    taken: list[int] = []

    class Log:
        async def write(self, lines: Sequence[saldo.LogLine]) -> None:
            taken.append(len(lines))
            if raised is None:
                await asyncio.Event().wait()
            raise raised or AssertionError

    async def read(world: World) -> None:
        async with saldo.Client(world.config, log=Log()) as client:
            [reading] = await client.read_patiently([client.native(world.owner)], 8_000)
            assert isinstance(reading, saldo.Proven)

    with World("proven") as world:
        run(read(world))
    assert taken
