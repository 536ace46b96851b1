"""Child processes in process groups of their own, so that exactly these can be stopped again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

STOP_SECONDS = 5.0
Command = Sequence[str | Path]


class Failed(Exception):
    """A started process did not do its work."""


class Process:
    """A running child and all processes that it starts."""

    def __init__(
        self,
        name: str,
        command: Command,
        log: Path,
        directory: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self._child = subprocess.Popen(
                [str(word) for word in command],
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The number of the process, and of its group."""
        return self._child.pid

    def demand_running(self) -> None:
        """Raises `Failed` if the process has ended by itself."""
        status = self._child.poll()
        if status is not None:
            raise Failed(f"{self.name} ended with status {status}\n{tail(self.log)}")

    def wait(self, seconds: float) -> int:
        """Waits for the end of the process and returns its status; stops it when it takes too long."""
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} took more than {seconds:.0f} s\n{tail(self.log)}") from None
        finally:
            self.stop()

    def send_signal(self, number: signal.Signals) -> None:
        """Sends a signal to the whole group."""
        self._signal(number)

    def pause(self) -> None:
        """Makes the process hang: its ports stay open and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Ends a pause."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """Stops the whole group, politely first."""
        self._signal(signal.SIGTERM)
        # A paused process would receive the signal only after the pause.
        self._signal(signal.SIGCONT)
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(STOP_SECONDS)
        # Also if the child has ended: processes that it started may still run.
        self._signal(signal.SIGKILL)
        self._child.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, number)


def run(name: str, command: Command, log: Path, seconds: float, directory: Path | None = None) -> None:
    """Runs a command to its end; raises `Failed` with the end of its log if it fails."""
    status = Process(name, command, log, directory).wait(seconds)
    if status != 0:
        raise Failed(f"{name} ended with status {status}\n{tail(log)}")


def wait_until(
    what: str, condition: Callable[[], bool], seconds: float, processes: Sequence[Process] = ()
) -> None:
    """Waits for a condition that the given processes bring about."""
    deadline = time.monotonic() + seconds
    while not condition():
        for process in processes:
            process.demand_running()
        if time.monotonic() > deadline:
            raise Failed(f"no {what} within {seconds:.0f} s")
        time.sleep(0.1)


def tail(log: Path, lines: int = 15) -> str:
    """The end of a log, indented."""
    return "\n".join(f"    {line}" for line in log.read_text(errors="replace").splitlines()[-lines:])
