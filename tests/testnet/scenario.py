"""What `saldo` must print about accounts of the test network, and what it must not print when a balance is unknown."""

from __future__ import annotations

import json
import queue
import secrets
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from process import Failed, wait_until
from testnet import FUNDED_KEYS, ExecutionClient, Testnet

ANSWER_SECONDS = 60.0
MAX_AGE_SECONDS = 300
# The chain's committees: two of 32 members are absent in every block.
SIGNERS, COMMITTEE_SIZE = 30, 32
ALL_PROVEN, NOT_PROVEN = 0, 3
WEI_SENT = 1_234_567_890_123_456_789
# Exactly one account in the genesis file has this balance.
FUNDED = "0x00c8cccccccccccccccccccccccccccccccccccc"
TEN = [f"0x{number:04x}".ljust(42, "c") for number in range(1, 11)]


@dataclass(frozen=True)
class Answer:
    """The output of one run of `saldo balance`."""

    status: int
    readings: list[dict[str, Any]]


class Scenario:
    """The checks, in the order in which they change the chain."""

    def __init__(self, testnet: Testnet, saldo: Path, environment: dict[str, str]) -> None:
        self._testnet = testnet
        self._saldo = saldo
        self._environment = testnet.private_environment() | environment
        self._up = list(testnet.clients)

    def checks(self) -> Iterator[tuple[str, Callable[[], object]]]:
        """Every check with its name. Each runs before the next one is requested."""
        recipient = "0x" + secrets.token_hex(20)
        ask = self._ask_proven
        with self.session() as session:
            yield "all clients follow one chain", self._demand_one_chain
            yield "a funded account", lambda: ask({FUNDED: self._testnet.funded_at_genesis(FUNDED)})
            yield "a funded account, finalized", self._ask_finalized
            yield "an empty account is a proven zero", lambda: ask({recipient: 0})
            yield "the same in a process that stays open", lambda: session.ask_proven(recipient, 0)
            yield "an account funded after the start", lambda: self._fund_and_ask(session, recipient)
            yield "ten accounts at once", lambda: ask(
                {address: self._testnet.funded_at_genesis(address) for address in TEN}
            )
            yield "one client hangs: still proven", lambda: self._hang_and_ask(recipient)
            yield "one client is stopped: still proven", lambda: self._stop_one_and_ask(session, recipient)
            if geth := self._testnet.geth:
                yield "geth alone: it builds, and it proves", lambda: self._ask_geth(geth, session, recipient)
            yield "all are stopped: unknown, with the last value and its age", (
                lambda: self._stop_all_and_ask(session, recipient)
            )
            yield "all are stopped, without an earlier reading: unknown", lambda: self._ask_unknown(recipient)

    def _demand_one_chain(self) -> None:
        number = self._testnet.signed_block_number()
        blocks = [client.call("eth_getBlockByNumber", client.await_block(number), False) for client in self._up]
        for field in ("hash", "stateRoot"):
            values = {block[field] for block in blocks}
            expect(len(values) == 1, f"{field} of block {number} differs: {values}")

    def _ask_proven(self, expected: dict[str, int], *options: str) -> list[dict[str, Any]]:
        """Reads in a new process and requires these balances, all proven."""
        answer = self.ask([*options, *expected])
        expect_equal("exit status", answer.status, ALL_PROVEN)
        expect_equal("number of readings", len(answer.readings), len(expected))
        for reading, (address, wei) in zip(answer.readings, expected.items(), strict=True):
            self.demand_proven(reading, address, wei)
        return answer.readings

    def _ask_finalized(self) -> None:
        expected = {FUNDED: self._testnet.funded_at_genesis(FUNDED)}
        (reading,) = self._ask_proven(expected, "--finalized")
        expect_equal("assurance", reading["block"]["assurance"], "finalized")

    def _fund_and_ask(self, session: Session, recipient: str) -> None:
        sender = next(iter(FUNDED_KEYS))
        number = self._testnet.transfer(sender, recipient, WEI_SENT)
        (reading,) = self._ask_proven({recipient: WEI_SENT})
        expect(reading["block"]["number"] >= number, f"the proof is older than block {number}")
        # The sender's remaining balance depends on the fee; all clients have computed it.
        left = int(self._testnet.ethereumjs.call("eth_getBalance", sender, "latest"), 16)
        expect(left < self._testnet.funded_at_genesis(sender) - WEI_SENT, "the sender paid nothing")
        self._ask_proven({sender: left})
        # This process has printed zero before, and that proof is still young enough. It must not print zero again.
        session.ask_proven(recipient, WEI_SENT)

    def _hang_and_ask(self, recipient: str) -> None:
        self._testnet.ethereumjs.process.pause()
        try:
            self._up = self._others(self._testnet.ethereumjs)
            self._ask_proven({recipient: WEI_SENT})
        finally:
            self._testnet.ethereumjs.process.resume()
            self._up = list(self._testnet.clients)
        self._await_new_block(self._testnet.ethereumjs)

    def _stop_one_and_ask(self, session: Session, recipient: str) -> None:
        """Stops the client that has built all blocks so far; the next one builds from then on."""
        self._testnet.ethrex.process.stop()
        self._up = self._others(self._testnet.ethrex)
        self._await_new_block(self._testnet.ethereumjs)
        self._ask_proven({recipient: WEI_SENT})
        session.ask_proven(recipient, WEI_SENT)

    def _others(self, client: ExecutionClient) -> list[ExecutionClient]:
        return [other for other in self._testnet.clients if other is not client]

    def _ask_geth(self, geth: ExecutionClient, session: Session, recipient: str) -> None:
        """ethrex is stopped already, and EthereumJS hangs meanwhile."""
        self._testnet.ethereumjs.process.pause()
        try:
            self._up = [geth]
            self._await_new_block(geth)
            self._ask_proven({recipient: WEI_SENT})
            session.ask_proven(recipient, WEI_SENT)
        finally:
            self._testnet.ethereumjs.process.resume()
            self._up = self._others(self._testnet.ethrex)

    def _await_new_block(self, client: ExecutionClient) -> None:
        """Waits until a block that the client did not have yet is signed."""
        newest = int(client.call("eth_blockNumber"), 16)
        signed = self._testnet.signed_block_number
        wait_until("new signed block", lambda: signed() > newest, ANSWER_SECONDS, [self._testnet.beacon])

    def _stop_all_and_ask(self, session: Session, recipient: str) -> None:
        # A reading at the newest block stays proven without any request, so wait for a newer block.
        # The client that hung last may still lag, so wait for one that did not.
        self._await_new_block(self._up[-1])
        for client in self._testnet.clients:
            client.process.stop()
        self._up = []
        # A head is asked for once in a sixth of a slot, and the last check asked for one.
        first = session.ask(recipient, after_seconds=2.0)
        self._demand_unknown(first, recipient)
        last = first["last"]
        expect(last is not None, "the last value is missing")
        expect_equal("last amount", last["amount"], str(WEI_SENT))
        expect(last["block"] is not None, "the last value names no block")
        again = session.ask(recipient, after_seconds=2.0)
        ages = [reading["last"]["age_seconds"] for reading in (first, again)]
        expect(0 <= ages[0] < ages[1] <= MAX_AGE_SECONDS, f"ages of the last value: {ages}")
        expect_equal("exit status at the end of the input", session.end(), NOT_PROVEN)

    def _ask_unknown(self, recipient: str) -> None:
        answer = self.ask([recipient])
        expect_equal("exit status", answer.status, NOT_PROVEN)
        (reading,) = answer.readings
        self._demand_unknown(reading, recipient)
        expect_equal("last", reading["last"], None)

    def demand_proven(self, reading: dict[str, Any], address: str, wei: int) -> None:
        """Requires that a reading is proven, has this amount, and names a block at which all clients agree."""
        self._demand_subject(reading, address)
        expect_equal("state", reading["state"], "proven", reading["why"])
        expect_equal("amount", reading["amount"], str(wei))
        expect_equal("why", reading["why"], None)
        names = [client.name for client in self._up]
        expect(reading["provider"] in names, f"provider is {reading['provider']}, not one of {names}")
        age = reading["age_seconds"]
        expect(0 <= age <= MAX_AGE_SECONDS, f"age is {age} s")
        block = reading["block"]
        expect(block["assurance"] in ("signed", "finalized"), f"assurance is {block['assurance']}")
        if block["assurance"] == "signed":
            signed = (block["signers"], block["committee_size"])
            expect_equal("signers and committee", signed, (SIGNERS, COMMITTEE_SIZE))
        for client in self._up:
            number = client.await_block(block["number"])
            theirs = client.call("eth_getBlockByNumber", number, False)
            expect_equal(f"block hash at {client.name}", block["hash"], theirs["hash"])
            expect_equal(f"state root at {client.name}", block["state_root"], theirs["stateRoot"])
            expect_equal("timestamp", block["timestamp"], int(theirs["timestamp"], 16))
            balance = int(client.call("eth_getBalance", address, number), 16)
            expect_equal(f"balance at {client.name}", str(wei), str(balance))

    def _demand_unknown(self, reading: dict[str, Any], address: str) -> None:
        self._demand_subject(reading, address)
        expect_equal("state", reading["state"], "unknown")
        expect_equal("amount", reading["amount"], None)
        expect_equal("block", reading["block"], None)
        for field in ("code", "detail", "fault"):
            expect(bool(reading["why"][field]), f"why.{field} is empty")
        tried = {attempt["provider"] for attempt in reading["attempts"]}
        names = {client.name for client in self._testnet.clients}
        expect(names <= tried, f"tried {tried}, not all of {names}")

    def _demand_subject(self, reading: dict[str, Any], address: str) -> None:
        expect_equal("schema", reading["schema"], "saldo.reading/1")
        expect_equal("chain", reading["chain_id"], self._testnet.chain_id)
        expect_equal("asset", reading["asset"], f"eip155:{self._testnet.chain_id}/slip44:60")
        expect_equal("address", reading["address"].lower(), address)

    def ask(self, arguments: Sequence[str]) -> Answer:
        """Reads in a new process."""
        done = subprocess.run(
            [self._saldo, "balance", "--json", *arguments], env=self._environment,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False,
        )
        self.log(f"$ saldo balance --json {' '.join(arguments)}\n{done.stdout}{done.stderr}")
        try:
            return Answer(done.returncode, [json.loads(line) for line in done.stdout.splitlines()])
        except ValueError:
            raise Failed(f"status {done.returncode}, not JSON: {done.stdout}{done.stderr}") from None

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A `saldo` process that reads address by address."""
        with (self._testnet.directory / "logs/saldo.log").open("a") as log:
            child = subprocess.Popen(
                [self._saldo, "balance", "--json", "--line-by-line", "-"], env=self._environment,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                start_new_session=True,
            )
        try:
            yield Session(self, child)
        finally:
            child.kill()
            child.wait()

    def log(self, text: str) -> None:
        """Logs a request and its answer."""
        with (self._testnet.directory / "logs/saldo.log").open("a") as log:
            log.write(text)


class Session:
    """One `saldo` process that reads address by address, and keeps its readings."""

    def __init__(self, scenario: Scenario, child: subprocess.Popen[str]) -> None:
        self._scenario = scenario
        self._child = child
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def ask(self, address: str, after_seconds: float = 0.0) -> dict[str, Any]:
        """Writes an address and waits for the reading of it."""
        time.sleep(after_seconds)
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(f"{address}\n")
            self._child.stdin.flush()
            line = self._lines.get(timeout=ANSWER_SECONDS)
        except (OSError, queue.Empty) as error:
            raise Failed(f"no answer from the process that stays open: {error!r}") from error
        if not line:
            raise Failed(f"the process that stays open has ended with status {self._child.wait()}")
        self._scenario.log(f"> {address}\n{line}")
        return dict(json.loads(line))

    def end(self) -> int:
        """Closes the input of the process and returns its status."""
        assert self._child.stdin is not None
        self._child.stdin.close()
        return self._child.wait(ANSWER_SECONDS)

    def ask_proven(self, address: str, wei: int) -> None:
        """Reads and requires this balance, proven."""
        self._scenario.demand_proven(self.ask(address), address, wei)

    def _read(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            self._lines.put(line)
        self._lines.put("")


def expect(holds: bool, otherwise: str) -> None:
    """Raises `Failed` with a text unless a condition holds."""
    if not holds:
        raise Failed(otherwise)


def expect_equal(what: str, got: object, expected: object, because: object = None) -> None:
    """Raises `Failed` unless two values are equal."""
    reason = f" ({because})" if because else ""
    expect(got == expected, f"{what} is {got!r}, not {expected!r}{reason}")
