"""What stands between the library and the app's code.

The bindings answer the library only after an ``Exception``. After a ``CancelledError``, ``KeyboardInterrupt`` or ``SystemExit``
of the app's code, or a result of a wrong type, the library would wait until its deadline. So every call of the app's code ends
here: with a checked result, or with a failure that has a name.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from ._load import native
from .log import LogLine, LogSink
from .storage import Storage, StorageAck, StorageChange, StorageFailure, StorageSnapshot
from .transport import HttpRequest, HttpResponse, HttpTransport, TransportFailure

T = TypeVar("T")


class Here:
    """What this package brings itself. It is called on the thread of the library, and raises nothing odd."""

    def begin(self) -> None:
        """A client begins to use it."""

    async def end(self) -> None:
        """A client ends its use. After the last one, its threads have ended."""


class Caller:
    """Calls the app's code on the app's event loop."""

    def __init__(self, app: object, loop: asyncio.AbstractEventLoop | None) -> None:
        # A class that an app derives from one of this package is the app's code.
        is_own = isinstance(app, Here) and type(app).__module__.startswith(f"{__package__}.")
        if loop is None and not is_own:
            raise RuntimeError(
                f"{type(app).__name__} needs an event loop: make the client in a coroutine, for example inside asyncio.run"
            )
        self._loop = None if is_own else loop

    async def __call__(self, make: Callable[[], Coroutine[Any, Any, T]], *, may_cancel: bool = True) -> T:
        """Returns the result of the app's code, or raises what it raised as an ``Exception``.

        Raises ``CancelledError`` only if the library itself has dropped the call.
        """
        if self._loop is None:
            return await make()
        answer: concurrent.futures.Future[T] = concurrent.futures.Future()
        call = _contained(make, answer)
        try:
            task = asyncio.run_coroutine_threadsafe(call, self._loop)
        except RuntimeError:
            call.close()
            raise _Raised("the app's event loop is closed") from None
        # For a task that ends before it began: the app's loop is ending.
        task.add_done_callback(lambda _: answer.cancel())
        waiting = asyncio.wrap_future(answer)
        try:
            # `wait` itself never raises what it waits for. So a `CancelledError` here is the library's.
            await asyncio.wait((waiting,))
        except asyncio.CancelledError:
            if may_cancel:
                task.cancel()
            raise
        if waiting.cancelled():
            raise _Raised("cancelled by the app")
        return waiting.result()


class _Raised(Exception):
    """What the app's code raised, by the name of its class. Its text is not taken: it may hold a URL."""


async def _contained(make: Callable[[], Coroutine[Any, Any, T]], answer: concurrent.futures.Future[T]) -> None:
    """Gives the library its answer first. An interrupt then goes on to the code that runs the loop, as from any other task."""
    try:
        result = await make()
    except Exception as raised:
        _fail(answer, raised)
    except (KeyboardInterrupt, SystemExit) as stop:
        _fail(answer, _Raised(type(stop).__name__))
        raise
    except asyncio.CancelledError:
        # If the library has cancelled the task, no call waits for this answer.
        _fail(answer, _Raised("cancelled by the app"))
        raise
    except BaseException as other:
        _fail(answer, _Raised(type(other).__name__))
    else:
        if answer.set_running_or_notify_cancel():
            answer.set_result(result)


def _fail(answer: concurrent.futures.Future[Any], raised: Exception) -> None:
    if answer.set_running_or_notify_cancel():
        answer.set_exception(raised)


def _detail(raised: BaseException) -> str:
    return str(raised) if isinstance(raised, _Raised) else type(raised).__name__


def _whole(value: object, bits: int) -> int:
    if type(value) is not int or not 0 <= value < 2**bits:
        raise _Raised(f"not a number of {bits} bits")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _Raised("not a text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _Raised("not a text") from None
    return str(value)


def _bytes(value: object) -> bytes:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise _Raised("no bytes")
    return bytes(value)


def _native_failure(failure: Any, raised: BaseException) -> Exception:
    """Returns what the app's code raised, as the library's failure of the type ``failure``."""
    result: Exception
    if isinstance(raised, TransportFailure) and failure is native.TransportFailure:
        name = "".join(part.capitalize() for part in raised.kind.name.split("_"))
        if name == "Redirect":
            result = failure.Redirect(status=raised.status if 0 <= raised.status < 2**16 else 0)
        elif name == "Unexpected":
            result = failure.Unexpected(detail=str(raised.detail))
        else:
            result = getattr(failure, name)()
        return result
    if isinstance(raised, StorageFailure) and failure is native.StorageFailure:
        name = "".join(part.capitalize() for part in raised.kind.name.split("_"))
        result = failure.Unexpected(detail=str(raised.detail)) if name == "Unexpected" else getattr(failure, name)()
        return result
    result = failure.Unexpected(detail=_detail(raised))
    return result


class GuardedTransport(native.HttpTransport):  # type: ignore[misc]
    """The app's transport, as the library calls it."""

    def __init__(self, app: HttpTransport, loop: asyncio.AbstractEventLoop | None) -> None:
        self._app = app
        self._call = Caller(app, loop)

    async def send(self, request: Any) -> Any:
        try:
            given = HttpRequest(
                method=request.method,
                url=request.url,
                headers=tuple((header.name, header.value) for header in request.headers),
                body=request.body,
                timeout_ms=request.timeout_ms,
                max_bytes=request.max_bytes,
            )
            response = await self._call(lambda: self._app.send(given))
            if not isinstance(response, HttpResponse):
                raise _Raised("no HttpResponse")
            body = _bytes(response.body)
            if len(body) > given.max_bytes:
                raise native.TransportFailure.TooLarge()
            return native.HttpResponse(
                status=_whole(response.status, 16),
                headers=[native.HttpHeader(name=_text(name), value=_text(value)) for name, value in response.headers],
                body=body,
            )
        except (asyncio.CancelledError, native.TransportFailure):
            raise
        except BaseException as raised:
            raise _native_failure(native.TransportFailure, raised) from None


class GuardedStorage(native.Storage):  # type: ignore[misc]
    """The app's storage, as the library calls it."""

    def __init__(self, app: Storage, loop: asyncio.AbstractEventLoop | None) -> None:
        self._app = app
        self._call = Caller(app, loop)

    async def load(self) -> Any:
        try:
            snapshot = await self._call(self._app.load)
            if not isinstance(snapshot, StorageSnapshot):
                raise _Raised("no StorageSnapshot")
            return native.StorageSnapshot(
                entries=[
                    native.StorageEntry(name=_text(name), value=_bytes(value))
                    for name, value in snapshot.entries.items()
                ],
                version=_whole(snapshot.version, 64),
            )
        except asyncio.CancelledError:
            raise
        except BaseException as raised:
            raise _native_failure(native.StorageFailure, raised) from None

    async def apply(self, changes: Any, expected_version: int) -> Any:
        try:
            given = tuple(StorageChange(name=change.name, value=change.value) for change in changes)
            ack = await self._call(lambda: self._app.apply(given, expected_version), may_cancel=False)
            if not isinstance(ack, StorageAck):
                raise _Raised("no StorageAck")
            return native.StorageAck(
                version=_whole(ack.version, 64), written=_whole(ack.written, 32), checksum=_whole(ack.checksum, 32)
            )
        except asyncio.CancelledError:
            raise
        except BaseException as raised:
            raise _native_failure(native.StorageFailure, raised) from None


class GuardedLog(native.LogSink):  # type: ignore[misc]
    """The app's log, as the library calls it."""

    def __init__(self, app: LogSink, loop: asyncio.AbstractEventLoop | None) -> None:
        self._app = app
        self._call = Caller(app, loop)

    async def write(self, lines: Any) -> None:
        try:
            given = tuple(LogLine(level=line.level, target=line.target, text=line.text) for line in lines)
            await self._call(lambda: self._app.write(given))
        except asyncio.CancelledError:
            raise
        except BaseException as raised:
            raise _native_failure(native.LogFailure, raised) from None


class LoggerSink(Here):
    """Writes the lines to a ``logging.Logger``."""

    _LEVELS = {"error": logging.ERROR, "warn": logging.WARNING, "info": logging.INFO, "debug": logging.DEBUG}

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    async def write(self, lines: Sequence[LogLine]) -> None:
        for line in lines:
            self._logger.log(self._LEVELS.get(line.level, 5), "%s: %s", line.target, line.text)
