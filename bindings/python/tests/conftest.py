"""What all tests share: a limit of time, and the drill server of the table of scenarios."""

from __future__ import annotations

import faulthandler
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

LONGEST_SECONDS = 300


@pytest.fixture(autouse=True)
def limit() -> Iterator[None]:
    """A test that hangs ends the run, and shows where each thread is."""
    faulthandler.dump_traceback_later(LONGEST_SECONDS, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()
