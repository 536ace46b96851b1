"""The terminal sample shows each balance with its state and age, through an outage and a restart."""

from __future__ import annotations

import contextlib
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from drill import World

import saldo

SAMPLE = Path(__file__).parents[1] / "samples/terminal.py"
UNUSED = "0x00000000000000000000000000000000000000c3"


def network_file(world: World, folder: Path) -> Path:
    config = world.config
    assert config.checkpoint
    tables = "".join(
        f'[[{table}]]\nurl = "{endpoint.url}"\nname = "{endpoint.name}"\noperator = "{endpoint.operator}"\n'
        for table in ("rpc", "beacon")
        for endpoint in getattr(config, table)
    )
    path = folder / "network.toml"
    path.write_text(f'checkpoint = "{config.checkpoint.root}"\n{config.network}\n{tables}')
    return path


def hear_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextlib.contextmanager
def sample(*arguments: object) -> Iterator[queue.Queue[str]]:
    """Runs the sample until the end of the block, and yields its lines."""
    process = subprocess.Popen(
        [sys.executable, SAMPLE, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts what runs in the background with this signal ignored, and children inherit that.
        preexec_fn=hear_interrupts,
    )
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        assert process.stdout
        for line in process.stdout:
            lines.put(line.rstrip())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield lines
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        reader.join()
        assert process.stdout and process.stderr
        process.stdout.close()
        errors = process.stderr.read()
        process.stderr.close()
        assert errors == ""


def until(lines: queue.Queue[str], *patterns: str, seconds: float = 90) -> None:
    """Waits until each pattern has been in some line."""
    left, seen = set(patterns), []
    end = time.monotonic() + seconds
    while left:
        try:
            line = lines.get(timeout=max(end - time.monotonic(), 0.01))
        except queue.Empty:
            raise AssertionError(f"nothing like {left} in {seen}") from None
        seen.append(line)
        left = {pattern for pattern in left if not re.search(pattern, line)}


def test_balances_are_shown_through_an_outage_and_a_restart(tmp_path: Path) -> None:
    with World("all_unreachable") as world:
        given = ("--network", network_file(world, tmp_path), "--storage", tmp_path / "saldo.bin", "--max-age", 20, world.owner, UNUSED)
        amount = r"1\.5 at block \d+, \d+ s old"
        own, unused = world.owner[:8], UNUSED[:8]
        with sample(*given) as lines:
            until(lines, f"{own}.*proven +{amount}", rf"{unused}.*proven +0 at block \d+, \d+ s old")
            world.happen("1h")
            until(lines, rf"{own}.*not known +{amount}; no provider could be reached\.", rf"{unused}.*not known +0 at block")
        with sample(*given) as lines:
            until(lines, rf"{own}.*remembered +1\.5 at block", rf"{unused}.*remembered +0 at block")
            until(lines, rf"{own}.*not known +1\.5 at block")


def test_there_is_a_preview_of_each_sample() -> None:
    done = subprocess.run([sys.executable, SAMPLE, "--previews"], capture_output=True, text=True, check=True)
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert set(lines) == {sample.name for sample in saldo.samples()}
    assert re.search(r"proven +0 at block 1000, 24 s old", lines["proven_zero"])
    assert "no amount is known" in lines["provisional_not_shown"] and " 0 " not in lines["provisional_not_shown"]
    assert "of unknown age" in lines["unknown_age"]


def test_the_sample_is_short() -> None:
    assert len(SAMPLE.read_text().splitlines()) < 80

