"""Who proposes claims about the blocks of a rollup to its contracts on L1."""

from __future__ import annotations

from rollup_contracts import PROPOSER_ADDRESS, Contracts, resolution
from scenario import expect
from testnet import Testnet

GAS = 4_000_000


class Proposer:
    """Creates games at both registries of the test network."""

    def __init__(self, testnet: Testnet) -> None:
        self._testnet = testnet
        # When each game was created.
        self.created: dict[bytes, int] = {}

    def propose(self, number: int, roots: list[bytes]) -> None:
        """Proposes a block to both registries: its output root is the last. Where there is time for a challenge, it ends."""
        self.create(self._testnet.checked, number, roots)
        game = self.create(self._testnet.challenged, number, roots[-1:])
        created = self.created[game]
        self.send(game, resolution(created, max(created, self._l1_time())))

    def create(self, contracts: Contracts, number: int, roots: list[bytes], *, is_countered: bool = False) -> bytes:
        """Creates one game, and returns its address."""
        created = self._l1_time()
        head = bytes.fromhex(self._testnet.ethrex.call("eth_getBlockByNumber", "latest", False)["hash"][2:])
        self.send(contracts.address("factory"), contracts.proposal(number, roots, created, head, is_countered=is_countered))
        game = contracts.games[-1]
        code = self._testnet.ethrex.call("eth_getCode", "0x" + game.hex(), "latest")
        expect(len(code) > 2, "the factory made no game")
        self.created[game] = created
        return game

    def send(self, to: bytes, data: bytes) -> None:
        """Calls a contract, and waits until the block with the call is signed."""
        self._testnet.send(PROPOSER_ADDRESS, "0x" + to.hex(), 0, "0x" + data.hex(), GAS)

    def _l1_time(self) -> int:
        return int(self._testnet.ethrex.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
