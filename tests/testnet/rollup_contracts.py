"""The contracts that a rollup of the OP Stack has on L1, as small ones that hold the slots of the real ones.

Each writes the slots that its caller names, behind a proxy of EIP-1967 as the real ones. What must be in which slot is decided here, and is
compared with the slots of the real contracts (`tests/data/rollup/games.json`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from install import HERE
from keccak import keccak256
from programs import Program
from rlp_encoding import encoded, word

CAPTURED = HERE.parent / "data/rollup/games.json"
IMPLEMENTATION_SLOT = 0x360894A13BA1A3210667C828492DB98DCA3E2076CC3735A920A3CA505D382BBC
SIGNER_SLOT = int.from_bytes(keccak256(b"systemconfig.unsafeblocksigner"), "big")
IMPLEMENTATIONS, GAMES, LIST = 101, 103, 104
BLACKLIST, RESPECTED, PAUSES = 5, 6, 1
COUNTERED, PROVERS, PROOFS, TEE = 5, 6, 7, 0
DEFENDER_WINS = 2
# Who proposes. No other check sends from there, so that it can run beside other checks.
PROPOSER_ADDRESS = "0x90f79bf6eb2c4f870365e785982e1f101e93b906"
PROPOSER_KEY = "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"
PROPOSER = bytes.fromhex(PROPOSER_ADDRESS[2:])
CHAIN_ID = 31338
# How many blocks a game is about, and how many lie between two of its roots. On Base 600 and 30.
INTERVAL, STEP = 10, 5
DELAY_SECONDS = 4
# Contracts are at this address and the following ones, sixteen for each rollup.
FIRST_ADDRESS = 0x70C0 << 144

# Passes each call to the contract that the slot of EIP-1967 names.
PROXY = bytes.fromhex(f"365f5f375f5f365f7f{IMPLEMENTATION_SLOT:064x}545af46032575f5ffd5b00")
# The instructions of a game's own code: a clone that holds its arguments (Solady).
CLONE = (
    bytes.fromhex("36602c57343d527f9e4ac34f21c619cefc926c8bd93b54bf5a39c7ab2127a895af1cc0691d7e3dff593da1005b363d3d373d3d3d3d61"),
    bytes.fromhex("806062363936013d73"),
    bytes.fromhex("5af43d3d93803e606057fd5bf3"),
)


def writer(tag: str, first: str = "") -> bytes:
    """Code that writes the slots of its call: how many, and each with its word. `first` runs before, with that number on the stack."""
    begin = bytes.fromhex("5f35" + first)
    loop, end = len(begin), len(begin) + 29
    body = f"5b801560{end:02x}578060061b6020900380602001359035556001900360{loop:02x}565b00"
    return begin + bytes.fromhex(body) + tag.encode()


# Makes a contract of what follows the slots in the call.
CREATE = "8060061b602001803603" + "80915f37" + "5f5ff050"


def slots_to_call(slots: dict[int, int]) -> bytes:
    """The call data that has a `writer` write these slots."""
    return word(len(slots)) + b"".join(word(key) + word(value) for key, value in slots.items())


def mapped(key: bytes, place: int) -> int:
    """The slot of an entry of the mapping at `place`."""
    return int.from_bytes(keccak256(key.rjust(32, b"\0") + word(place)), "big")


def listed(number: int) -> int:
    """The slot of an entry of the factory's list."""
    return (int.from_bytes(keccak256(word(LIST)), "big") + number) % (1 << 256)


def uuid(game_type: int, root: bytes, extra: bytes) -> bytes:
    """The key of a claim in the factory."""
    padded = extra + bytes(-len(extra) % 32)
    return keccak256(word(game_type) + root + word(96) + word(len(extra)) + padded)


def game_id(game_type: int, created_at: int, game: bytes) -> int:
    """What the factory holds of a game."""
    return game_type << 224 | created_at << 160 | int.from_bytes(game, "big")


def registry_slots(system_config: bytes, factory: bytes, start: tuple[int, int], respected: int, retirement: int) -> dict[int, int]:
    """The slots of `AnchorStateRegistry` 3.5 to 3.9, without the games that are taken back."""
    root, number = start
    return {
        0: int.from_bytes(system_config, "big") << 16 | 1,
        1: int.from_bytes(factory, "big"),
        3: root,
        4: number,
        RESPECTED: retirement << 32 | respected,
    }


def factory_slots(claim: bytes, number: int, entry: int) -> dict[int, int]:
    """The slots that `DisputeGameFactory` writes for the game with that number."""
    return {mapped(claim, GAMES): entry, listed(number): entry, LIST: number + 1}


def status_word(created_at: int, resolved_at: int = 0, status: int = 0, *, is_respected: bool = False) -> int:
    """Slot 0 of a game. Only a game whose proofs L1 checks has there that its type counted."""
    return created_at | resolved_at << 64 | status << 128 | 1 << 136 | is_respected << 144


def fault_slots(created_at: int, start: tuple[int, int], *, is_respected: bool) -> dict[int, int]:
    """The slots of a new `FaultDisputeGame` 2.4: it has one claim, and where the registry stands."""
    return {0: status_word(created_at), 2: 1, 8: start[0], 9: start[1], 10: int(is_respected)}


def multiproof_slots(created_at: int) -> dict[int, int]:
    """The slots of a new `AggregateVerifier` with a proof of a trusted execution environment, whose type counts."""
    proven = 1 << 64 | created_at + 5 * 24 * 60 * 60
    prover = int.from_bytes(PROPOSER, "big")
    return {0: status_word(created_at, is_respected=True), mapped(word(TEE), PROVERS): prover, PROOFS: proven}


def clone_code(implementation: bytes, arguments: bytes) -> bytes:
    """A game's own code. It counts the two bytes of the length behind the arguments."""
    length = (len(arguments) + 2).to_bytes(2, "big")
    head, middle, tail = CLONE
    return head + length + middle + implementation + tail + arguments + length


def made_by(maker: bytes, nonce: int) -> bytes:
    """The address of the contract that `maker` makes with its nonce."""
    return keccak256(encoded([maker, nonce]))[12:]


@dataclass
class Contracts:
    """The contracts of one rollup on L1, and the games that were proposed so far."""

    place: int
    chain_id: int
    game_type: int
    # For games whose proofs L1 checks: how many blocks a game is about, and how many lie between two of its roots.
    intervals: tuple[int, int] | None
    finality_delay: int
    games: list[bytes] = field(default_factory=list)

    def address(self, name: str) -> bytes:
        """Where a contract is."""
        names = ("registry", "factory", "system config", "pause", "portal", "registry code", "factory code", "pause code", "game code")
        return (FIRST_ADDRESS + 16 * self.place + names.index(name)).to_bytes(20, "big")

    def accounts(self) -> list[Program]:
        """The contracts of the genesis block."""
        codes = {
            "registry code": writer(f"registry, delay of {self.finality_delay} s"),
            "factory code": writer("factory", CREATE),
            "pause code": writer("pause"),
            "game code": writer(f"game of type {self.game_type}, {self.intervals}"),
        }
        implementation = int.from_bytes(self.address("game code"), "big")
        start = registry_slots(self.address("system config"), self.address("factory"), (0, 0), self.game_type, 0)
        proxies = {
            "registry": start | self._runs("registry code"),
            "factory": {mapped(word(self.game_type), IMPLEMENTATIONS): implementation} | self._runs("factory code"),
            "pause": self._runs("pause code"),
            "system config": {SIGNER_SLOT: int.from_bytes(PROPOSER, "big")},
        }
        plain = [self._contract(name, code, {}) for name, code in codes.items()]
        return plain + [self._contract(name, PROXY, storage) for name, storage in proxies.items()]

    def profile(self, name: str, l1_chain_id: int, genesis_time: int, block_time: int) -> str:
        """The rollup as data, with the codes of these contracts."""
        codes = {account.address: f"0x{keccak256(account.code).hex()}" for account in self.accounts()}
        kind = 'kind = "fault"'
        if self.intervals:
            kind = 'kind = "multiproof"\ninterval = {}\nstep = {}'.format(*self.intervals)
        where = {of: "0x" + self.address(of).hex() for of in ("registry", "system config", "pause", "portal")}
        code = {of: codes["0x" + self.address(of).hex()] for of in ("registry code", "factory code", "pause code", "game code")}
        return (
            f'name = "{name}"\nchain_id = {self.chain_id}\nl1_chain_id = {l1_chain_id}\nread_on = 2026-12-01\n'
            f'registry = "{where["registry"]}"\nsystem_config = "{where["system config"]}"\n'
            f'superchain_config = "{where["pause"]}"\npause_identifier = "{where["portal"]}"\n'
            f"genesis_number = 0\ngenesis_time = {genesis_time}\nblock_time = {block_time}\n\n"
            f'[[proxy_code]]\ncode_hash = "0x{keccak256(PROXY).hex()}"\n\n'
            f'[[registry_code]]\ncode_hash = "{code["registry code"]}"\nfinality_delay = {self.finality_delay}\n\n'
            f'[[factory_code]]\ncode_hash = "{code["factory code"]}"\n\n'
            f'[[game_code]]\ncode_hash = "{code["game code"]}"\ngame_type = {self.game_type}\n{kind}\n\n'
            f'[[pause_code]]\ncode_hash = "{code["pause code"]}"\nslot = {PAUSES}\n'
        )

    def proposal(
        self, number: int, roots: list[bytes], created_at: int, l1_head: bytes, *, is_countered: bool = False
    ) -> bytes:
        """The call of the factory that creates the game with these roots, of which the last is that of block `number`."""
        parent = self.games[-1] if self.games else self.address("registry")
        claim, own = roots[-1], PROPOSER + roots[-1] + l1_head
        if self.intervals:
            extra = word(number) + parent + b"".join(roots)
            arguments, slots = own + extra, multiproof_slots(created_at) | {COUNTERED: int(is_countered)}
        else:
            extra = word(number)
            arguments = own + self.game_type.to_bytes(4, "big") + extra + self._of_implementation()
            slots = fault_slots(created_at, (0, 0), is_respected=True)
        game = made_by(self.address("factory"), 1 + len(self.games))
        entry = game_id(self.game_type, created_at, game)
        held = factory_slots(uuid(self.game_type, claim, extra), len(self.games), entry)
        self.games.append(game)
        return slots_to_call(held) + _creation(slots, clone_code(self.address("game code"), arguments))

    def _of_implementation(self) -> bytes:
        """Prestate, machine, registry, bonds and chain. Prestate, machine and bonds are made up."""
        return keccak256(b"prestate") + 20 * b"\x3c" + self.address("registry") + 20 * b"\xb0" + word(self.chain_id)

    def _runs(self, name: str) -> dict[int, int]:
        return {IMPLEMENTATION_SLOT: int.from_bytes(self.address(name), "big")}

    def _contract(self, name: str, code: bytes, storage: dict[int, int]) -> Program:
        return Program("0x" + self.address(name).hex(), code, storage, 0, reads_limits=False)


def rollup_contracts() -> tuple[Contracts, Contracts]:
    """Those with proofs that L1 checks, as on Base, and those with days for a challenge, as elsewhere. Both are about the same blocks."""
    return Contracts(0, CHAIN_ID, 621, (INTERVAL, STEP), 0), Contracts(1, CHAIN_ID, 0, None, DELAY_SECONDS)


def resolution(created_at: int, resolved_at: int) -> bytes:
    """The call of a fault game that ends it for its claim."""
    return slots_to_call({0: status_word(created_at, resolved_at, DEFENDER_WINS)})


def blacklisting(games: list[bytes]) -> bytes:
    """The call of the registry that takes games back."""
    return slots_to_call({mapped(game, BLACKLIST): 1 for game in games})


def retirement(game_type: int, until: int) -> bytes:
    """The call of the registry that retires all games up to a moment."""
    return slots_to_call({RESPECTED: until << 32 | game_type})


def _creation(slots: dict[int, int], code: bytes) -> bytes:
    """What makes a contract with these slots and this code."""
    written = b"".join(b"\x7f" + word(value) + b"\x7f" + word(key) + b"\x55" for key, value in slots.items())
    length = len(code).to_bytes(2, "big")
    begin = (len(written) + 12).to_bytes(2, "big")
    return written + b"\x61" + length + b"\x80\x61" + begin + bytes.fromhex("5f395ff3") + b"\0" + code


def differences() -> list[str]:
    """Where what is written here is not what the real contracts hold."""
    captured = json.loads(CAPTURED.read_text())
    real = {name: _numbers(held) for name, held in captured.items() if isinstance(held, dict) and "hash" not in held}
    at = {name: bytes.fromhex(where[2:]) for name, where in captured["contracts"].items()}
    game = bytes.fromhex(captured["games"]["fault"][2:])
    code = bytes.fromhex(captured["code of the game"][2:])
    own = code[len(CLONE[0]) + 2 + len(CLONE[1]) + 20 + len(CLONE[2]):-2]
    implementation, claim = code[len(CLONE[0]) + 2 + len(CLONE[1]):][:20], own[20:52]
    created, resolved = real["game, created"], real["game, resolved"]
    created_at, resolved_at = created[0] & (1 << 64) - 1, resolved[0] >> 64 & (1 << 64) - 1
    key = uuid(0, claim, own[88:120])
    start = (real["registry, before"][3], real["registry, before"][4])
    before = registry_slots(at["SystemConfig"], at["DisputeGameFactory"], start, 0, real["registry, before"][RESPECTED] >> 32)
    runs = {IMPLEMENTATION_SLOT: int.from_bytes(at["AnchorStateRegistryCode"], "big")}
    held = factory_slots(key, 0, game_id(0, created_at, game)) | {LIST: 2}
    blacklisted = bytes.fromhex(captured["games"]["super"][2:])
    compared = {
        "key of the game": (key.hex(), captured["games"]["uuid"][2:]),
        "code of the game": (clone_code(implementation, own).hex(), code.hex()),
        "slots of the registry": (before | runs, _present(real["registry, before"])),
        "slots of the factory": (held, {key: real["factory"][key] for key in held}),
        "contract of the games": (real["factory"][mapped(word(0), IMPLEMENTATIONS)], int.from_bytes(implementation, "big")),
        "slots of the game": (fault_slots(created_at, start, is_respected=True), _present(created)),
        "slot 0 of the game that ended": (status_word(created_at, resolved_at, DEFENDER_WINS), resolved[0]),
        "slot of a game that was taken back": (real["blacklist"].get(mapped(blacklisted, BLACKLIST)), 1),
        "slot of the sequencer": ([SIGNER_SLOT], list(real["system configuration"])),
    }
    return [f"{what}: {ours}, not {theirs}" for what, (ours, theirs) in compared.items() if ours != theirs]


def _numbers(held: dict[str, str]) -> dict[int, int]:
    return {int(key, 16): int(value, 16) for key, value in held.items() if key.startswith("0x")}


def _present(held: dict[int, int]) -> dict[int, int]:
    return {key: value for key, value in held.items() if value}
