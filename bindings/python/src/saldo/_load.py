"""Loads the native library, and compares its version with that of this package."""

from __future__ import annotations

from typing import Any

VERSION = "0.1.0"
"""The version of this package, which is that of the library inside it."""


class LoadError(ImportError):
    """The native library cannot be used. The text says why, and what to do."""


def _load() -> Any:
    again = "Install it again: pip install --force-reinstall saldo-wallet"
    try:
        from ._native import saldo_ffi

        # A checksum of each function's signature. The bindings define this check and do not call it.
        saldo_ffi._uniffi_check_api_checksums(saldo_ffi._UniffiLib)
    except (ImportError, OSError, AttributeError) as error:
        # An AttributeError: the library lacks a function that the bindings expect.
        raise LoadError(f"the native library of saldo-wallet {VERSION} cannot be loaded: {error}. {again}") from error
    except Exception as error:
        # The bindings' own class, which cannot be imported if they cannot.
        if type(error).__name__ != "InternalError":
            raise
        raise LoadError(f"the native library does not belong to saldo-wallet {VERSION}: {error}. {again}") from error
    check_version(saldo_ffi.library_version())
    return saldo_ffi


def check_version(library: str) -> None:
    """Raises :class:`LoadError` if the library has another version than this package."""
    if library != VERSION:
        raise LoadError(
            f"the native library has version {library}, and the Python code of saldo-wallet has version {VERSION}. "
            "Install it again: pip install --force-reinstall saldo-wallet"
        )


native = _load()
