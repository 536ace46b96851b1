"""Random contracts with a `balanceOf`, as bytecode. The same seed gives the same contracts.

What they compute depends on the holder, on storage, on the block, and on other contracts: also on calls that fail. They follow
the stack, so that most of them return something.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from random import Random

from keccak import keccak256

HOLDER = "0x00c8cccccccccccccccccccccccccccccccccccc"
# Contracts are at this address and the following ones.
FIRST_ADDRESS = 0x70CE << 144
SLOTS, MEMORY_MASK, RANKS = 6, 0xFF, 4
DEEPEST, LONGEST = 4, 7
WORD = 1 << 256

# Contracts that read neither gas nor fees, and then those that do.
PLAIN, WITH_LIMITS = 500, 60

UNARY = (0x15, 0x19, 0x1E)
BINARY = (0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0B, 0x10, 0x11, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1A, 0x1B, 0x1C, 0x1D)
TERNARY = (0x08, 0x09)
# Address, origin, caller, value, sizes of call data, code and return data, coinbase, time, number, randomness, chain id, own
# balance, place in the code, size of memory.
SURROUNDINGS = (0x30, 0x32, 0x33, 0x34, 0x36, 0x38, 0x3D, 0x41, 0x42, 0x43, 0x44, 0x46, 0x47, 0x58, 0x59)
# Price of gas, limit of gas, base fee, base fee of blobs, gas left. A call by JSON-RPC may change them.
LIMITS = (0x3A, 0x45, 0x48, 0x4A, 0x5A)
# Where calls have their data and their result in memory.
DATA, RESULT = 0x200, 0x2C0
CALL, CALLCODE, DELEGATECALL, STATICCALL = 0xF1, 0xF2, 0xF4, 0xFA
CALLS_WITH_VALUE = (CALL, CALLCODE)
# Recovery of a signer, SHA-256, RIPEMD-160, identity, modular exponentiation, and the two additions on curves.
PRECOMPILES = (1, 2, 3, 4, 5, 6, 0x0B)
BALANCE_OF = bytes.fromhex("70a08231")


@dataclass(frozen=True)
class Program:
    """A contract of the genesis block."""

    address: str
    code: bytes
    storage: dict[int, int]
    balance: int
    # Whether it reads what a call by JSON-RPC may change, or makes contracts, which saldo refuses.
    reads_limits: bool

    def account(self) -> dict[str, object]:
        """The contract as an entry of a genesis file."""
        storage = {f"0x{key:064x}": f"0x{value:064x}" for key, value in self.storage.items() if value}
        return {"balance": hex(self.balance), "nonce": "0x1", "code": f"0x{self.code.hex()}", "storage": storage}


def all_programs() -> list[Program]:
    """The contracts of this run. `TESTNET_SEED` chooses others."""
    seed = int(os.environ.get("TESTNET_SEED", "1"))
    plain = programs(seed, PLAIN, reads_limits=False)
    return plain + programs(seed, WITH_LIMITS, reads_limits=True, first=PLAIN)


def programs(seed: int, count: int, *, reads_limits: bool, first: int = 0) -> list[Program]:
    """That many contracts, from the position `first` on. Each may call some of those before it."""
    return [_program(Random(f"{seed} {place}"), place, reads_limits) for place in range(first, first + count)]


def balance_of(holder: str) -> str:
    """The call data of `balanceOf`."""
    return "0x" + (BALANCE_OF + bytes.fromhex(holder[2:]).rjust(32, b"\0")).hex()


def address_of(place: int) -> int:
    """The address of the contract at that position."""
    return FIRST_ADDRESS + place


def _program(rng: Random, place: int, reads_limits: bool) -> Program:
    writer = Writer(rng, place, reads_limits)
    for _ in range(rng.randint(1, LONGEST)):
        writer.statement()
    writer.end()
    storage = {slot: _number(rng) for slot in range(SLOTS)}
    for slot in range(SLOTS):
        key = keccak256(bytes.fromhex(HOLDER[2:]).rjust(32, b"\0") + slot.to_bytes(32, "big"))
        if rng.random() < 0.7:
            storage[int.from_bytes(key, "big")] = _number(rng)
    balance = rng.choice((0, 1, rng.getrandbits(70)))
    return Program(f"0x{address_of(place):040x}", bytes(writer.code), storage, balance, reads_limits)


def _number(rng: Random) -> int:
    kinds = (
        lambda: rng.randint(0, 40),
        lambda: rng.getrandbits(64),
        lambda: rng.getrandbits(256),
        lambda: 1 << rng.randrange(256),
        lambda: WORD - 1 - rng.randint(0, 3),
    )
    return rng.choice(kinds)()


class Writer:
    """Writes code. An expression leaves one word on the stack, a statement leaves none."""

    def __init__(self, rng: Random, place: int, reads_limits: bool) -> None:
        self.code = bytearray()
        self._rng = rng
        # A contract calls only such of a lower rank, so that calls end.
        self._callees = [other for other in range(place) if other % RANKS < place % RANKS]
        self._reads_limits = reads_limits

    def statement(self, depth: int = 0) -> None:
        """Something that changes memory, storage or the way through the code."""
        kinds = [
            self._store_in_memory, self._store_in_memory, self._store_byte, self._copy, self._write, self._log,
            lambda: self._branch(depth), lambda: self._branch(depth), lambda: self._repeat(depth),
            self._keep_result,
        ]
        if self._reads_limits:
            kinds.append(self._create)
        self._rng.choice(kinds)()

    def end(self) -> None:
        """The end of the contract: mostly one word is returned."""
        kind = self._rng.random()
        self.expression()
        self._number(0)
        self._op(0x52)
        if kind < 0.9:
            self._number(self._rng.choice((32, 32, 32, 64)))
            self._number(0)
            self._op(0xF3)
        elif kind < 0.93:
            self._number(self._rng.choice((0, 4, 31)))
            self._number(0)
            self._op(0xF3)
        elif kind < 0.97:
            self._number(32)
            self._number(0)
            self._op(0xFD)
        else:
            self._op(self._rng.choice((0x00, 0xFE, 0x0C, 0x50)))

    def expression(self, depth: int = 0) -> None:
        """Leaves one word on the stack."""
        if depth >= DEEPEST:
            return self._leaf()
        deeper = depth + 1
        kind = self._rng.random()
        if kind < 0.22:
            self._leaf()
        elif kind < 0.30:
            self.expression(deeper)
            self._op(self._rng.choice(UNARY))
        elif kind < 0.55:
            self.expression(deeper)
            self.expression(deeper)
            self._op(self._rng.choice(BINARY))
        elif kind < 0.58:
            for _ in range(3):
                self.expression(deeper)
            self._op(self._rng.choice(TERNARY))
        elif kind < 0.60:
            # A power, with an exponent of one byte.
            self.expression(deeper)
            self._masked(0xFF, deeper)
            self._swap()
            self._op(0x0A)
        elif kind < 0.68:
            self._masked(7, deeper)
            self._op(self._rng.choice((0x54, 0x54, 0x54, 0x5C)))
        elif kind < 0.76:
            self._mapping()
        elif kind < 0.80:
            self._masked(MEMORY_MASK, deeper)
            self._op(0x51)
        elif kind < 0.83:
            self._masked(MEMORY_MASK, deeper)
            self._masked(MEMORY_MASK, deeper)
            self._op(0x20)
        elif kind < 0.88:
            self._address()
            self._op(self._rng.choice((0x31, 0x3B, 0x3F)))
        elif kind < 0.97:
            self._call()
        else:
            self._choice(deeper)

    def _leaf(self) -> None:
        kind = self._rng.random()
        if kind < 0.35:
            self._number(_number(self._rng))
        elif kind < 0.65:
            self._holder()
        elif self._reads_limits and kind < 0.9:
            self._op(self._rng.choice(LIMITS))
        else:
            self._op(self._rng.choice(SURROUNDINGS))

    def _holder(self) -> None:
        self._number(4)
        self._op(0x35)

    def _mapping(self) -> None:
        """Reads what a contract in Solidity or in Vyper keeps for the holder."""
        parts = [self._holder, lambda: self._number(self._rng.randrange(SLOTS))]
        if self._rng.random() < 0.1:
            parts.reverse()
        for place, part in enumerate(parts):
            part()
            self._number(32 * place)
            self._op(0x52)
        self._number(64)
        self._number(0)
        self._op(0x20)
        self._op(0x54)

    def _address(self) -> None:
        """An address: of a contract before this one, of the holder, of a precompile, or of no account."""
        kind = self._rng.random()
        if kind < 0.7 and self._callees:
            self._number(address_of(self._rng.choice(self._callees)))
        elif kind < 0.8:
            self._holder()
        elif kind < 0.9:
            self._number(self._rng.choice(PRECOMPILES))
        else:
            self._number(self._rng.getrandbits(160))

    def _call(self) -> None:
        """Calls another contract, and leaves whether that succeeded, or the first word that was returned."""
        kind = self._rng.choice((CALL, CALLCODE, DELEGATECALL, STATICCALL, STATICCALL))
        # The call data of this call again, or a part of memory.
        self._op(0x36)
        self._number(0)
        self._number(DATA)
        self._op(0x37)
        self._number(32)
        self._number(RESULT)
        if self._rng.random() < 0.8:
            self._op(0x36)
        else:
            self._number(self._rng.choice((0, 4, 32, 100)))
        self._number(DATA)
        if kind in CALLS_WITH_VALUE:
            self._number(self._rng.choice((0, 0, 0, 1)))
        self._address()
        # All gas that may be passed on.
        self._op(0x5A)
        self._op(kind)
        if self._rng.random() < 0.8:
            self._op(0x50)
            self._number(RESULT)
            self._op(0x51)

    def _choice(self, depth: int) -> None:
        """One of two expressions, by a third one."""
        self.expression(depth)
        other = self._jump(0x57)
        self.expression(depth)
        end = self._jump(0x56)
        self._land(other)
        self.expression(depth)
        self._land(end)

    def _branch(self, depth: int) -> None:
        self.expression(2)
        end = self._jump(0x57)
        if depth < 2:
            self.statement(depth + 1)
        self._land(end)

    def _repeat(self, depth: int) -> None:
        """Does the same some times. The counter stays below on the stack."""
        self._number(self._rng.randint(1, 4))
        start = len(self.code)
        self._op(0x5B)
        if depth < 1:
            self.statement(depth + 1)
        self._number(1)
        self._swap()
        self._op(0x03)
        self._op(0x80)
        self.code += bytes((0x61,)) + start.to_bytes(2, "big")
        self._op(0x57)
        self._op(0x50)

    def _store_in_memory(self) -> None:
        self.expression()
        self._masked(MEMORY_MASK, 2)
        self._op(0x52)

    def _store_byte(self) -> None:
        self.expression(2)
        self._masked(MEMORY_MASK, 2)
        self._op(0x53)

    def _copy(self) -> None:
        """Copies call data, code, memory, or the code of another contract into memory."""
        kind = self._rng.choice((0x37, 0x39, 0x5E, 0x3C))
        for _ in range(3):
            self._masked(MEMORY_MASK, 3)
        if kind == 0x3C:
            self._address()
        self._op(kind)

    def _keep_result(self) -> None:
        """Copies what the last call returned. It fails where that is not long enough."""
        if self._rng.random() < 0.1:
            self._number(self._rng.choice((1, 32)))
        else:
            self._op(0x3D)
        self._number(0)
        self._masked(MEMORY_MASK, 3)
        self._op(0x3E)

    def _write(self) -> None:
        """Writes to storage. It fails inside a static call."""
        self.expression(2)
        self._masked(7, 3)
        self._op(self._rng.choice((0x55, 0x5D)))

    def _log(self) -> None:
        self.expression(3)
        self._number(32)
        self._masked(MEMORY_MASK, 3)
        self._op(0xA1)

    def _create(self) -> None:
        """Creates a contract without code, and leaves its address in memory."""
        if self._rng.random() < 0.5:
            self._number(self._rng.getrandbits(8))
            kind = 0xF5
        else:
            kind = 0xF0
        for _ in range(3):
            self._number(0)
        self._op(kind)
        self._masked(MEMORY_MASK, 3)
        self._op(0x52)

    def _masked(self, mask: int, depth: int) -> None:
        self.expression(depth)
        self._number(mask)
        self._op(0x16)

    def _jump(self, kind: int) -> int:
        """Jumps to a place that is written later; returns where to write it."""
        self.code += bytes((0x61, 0, 0, kind))
        return len(self.code) - 3

    def _land(self, place: int) -> None:
        self.code[place:place + 2] = len(self.code).to_bytes(2, "big")
        self._op(0x5B)

    def _number(self, value: int) -> None:
        size = (value.bit_length() + 7) // 8
        self.code += bytes((0x5F + size,)) + value.to_bytes(size, "big")

    def _swap(self) -> None:
        self._op(0x90)

    def _op(self, code: int) -> None:
        self.code.append(code)
