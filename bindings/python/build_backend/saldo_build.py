"""Builds the wheel by maturin, with the generator of the bindings that the workspace pins.

maturin calls a command `uniffi-bindgen`. The one on PyPI has other versions than the library, so this puts the workspace's own
first in PATH for the time of the build. After the bindings are generated, nothing needs the symbols of the library any more.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import maturin

_ROOT = Path(__file__).resolve().parents[3]

get_requires_for_build_wheel = maturin.get_requires_for_build_wheel
get_requires_for_build_editable = maturin.get_requires_for_build_editable
prepare_metadata_for_build_wheel = maturin.prepare_metadata_for_build_wheel
prepare_metadata_for_build_editable = maturin.prepare_metadata_for_build_editable


def build_wheel(*arguments: Any, **named: Any) -> Any:
    with _generator_in_path():
        return maturin.build_wheel(*arguments, **named)


def build_editable(*arguments: Any, **named: Any) -> Any:
    with _generator_in_path():
        return maturin.build_editable(*arguments, **named)


def build_sdist(*_: Any, **__: Any) -> Any:
    raise RuntimeError("there is no source distribution: build the wheel from a checkout of the repository")


_GENERATOR = """#!/bin/sh
set -e
cargo run --quiet --locked --manifest-path {manifest} --package saldo-ffi-bindgen -- "$@"
for library in "$@"; do :; done
if command -v strip >/dev/null; then
    # A new file: the old one may be the same file as the one that cargo made.
    strip -x -o "$library.stripped" "$library"
    mv "$library.stripped" "$library"
fi
"""


@contextlib.contextmanager
def _generator_in_path() -> Iterator[None]:
    before = os.environ.get("PATH", "")
    manifest = shlex.quote(str(_ROOT / "Cargo.toml"))
    with tempfile.TemporaryDirectory() as folder:
        command = Path(folder, "uniffi-bindgen")
        command.write_text(_GENERATOR.format(manifest=manifest))
        command.chmod(0o755)
        os.environ["PATH"] = f"{folder}{os.pathsep}{before}"
        try:
            yield
        finally:
            os.environ["PATH"] = before
