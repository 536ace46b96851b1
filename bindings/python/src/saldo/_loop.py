"""The thread on which the native library is called, and from which it calls the app's code.

The bindings know one event loop for the whole process. This is that loop, so that clients work on any number of the app's
loops, and no app's loop waits while a reading is converted. The thread runs while a client is open.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextvars import Context
from typing import Any, TypeVar

from ._load import native

T = TypeVar("T")


class _Loop(asyncio.SelectorEventLoop):
    """Takes ``call_soon`` from any thread: the bindings cancel a call from a thread of the library.

    After its end it drops what the library still reports, because nothing waits for it.
    """

    runner: int | None = None

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        if self.runner in (None, threading.get_ident()) and not self.is_closed():
            return super().call_soon(callback, *args, context=context)
        return self.call_soon_threadsafe(callback, *args, context=context)

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        try:
            return super().call_soon_threadsafe(callback, *args, context=context)
        except RuntimeError:
            return asyncio.Handle(callback, args, self, context)


class _Runner:
    """One thread with one loop."""

    def __init__(self) -> None:
        self.loop = _Loop()
        self.ended: concurrent.futures.Future[None] = concurrent.futures.Future()
        # A daemon, so that an app that forgets `shutdown` can end. `_end_all` ends it in time then.
        self.thread = threading.Thread(target=self._run, name="saldo-calls", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        loop = self.loop
        loop.runner = threading.get_ident()
        try:
            loop.run_forever()
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            if tasks:
                loop.run_until_complete(asyncio.wait(tasks, timeout=1))
        finally:
            loop.runner = None
            loop.close()
            self.ended.set_result(None)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)


_lock = threading.RLock()
_runner: _Runner | None = None
_users = 0
_at_exit: list[Callable[[], None]] = []


class Lease:
    """Keeps the thread running until it is released."""

    def __init__(self) -> None:
        global _runner, _users
        with _lock:
            if _runner is None:
                _runner = _Runner()
                native.uniffi_set_event_loop(_runner.loop)
            _users += 1
            self._runner = _runner
        self._is_released = False

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return self._runner.loop

    def release(self) -> _Runner | None:
        """Lets the thread end. Returns it if no other client needs it. A second call does nothing."""
        global _runner, _users
        with _lock:
            if self._is_released:
                return None
            self._is_released = True
            _users -= 1
            if _users > 0:
                return None
            _runner = None
        self._runner.stop()
        return self._runner

    async def release_and_wait(self) -> None:
        """Lets the thread end, and waits until it has ended if no other client needs it."""
        runner = self.release()
        if runner is not None:
            await asyncio.wrap_future(runner.ended)
            runner.thread.join()


@contextlib.contextmanager
def leased() -> Iterator[Lease]:
    """Keeps the thread running for one call."""
    lease = Lease()
    try:
        yield lease
    finally:
        lease.release()


async def call(make: Callable[[], Awaitable[T]]) -> T:
    """Runs ``make`` on the thread and waits for its result. Cancelling this cancels it there."""

    async def run() -> T:
        return await make()

    with leased() as lease:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(run(), lease.loop))


def at_exit(end: Callable[[], None]) -> Callable[[], None]:
    """Calls ``end`` before the interpreter ends, while its threads still run. Returns what takes that back."""
    with _lock:
        _at_exit.append(end)

    def forget() -> None:
        with _lock, contextlib.suppress(ValueError):
            _at_exit.remove(end)

    return forget


@atexit.register
def _end_all() -> None:
    # Later, a thread of the library that calls Python would end in the middle of Rust code.
    with _lock:
        ends = list(_at_exit)
    for end in ends:
        end()
