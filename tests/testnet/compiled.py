"""Contracts that compilers made from source (`tests/tokens`), as accounts of the genesis block."""

from __future__ import annotations

import json
from dataclasses import replace

from install import HERE
from keccak import keccak256
from programs import Program

FOLDER = HERE.parent / "data/tokens"
# The holder to whom each token gave units before its storage was read.
HOLDER = "0x" + 20 * "a1"
# Contracts are at this address and the following ones.
FIRST_ADDRESS = 0x70CF << 144
# Contracts that ask another one, the slot with its address, and its name.
PLAIN = "openzeppelin-plain"
ASKING = {
    "interest": (1, "interest-pool"),
    "hostile-catches-other-token": (0, PLAIN),
    "hostile-depends-on-oracle": (0, PLAIN),
}
# The pool of the token with interest: its index, what it grows by in each second, and the time when it had that index.
INDEX, RATE, UPDATED = 10**27, 10**24, 1_700_000_000
# A beacon, and a token that passes its calls to the contract that the beacon names.
BEACON, UPGRADED = f"0x{0x70D0 << 144:040x}", f"0x{(0x70D0 << 144) + 1:040x}"
# The first account with a known key.
BEACON_OWNER = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
BEFORE, AFTER = "openzeppelin-upgradeable", "moved"
# The slot of the beacon by ERC-1967, and that of the holder after the upgrade: in the mapping at slot 50.
BEACON_SLOT = 0xA3F0AD74E5423AEBFD80D3EF4346578335A9A72AEAEE59FF6CB3582B35133D50
MOVED_SLOT = int.from_bytes(keccak256(bytes.fromhex(HOLDER[2:]).rjust(32, b"\0") + (50).to_bytes(32, "big")), "big")
MOVED_AMOUNT = 7_654_321


def all_compiled() -> list[Program]:
    """Every contract, and a token behind a beacon that its owner can upgrade."""
    contracts = compiled()
    return [*contracts.values(), *_behind_a_beacon(contracts)]


def upgrade() -> tuple[str, str]:
    """The call with which the owner of the beacon upgrades its token, and its target."""
    return BEACON, "0x3659cfe6" + "00" * 12 + compiled()[AFTER].address[2:]


def _behind_a_beacon(contracts: dict[str, Program]) -> list[Program]:
    before, after = contracts[BEFORE], contracts[AFTER]
    beacon = {0: int(BEACON_OWNER, 16), 1: int(before.address, 16)}
    # Both implementations find a balance, in different slots.
    storage = before.storage | after.storage | {MOVED_SLOT: MOVED_AMOUNT, BEACON_SLOT: int(BEACON, 16)}
    code = contracts["proxy-5-beacon"].code
    place = json.loads((FOLDER / "proxy-5-beacon.json").read_text())["immutables"][0]["start"]
    code = code[:place] + bytes.fromhex(BEACON[2:]).rjust(32, b"\0") + code[place + 32:]
    return [
        Program(BEACON, contracts["proxy-5-upgradeable-beacon"].code, beacon, 0, reads_limits=False),
        Program(UPGRADED, code, storage, 0, reads_limits=False),
    ]


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
    for name, (slot, asked) in ASKING.items():
        linked = contracts[name].storage | {slot: int(contracts[asked].address, 16)}
        contracts[name] = replace(contracts[name], storage=linked)
    pool = contracts["interest-pool"]
    contracts["interest-pool"] = replace(pool, storage={0: RATE << 128 | INDEX, 1: UPDATED})
    return contracts


def expected(timestamp: int) -> dict[str, int]:
    """What `balanceOf` must return for the holder in a block of that time, for each contract that holds units or asks one that does."""
    amounts = given()
    plain, scaled = amounts[PLAIN], amounts["interest"]
    half = INDEX // 2
    interest = (scaled * (INDEX + RATE * (timestamp - UPDATED)) + half) // INDEX
    return amounts | {
        "interest": interest,
        "hostile-catches-other-token": plain,
        "hostile-depends-on-oracle": 3 * plain,
    }


def given() -> dict[str, int]:
    """What `balanceOf` returned for the holder, for each contract that gave units, on another machine."""
    contracts = (json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json")))
    return {
        contract["name"]: int(contract["observed"]["balance"]) for contract in contracts if contract["observed"]
    }
