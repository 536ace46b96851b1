"""Contracts that compilers made from source (`tests/tokens`), as accounts of the genesis block."""

from __future__ import annotations

import json

from install import HERE
from programs import Program

FOLDER = HERE.parent / "data/tokens"
# The holder to whom each token gave units before its storage was read.
HOLDER = "0x" + 20 * "a1"
# Contracts are at this address and the following ones.
FIRST_ADDRESS = 0x70CF << 144


def compiled() -> dict[str, Program]:
    """Every contract by its name, with the storage of after it gave units to the holder."""
    contracts = {}
    for place, path in enumerate(sorted(FOLDER.glob("*.json"))):
        contract = json.loads(path.read_text())
        storage = (contract["observed"] or {}).get("storage", {})
        contracts[contract["name"]] = Program(
            address=f"0x{FIRST_ADDRESS + place:040x}",
            code=bytes.fromhex(contract["deployed_code"][2:]),
            storage={int(key, 16): int(word, 16) for key, word in storage.items()},
            balance=1,
            reads_limits=True,
        )
    return contracts


def given() -> dict[str, int]:
    """What `balanceOf` returned for the holder, for each contract that gave units, on another machine."""
    contracts = (json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json")))
    return {
        contract["name"]: int(contract["observed"]["balance"]) for contract in contracts if contract["observed"]
    }
