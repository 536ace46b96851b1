"""The encoding of Ethereum (RLP), and words of 32 bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Union

Item = Union[bytes, int, Sequence["Item"]]


def encoded(item: Item) -> bytes:
    """The encoding of bytes, of a number, or of a list."""
    if isinstance(item, (bytes, int)):
        data = item if isinstance(item, bytes) else item.to_bytes((item.bit_length() + 7) // 8, "big")
        return data if len(data) == 1 and data[0] < 0x80 else _head(len(data), 0x80) + data
    body = b"".join(map(encoded, item))
    return _head(len(body), 0xC0) + body


def word(number: int) -> bytes:
    """A number as a word."""
    return number.to_bytes(32, "big")


def _head(length: int, first: int) -> bytes:
    if length < 56:
        return bytes([first + length])
    size = (length.bit_length() + 7) // 8
    return bytes([first + 55 + size]) + length.to_bytes(size, "big")
