"""A rollup beside the test network: op-geth, its contracts on L1, a proposer, and wallets that read it.

The provider of the wallets serves proofs at its newest blocks alone. So what they take is provisional until L1 vouches for it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from faults import amounts
from process import Failed, wait_until
from proposer import Proposer
from rollup_chain import BLOCK_SECONDS, NEWEST, HeadOnly, RollupChain
from rollup_contracts import CHAIN_ID, INTERVAL, STEP, blacklisting, differences, retirement
from scenario import ALL_PROVEN, ANSWER_SECONDS, expect, expect_equal
from testnet import Testnet, fetch
from wallet import Saldo, Wallet

# L1 is final after three epochs of 16 s, and a wallet looks at each final block.
VOUCHED_SECONDS = 150.0
HOLDER, WEI, MORE_WEI = "0x" + "c4" * 20, 1_250_000_000_000_000_000, 777_000_000_000_000_001


class Rollup:
    """The checks, in the order in which they change the rollup and its contracts."""

    def __init__(self, testnet: Testnet, op_geth: Path, saldo: Path, environment: dict[str, str]) -> None:
        self._testnet = testnet
        self._op_geth = op_geth
        self._saldo = Saldo(testnet, saldo, environment, self._demand_wanted)
        self._amounts = {str(WEI), str(WEI + MORE_WEI)}
        self._proposer = Proposer(testnet)
        self._is_abandoned = threading.Event()

    def abandon(self) -> None:
        """Ends what waits: the next wait fails."""
        self._is_abandoned.set()

    def checks(self) -> Iterator[tuple[str, Callable[[], object]]]:
        """Every check with its name. Each runs before the next one is requested."""
        yield "rollup: the slots are those of the real contracts", self._demand_real_slots
        with self._running() as (chain, provider):
            self._chain = chain
            self._use(chain, provider)
            with self._wallet("checked.toml") as wallet, self._served() as server:
                yield "rollup: what a provider proves at its head is provisional", lambda: self._await_provisional(wallet, server)
                yield "rollup: proven when L1 checked a proof of a later block", lambda: self._await_proven(wallet)
                yield "rollup: the same over JSON-RPC", lambda: self._ask_served(server)
            yield "rollup: the same after a restart, from the proof that was kept", self._read_again
            yield "rollup: final when the time to challenge is over", self._read_final
            yield "rollup: the codes of its contracts", self._read_codes
            yield "rollup: false claims that L1 does not count", self._lie
            yield "rollup: a block with more for the holder", self._fund
            with self._wallet("checked.toml") as wallet:
                yield "rollup: the new amount is proven, and the false claims change nothing", (
                    lambda: self._await_more(wallet)
                )
                yield "rollup: withdrawn when L1 retires the games", lambda: self._retire_and_await(wallet)
            yield "rollup: not proven when L1 blacklisted the game", self._read_blacklisted

    @contextmanager
    def _running(self) -> Iterator[tuple[RollupChain, HeadOnly]]:
        chain = RollupChain(self._testnet.directory, self._op_geth)
        try:
            chain.start(self._testnet.genesis["alloc"], {HOLDER: WEI})
            provider = HeadOnly(chain)
            try:
                yield chain, provider
            finally:
                provider.stop()
        finally:
            chain.stop()

    def _use(self, chain: RollupChain, provider: HeadOnly) -> None:
        for name, contracts in (("checked", self._testnet.checked), ("challenged", self._testnet.challenged)):
            text = contracts.profile(name, self._testnet.chain_id, chain.genesis_time, BLOCK_SECONDS)
            (self._testnet.directory / f"{name}.toml").write_text(text)
        self._saldo.environment["ETH_RPC_URL"] = f"head-only={provider.url}"

    def _demand_real_slots(self) -> None:
        expect_equal("differences", differences(), [])

    def _await_provisional(self, wallet: Wallet, server: str) -> None:
        refused = _ask(server, "eth_getBalance", HOLDER, "latest")["error"]["data"]
        expect(refused["reason"] in ("rollup_not_vouched", "not_vouched_yet"), f"the server says {refused}")
        reading = wallet.await_reading("provisional", ANSWER_SECONDS)
        expect(reading["why"]["code"] in ("rollup_not_vouched", "not_vouched_yet"), f"the reason is {reading['why']}")
        # For another one, which ends before L1 has a claim.
        status, reading = self._read("checked.toml", "--store", str(self._testnet.directory / "rollup.store"))
        expect_equal("state", reading["state"], "provisional", reading["why"])
        expect(status != ALL_PROVEN, "the exit status is that of a proven reading")

    def _await_proven(self, wallet: Wallet) -> None:
        self._propose_next()
        reading = wallet.await_reading("proven", VOUCHED_SECONDS)
        self._demand_true(reading, "l1_proof_checked", WEI)
        # The provider serves no proof at that block any more: it is proven by one that the wallet kept.
        number, head = reading["block"]["number"], self._chain.head()
        expect(number <= head - NEWEST, f"block {number} is one of the newest, and the newest is {head}")

    def _ask_served(self, server: str) -> None:
        """It keeps the proof that it took when it was asked before."""
        answered: dict[str, Any] = {}

        def is_answered() -> bool:
            answered.update(_ask(server, "eth_getBalance", HOLDER, "latest"))
            return "result" in answered

        self._wait("balance over JSON-RPC", is_answered, ANSWER_SECONDS)
        expect_equal("balance", answered["result"], hex(WEI))
        number = int(_ask(server, "eth_blockNumber")["result"], 16)
        expect(number <= self._chain.head(), f"block {number} does not exist")
        health = _ask(server, "saldo_health")["result"]["rollup"]
        expect_equal("level", health["level"], "l1_proof_checked", health)

    def _read_again(self) -> None:
        status, reading = self._read("checked.toml", "--store", str(self._testnet.directory / "rollup.store"))
        expect_equal("exit status", status, ALL_PROVEN, reading["why"])
        self._demand_true(reading, "l1_proof_checked", WEI)

    def _read_final(self) -> None:
        """Only op-geth itself still serves a proof at the block of the claim."""

        def is_final() -> bool:
            _, reading = self._read("challenged.toml", "--finalized", "--rpc-url", f"op-geth={self._chain.url}")
            if reading["state"] == "proven":
                self._demand_true(reading, "l1_finalized", WEI)
            return bool(reading["state"] == "proven")

        self._wait("block that can no longer be challenged", is_final, VOUCHED_SECONDS)

    def _read_codes(self) -> None:
        codes = self._testnet.directory / "codes.toml"
        network = self._saldo.network("checked.toml")
        done = self._saldo.run("network", "codes", network, "-o", str(codes), "--json")
        expect_equal("exit status", done.returncode, 0, done.stderr)
        written, given = codes.read_text(), (self._testnet.directory / "checked.toml").read_text()
        hashes = [line for line in given.splitlines() if line.startswith("code_hash")]
        missing = [line for line in hashes if line not in written]
        expect_equal("codes that it did not find", missing, [])

    def _fund(self) -> None:
        self._chain.fund(HOLDER, MORE_WEI)
        is_there = lambda: self._chain.balance(HOLDER, self._chain.head()) == WEI + MORE_WEI
        self._wait("block with the deposit", is_there, ANSWER_SECONDS)

    def _await_more(self, wallet: Wallet) -> None:
        """The wallet starts after the deposit: one that was there before takes its next proof within a minute."""
        wallet.await_reading("provisional", ANSWER_SECONDS)
        self._propose_next()
        reading = wallet.await_reading("proven", VOUCHED_SECONDS)
        self._demand_true(reading, "l1_proof_checked", WEI + MORE_WEI)

        def is_final() -> bool:
            """The newest true game, although a false one was created before it."""
            _, final = self._read("challenged.toml", "--finalized", "--rpc-url", f"op-geth={self._chain.url}")
            return bool(final["state"] == "proven" and final["amount"] == str(WEI + MORE_WEI))

        self._wait("final block with the new amount", is_final, VOUCHED_SECONDS)

    def _lie(self) -> None:
        """Everyone may propose roots of no block. Here the newest games do: one can still be challenged, and one was refuted."""
        number = self._next_number()
        false = [bytes([0x66 + place]) * 32 for place in range(INTERVAL // STEP)]
        self._proposer.create(self._testnet.challenged, number, false[-1:])
        self._proposer.create(self._testnet.checked, number, false, is_countered=True)

    def _retire_and_await(self, wallet: Wallet) -> None:
        contracts, newest = self._testnet.checked, max(self._proposer.created.values())
        self._proposer.send(contracts.address("registry"), retirement(contracts.game_type, newest))
        withdrawn = wallet.await_change("withdrawn", VOUCHED_SECONDS)
        expect_equal("chain", withdrawn["chain_id"], CHAIN_ID)
        expect(bool(withdrawn["withdrawn"]), "it names no reason")
        wallet.demand_true(self._amounts)

    def _read_blacklisted(self) -> None:
        self._proposer.send(self._testnet.challenged.address("registry"), blacklisting(self._testnet.challenged.games))

        def is_taken_back() -> bool:
            _, reading = self._read("challenged.toml", "--finalized", "--rpc-url", f"op-geth={self._chain.url}")
            return bool(reading["state"] != "proven" and reading["why"]["code"] == "rollup_not_vouched")

        self._wait("reading without the game", is_taken_back, VOUCHED_SECONDS)

    def _propose_next(self) -> None:
        """Proposes the next blocks to both registries."""
        number = self._next_number()
        roots = [self._chain.output_root(at) for at in range(number - INTERVAL + STEP, number + 1, STEP)]
        self._proposer.propose(number, roots)

    def _next_number(self) -> int:
        """The number of the next block that a game can be about, once it is there."""
        number = (self._chain.head() // INTERVAL + 1) * INTERVAL
        self._wait("next block to propose", lambda: self._chain.head() >= number, ANSWER_SECONDS)
        return number

    def _wait(self, what: str, condition: Callable[[], bool], seconds: float) -> None:
        def holds() -> bool:
            self._demand_wanted()
            return condition()

        wait_until(what, holds, seconds, [self._chain.process])

    def _demand_wanted(self) -> None:
        if self._is_abandoned.is_set():
            raise Failed("the run ends")

    def _demand_true(self, reading: dict[str, Any], level: str, wei: int) -> None:
        """Requires an amount that op-geth has too, in the block that the reading names."""
        block = reading["block"]
        theirs = self._chain.block(block["number"])
        expect_equal("amount", reading["amount"], str(wei))
        expect_equal("level", block["assurance"], level)
        expect_equal("block hash", block["hash"], theirs["hash"])
        expect_equal("state root", block["state_root"], theirs["stateRoot"])
        expect_equal("timestamp", block["timestamp"], int(theirs["timestamp"], 16))
        expect_equal("balance at op-geth", self._chain.balance(HOLDER, block["number"]), wei)

    def _read(self, profile: str, *options: str) -> tuple[int, dict[str, Any]]:
        """One reading of the rollup in a new process."""
        done = self._saldo.run("balance", "--json", "-n", self._saldo.network(profile), *options, HOLDER)
        readings = [json.loads(line) for line in done.stdout.splitlines()]
        of_rollup = [reading for reading in readings if reading["chain_id"] == CHAIN_ID]
        expect_equal("readings of the rollup", len(of_rollup), 1, done.stderr)
        for amount in amounts(of_rollup[0]):
            expect(amount in self._amounts, f"a false amount: {of_rollup[0]}")
        return done.returncode, of_rollup[0]

    @contextmanager
    def _served(self) -> Iterator[str]:
        """`saldo serve` for L1 and the rollup. Gives the URL of the rollup."""
        command = ["serve", "--json", "--listen", "127.0.0.1:0", "-n", self._saldo.network("checked.toml")]
        with self._saldo.started(*command) as lines:
            self._wait("both networks of saldo serve", lambda: len(lines.all) >= 2, ANSWER_SECONDS)
            yield next(line["url"] for line in lines.all if line["chain_id"] == CHAIN_ID)

    @contextmanager
    def _wallet(self, profile: str) -> Iterator[Wallet]:
        with self._saldo.wallet(profile, HOLDER) as wallet:
            yield wallet
            wallet.demand_true(self._amounts)


def _ask(url: str, method: str, *parameters: Any) -> dict[str, Any]:
    """A whole answer of JSON-RPC: with a result, or with an error."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)})
    return dict(fetch(url, body.encode(), ANSWER_SECONDS))
