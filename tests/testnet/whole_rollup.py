"""A whole rollup on the test network, with op-node and op-batcher, and wallets that follow it while op-node is stopped.

A proposer proposes what op-node says of blocks whose batches are on L1. Two providers serve the wallets, one of the sequencer and one
of the follower: with one alone, saldo cannot tell a rollup that stands still from a provider that lags.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from install import Installed
from process import Failed, wait_until
from proposer import Proposer
from rollup_chain import BLOCK_SECONDS, HeadOnly
from rollup_contracts import CHAIN_ID, INTERVAL, STEP
from rollup_network import RollupNetwork
from scenario import ANSWER_SECONDS, expect, expect_equal
from testnet import Testnet
from wallet import Saldo, Wallet

HOLDER, WEI, PAID_WEI = "0x" + "c4" * 20, 1_250_000_000_000_000_000, 777_000_000_000_000_001
# A batch, a game, three epochs of L1, and a minute until a wallet takes its next proof.
PROVEN_SECONDS = 360.0
# From when on saldo says that a rollup stands still, and how often a wallet looks.
STANDSTILL_SECONDS, LOOK_SECONDS = 300, 60
PROPOSE_SECONDS = 10.0
PAY_SECONDS = 30.0
# A batch and three epochs of L1, or all blocks since op-node ended. A busy machine takes long.
CATCH_UP_SECONDS = 300.0
CLOCK_SECONDS = 10


class WholeRollup:
    """The checks, in the order in which they happen to the rollup."""

    def __init__(
        self, testnet: Testnet, installed: Installed, saldo: Path, environment: dict[str, str], seconds: float
    ) -> None:
        assert installed.op_geth is not None and installed.op_node is not None
        self._testnet = testnet
        self._network = RollupNetwork(testnet, installed.op_geth, installed.op_node)
        self._saldo = Saldo(testnet, saldo, environment)
        self._seconds = seconds
        self._paid = WEI
        self._proposals = Proposals(testnet, self._network)

    def checks(self) -> Iterator[tuple[str, Callable[[], object]]]:
        """Every check with its name. Each runs before the next one is requested."""
        with self._running():
            yield "whole rollup: L1 has batches, and a follower makes the same blocks of them", self._demand_same_chain
            with self._proposals.running(), self._saldo.wallet("checked.toml", *self._asking("head-only.toml")) as wallet:
                started = time.monotonic()
                yield "whole rollup: a payment is proven when L1 checked a proof of a later block", (
                    lambda: self._pay_and_await(wallet)
                )
                yield "whole rollup: final when the time to challenge is over", self._await_final
                yield "whole rollup: op-node ends just after a payment", self._pay_and_end
                yield "whole rollup: it stands still, and what was proven before stays with its age", (
                    lambda: self._await_standstill(wallet)
                )
                yield "whole rollup: saldo doctor says that it stands still", self._ask_doctor
                yield "whole rollup: op-node starts again: no block is lost, and the payment is proven", (
                    lambda: self._start_and_await(wallet)
                )
                yield "whole rollup: final again, with the payment", self._await_final
                yield f"whole rollup: no amount was false in {self._seconds / 60:g} minutes or more", (
                    lambda: self._follow_until(started + self._seconds, wallet)
                )
            yield "whole rollup: each proposed root was that of op-node and of the header", self._proposals.demand_all
            yield "whole rollup: the batches hold the chain of the sequencer", self._demand_same_chain

    @contextmanager
    def _running(self) -> Iterator[None]:
        network = self._network
        with network.running({HOLDER: WEI}):
            providers = [HeadOnly(chain) for chain in (network.sequencing, network.following)]
            try:
                for name, contracts in (("checked", self._testnet.checked), ("challenged", self._testnet.challenged)):
                    text = contracts.profile(name, self._testnet.chain_id, network.genesis_time, BLOCK_SECONDS)
                    self._file(f"{name}.toml").write_text(text)
                tables = [_provider("sequencer", providers[0].url), _provider("follower", providers[1].url)]
                self._file("head-only.toml").write_text("".join(tables))
                # Only op-geth itself serves a proof at the block of a claim.
                self._file("all-blocks.toml").write_text(_provider("op-geth", network.sequencing.url))
                self._saldo.environment.pop("ETH_RPC_URL")
                yield
            finally:
                for provider in providers:
                    provider.stop()

    def _asking(self, providers: str) -> tuple[str, ...]:
        """The words of a command that asks these providers about the holder."""
        return "--providers", str(self._file(providers)), HOLDER

    def _demand_same_chain(self) -> None:
        """The follower takes new blocks from the sequencer, but a block is safe only if the batches on L1 give the same one."""
        sequencer, follower = self._network.sequencer, self._network.follower
        number = max(2 * INTERVAL, sequencer.number("unsafe_l2"))
        nodes = (sequencer, follower)
        has_batches = lambda: all(node.number("safe_l2") >= number for node in nodes)
        self._wait(f"batches with block {number}", has_batches, CATCH_UP_SECONDS)
        mine, other = self._network.sequencing.block(number), self._network.following.block(number)
        expect_equal(f"hash of block {number} at the follower", other["hash"], mine["hash"])
        has_final_batches = lambda: all(node.number("finalized_l2") > 0 for node in nodes)
        self._wait("block whose batch is final", has_final_batches, CATCH_UP_SECONDS)

    def _pay_and_await(self, wallet: Wallet) -> None:
        number = self._pay()
        self._await_proven(wallet, number)

    def _pay(self) -> int:
        number = self._network.pay(HOLDER, PAID_WEI)
        self._paid += PAID_WEI
        expect_equal("balance at op-geth", self._network.sequencing.balance(HOLDER, number), self._paid)
        return number

    def _await_proven(self, wallet: Wallet, number: int) -> None:
        reading = wallet.await_reading("proven", PROVEN_SECONDS, lambda reading: bool(reading["block"]["number"] >= number))
        expect_equal("amount", reading["amount"], str(self._paid))
        expect_equal("level", reading["block"]["assurance"], "l1_proof_checked")
        self._demand_true(wallet.changes)

    def _await_final(self) -> None:
        """Only op-geth itself serves a proof at the block of the claim."""
        command = ["balance", "--json", "--finalized", "-n", self._saldo.network("challenged.toml")]

        def is_final() -> bool:
            done = self._saldo.run(*command, *self._asking("all-blocks.toml"))
            readings = [json.loads(line) for line in done.stdout.splitlines()]
            self._demand_true(readings)
            (reading,) = [reading for reading in readings if reading["chain_id"] == CHAIN_ID]
            if reading["amount"] is not None:
                expect_equal("level", reading["block"]["assurance"], "l1_finalized")
            return bool(reading["amount"] == str(self._paid))

        self._wait("final block with all payments", is_final, PROVEN_SECONDS)

    def _pay_and_end(self) -> None:
        """So the newest block has an amount that L1 does not vouch for, and the batches on L1 do not have the block."""
        self._proven = self._paid
        self._pay()
        self._proposals.pause()
        self._network.sequencer.end()
        head = self._network.sequencing.head()
        self._last_hash, self._last_number = self._network.sequencing.block(head)["hash"], head
        follows = lambda: self._network.following.head() == head
        self._wait("follower at the newest block", follows, ANSWER_SECONDS)

    def _await_standstill(self, wallet: Wallet) -> None:
        stands_still = lambda reading: bool(reading["why"]["code"] == "rollup_stopped")
        reading = wallet.await_reading("provisional", STANDSTILL_SECONDS + 2 * LOOK_SECONDS, stands_still)
        last = reading["last"]
        expect(last is not None, "what was proven before is missing")
        expect_equal("last amount", last["amount"], str(self._proven))
        age = time.time() - last["block"]["timestamp"]
        expect(abs(last["age_seconds"] - age) < CLOCK_SECONDS, f"its age is {last['age_seconds']} s, not {age:.0f} s")
        expect(last["age_seconds"] >= STANDSTILL_SECONDS, f"its age is {last['age_seconds']} s")
        expect_equal("head", self._network.sequencing.head(), self._last_number)
        self._demand_true(wallet.changes)

    def _ask_doctor(self) -> None:
        providers = str(self._file("head-only.toml"))
        done = self._saldo.run("doctor", "--json", "-n", self._saldo.network("checked.toml"), "--providers", providers)
        codes = set(_codes(json.loads(done.stdout)))
        expect("rollup_stopped" in codes, f"it finds {codes}")

    def _start_and_await(self, wallet: Wallet) -> None:
        self._network.sequencer.start()
        self._proposals.go_on()
        chain, began = self._network.sequencing, self._network.genesis_time
        is_up_to_now = lambda: began + chain.head() * BLOCK_SECONDS > time.time() - CLOCK_SECONDS
        self._wait("rollup up to now", is_up_to_now, CATCH_UP_SECONDS)
        same = chain.block(self._last_number)["hash"]
        expect_equal("hash of the last block before the end", same, self._last_hash)
        self._await_proven(wallet, self._last_number + 1)

    def _follow_until(self, end: float, wallet: Wallet) -> None:
        """Pays on until the time is over."""
        while time.monotonic() < end:
            self._pay()
            time.sleep(max(0.0, min(PAY_SECONDS, end - time.monotonic())))
            self._demand_true(wallet.changes)
        expect(wallet.is_running(), "saldo has ended")
        self._demand_true(wallet.changes)

    def _demand_true(self, shown: list[dict[str, Any]]) -> None:
        """Requires of each amount that was shown that op-geth has it too, in the block that is named with it."""
        for held in (held for line in list(shown) for held in _amounts(line)):
            chain, block = held["chain"], held["block"]
            if chain != CHAIN_ID:
                expect_equal("amount on L1", held["amount"], "0")
                continue
            number = block["number"]
            theirs = self._network.sequencing.block(number)
            expect_equal(f"hash of block {number}", block["hash"], theirs["hash"])
            expect_equal(f"state root of block {number}", block["state_root"], theirs["stateRoot"])
            wei = self._network.sequencing.balance(HOLDER, number)
            expect_equal(f"amount in block {number}", held["amount"], str(wei))

    def _wait(self, what: str, condition: Callable[[], bool], seconds: float) -> None:
        def holds() -> bool:
            self._network.demand_running()
            return condition()

        wait_until(what, holds, seconds)

    def _file(self, name: str) -> Path:
        return self._testnet.directory / name


class Proposals:
    """A thread that proposes the newest safe block again and again, as long as op-node runs."""

    def __init__(self, testnet: Testnet, network: RollupNetwork) -> None:
        self._network = network
        self._proposer = Proposer(testnet)
        self._newest = 0
        self._failures: list[Exception] = []
        self._ended, self._may_ask = threading.Event(), threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Proposes until the end of the `with` block."""
        self.go_on()
        thread = threading.Thread(target=self._propose_on, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def pause(self) -> None:
        """To be called before op-node ends."""
        self._may_ask.clear()

    def go_on(self) -> None:
        """To be called when op-node answers."""
        self._may_ask.set()

    def demand_all(self) -> None:
        """Requires that there were proposals, and that none failed."""
        expect(self._newest > 0, "nothing was proposed")
        expect_equal("failures", self._failures, [])

    def _propose_on(self) -> None:
        while not self._ended.wait(PROPOSE_SECONDS):
            if self._may_ask.is_set():
                try:
                    self._propose()
                except Failed as error:
                    # op-node may end while it is asked.
                    if self._may_ask.is_set():
                        self._failures.append(error)

    def _propose(self) -> None:
        number = self._network.sequencer.number("safe_l2") // INTERVAL * INTERVAL
        if number > self._newest:
            self._newest = number
            self._proposer.propose(number, [self._root(at) for at in range(number - INTERVAL + STEP, number + 1, STEP)])

    def _root(self, number: int) -> bytes:
        said = self._network.sequencer.output_root(number)
        expect_equal(f"output root of block {number}", said.hex(), self._network.sequencing.output_root(number).hex())
        return said


def _provider(name: str, url: str) -> str:
    return f'[[rpc]]\nname = "{name}"\noperator = "{name}"\nurl = "{url}"\n'


def _amounts(value: Any, chain: int | None = None) -> Iterator[dict[str, Any]]:
    """Everything in a change that has an amount, with the chain that it is of."""
    if isinstance(value, dict):
        chain = value.get("chain_id", chain)
        if isinstance(value.get("amount"), str):
            yield {"chain": chain, "amount": value["amount"], "block": value["block"]}
        for part in value.values():
            yield from _amounts(part, chain)
    elif isinstance(value, list):
        for part in value:
            yield from _amounts(part, chain)


def _codes(value: Any) -> Iterator[str]:
    """Every code in a report, at any depth."""
    if isinstance(value, dict):
        if isinstance(value.get("code"), str):
            yield value["code"]
        for part in value.values():
            yield from _codes(part)
    elif isinstance(value, list):
        for part in value:
            yield from _codes(part)
