"""geth, alone, ends while it answers, and starts again. SIGTERM loses nothing; SIGKILL takes it back to the state on its disk."""

from __future__ import annotations

import secrets
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from faults import amounts
from process import Failed
from scenario import TEN, WEI_SENT, Scenario, expect, expect_equal
from testnet import FUNDED_KEYS, ExecutionClient, Testnet

# The time from the end of geth until it has received all blocks again that it lost.
PROVEN_AGAIN_SECONDS = 120.0
# Another sender than that of the scenario, which knows what its sender pays.
SENDER = list(FUNDED_KEYS)[1]
# What an outage of the only provider may be called, in the order in which it happens. The last three: it has lost its newest blocks.
REASONS = {"all_unreachable", "providers_failing", "providers_behind", "nobody_serves_proofs", "unsigned_tip"}


class Restarts:
    """The checks: a wallet that has only geth reads all the time."""

    def __init__(self, testnet: Testnet, saldo: Path, environment: dict[str, str]) -> None:
        self._testnet = testnet
        self._saldo = saldo
        self._environment = environment

    def checks(self) -> Iterator[tuple[str, Callable[[], object]]]:
        """Every check with its name."""
        if geth := self._testnet.geth:
            for number in (signal.SIGTERM, signal.SIGKILL):
                yield f"geth ends by {number.name} while it answers, and starts again: no false amount, and proven again", (
                    lambda number=number: self._restart(geth, number)
                )

    def _restart(self, geth: ExecutionClient, number: signal.Signals) -> None:
        # A geth that has lost this payment proves 0 at its newest block.
        recipient = "0x" + secrets.token_hex(20)
        wallet = Scenario(self._testnet, self._saldo, self._environment | {"ETH_RPC_URL": f"geth={geth.url}"})
        with wallet.session() as session, ThreadPoolExecutor(1) as pool:
            paid = self._testnet.transfer(SENDER, recipient, WEI_SENT)
            self._judge(session.ask(recipient), paid)
            restarting = pool.submit(self._end_and_start, geth, number)
            deadline = time.monotonic() + PROVEN_AGAIN_SECONDS
            reasons: set[str] = set()
            while True:
                answer = wallet.ask(["--timeout", "2s", "--no-wait", recipient, *TEN])
                readings = [answer.readings[0], session.ask(recipient)]
                reasons |= {reason for reading in readings if (reason := self._judge(reading, paid))}
                is_proven = all(reading["state"] == "proven" for reading in readings)
                if restarting.done() and is_proven and readings[0]["block"]["number"] > restarting.result():
                    break
                expect(time.monotonic() < deadline, f"not proven again; the last readings are {readings}")
        expect(reasons <= REASONS, f"reasons: {reasons}")

    def _judge(self, reading: dict[str, Any], paid: int) -> str | None:
        """Requires that each amount of the reading is what was paid. Returns the reason if it is not proven."""
        for amount in amounts(reading):
            expect_equal("amount", amount, str(WEI_SENT))
        if reading["state"] == "proven":
            expect(reading["block"]["number"] >= paid, f"proven before the payment: {reading}")
            return None
        return str(reading["why"]["code"])

    def _end_and_start(self, geth: ExecutionClient, number: signal.Signals) -> int:
        """Returns the newest block that is signed when geth has started again."""
        time.sleep(0.5)
        self._testnet.restart_geth(number)
        return self._testnet.signed_block_number()
