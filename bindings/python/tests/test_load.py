"""A library that does not belong to the package is refused with one clear error."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import saldo
from saldo._load import check_version
from saldo._native import saldo_ffi

LIBRARY = {"darwin": "libsaldo_ffi.dylib", "win32": "saldo_ffi.dll"}.get(sys.platform, "libsaldo_ffi.so")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the installed package, to be broken."""
    shutil.copytree(Path(saldo.__file__).parent, tmp_path / "saldo", symlinks=False)
    return tmp_path / "saldo" / "_native"


def loaded(copy: Path) -> str:
    """Returns what importing the copy says at the end; nothing if it works."""
    script = f"import sys; sys.path.insert(0, {str(copy.parent.parent)!r}); import saldo; assert {str(copy.parent)!r} in saldo.__file__"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


def test_the_versions_of_package_library_and_crate_are_one() -> None:
    assert saldo.__version__ == saldo_ffi.library_version() == version("saldo-wallet")


def test_a_whole_package_loads(copy: Path) -> None:
    assert loaded(copy) == ""


def test_another_version_is_refused(copy: Path) -> None:
    (copy.parent / "_load.py").write_text((copy.parent / "_load.py").read_text().replace('VERSION = "', 'VERSION = "9.'))
    said = loaded(copy)
    assert said.startswith("saldo._load.LoadError: the native library has version 0.1.0"), said
    assert "saldo-wallet has version 9.0.1.0" in said and "pip install --force-reinstall saldo-wallet" in said
    with pytest.raises(saldo.LoadError):
        check_version("0.0.9")
    with pytest.raises(ImportError):
        check_version("")


def test_a_library_that_is_missing_or_none_is_refused(copy: Path) -> None:
    for content in (None, b"", b"no library"):
        (copy / LIBRARY).unlink()
        if content is not None:
            (copy / LIBRARY).write_bytes(content)
        said = loaded(copy)
        assert said.startswith("saldo._load.LoadError: the native library of saldo-wallet 0.1.0 cannot be loaded"), said
        if content is None:
            (copy / LIBRARY).write_bytes(b"")


def test_bindings_of_another_library_are_refused(copy: Path) -> None:
    bindings = copy / "saldo_ffi.py"
    whole = bindings.read_text()
    changed = re.sub(r"(_checksum_func_library_version\(\) != )\d+", r"\g<1>1", whole)
    assert changed != whole
    bindings.write_text(changed)
    assert loaded(copy).startswith("saldo._load.LoadError: the native library does not belong to saldo-wallet"), loaded(copy)
    bindings.write_text(whole.replace("uniffi_saldo_ffi_fn_func_library_version", "uniffi_saldo_ffi_fn_func_nothing"))
    assert loaded(copy).startswith("saldo._load.LoadError: the native library of saldo-wallet"), loaded(copy)
