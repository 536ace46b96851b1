"""Random contracts: what `saldo` proves that their `balanceOf` returns, beside `eth_call` of two clients at the same block."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import compiled
from process import Failed
from programs import HOLDER, PLAIN, Program, all_programs, balance_of
from scenario import expect, expect_equal
from testnet import ExecutionClient, Testnet

ANSWER_SECONDS = 300.0
# Of the first kind, at least so many percent must be known: an amount, or that it is no token.
KNOWN_PERCENT = 90
# A contract that fails at one block may succeed at another. Its reading names no block, so the newest ones are tried.
BLOCKS_BACK = 30
# Of the plain ones, at most so many percent may give different results at the clients, which bound the gas differently.
DIFFERENT_PERCENT = 2
# So many compiled contracts return an amount, and it must be known and equal at all clients.
COMPILED_EQUAL = 28
UPGRADE_GAS = 100_000
NO_ADDRESS = "0x" + 40 * "0"


class Differential:
    """Reads all contracts with `saldo balance --token-list`, and compares each with the clients."""

    def __init__(self, testnet: Testnet, saldo: Path, environment: dict[str, str]) -> None:
        self._testnet = testnet
        self._saldo = saldo
        self._environment = testnet.private_environment() | environment
        self._readings: dict[str, dict[str, Any]] = {}
        self._holder = HOLDER

    def checks(self) -> Iterator[tuple[str, Callable[[], object]]]:
        """Every check with its name."""
        programs = all_programs()
        plain, limited = programs[:PLAIN], programs[PLAIN:]
        yield f"{len(programs)} random contracts are read", lambda: self._read(programs)
        yield "the amounts are those of the clients", lambda: self._compare(plain, KNOWN_PERCENT)
        yield "the same for contracts that read gas and fees, or unknown", lambda: self._compare(limited, 0)
        contracts = compiled.compiled()
        yield f"{len(contracts)} compiled contracts: the amounts are those of the clients, or unknown", (
            lambda: self._compare_compiled(contracts)
        )
        yield "an upgrade moves the balances of a token: the new amount", self._upgrade

    def _compare_compiled(self, contracts: dict[str, Program]) -> None:
        self._holder = compiled.HOLDER
        self._read(list(contracts.values()))
        outcomes = self._compare(list(contracts.values()), 0)
        expect(outcomes["equal"] >= COMPILED_EQUAL, f"too few are known: {dict(outcomes)}")
        # Each of these reads words of storage that are not zero.
        for name in compiled.expected(0):
            reading = self._readings[contracts[name].address]
            expect_equal(f"state of {name}, {reading['why']}", reading["state"], "proven")
            amount = compiled.expected(self._timestamp(reading["block"]["number"]))[name]
            expect_equal(f"amount of {name}", reading["amount"], str(amount))

    def _timestamp(self, block: int) -> int:
        return int(self._testnet.clients[0].call("eth_getBlockByNumber", hex(block), False)["timestamp"], 16)

    def _upgrade(self) -> None:
        before, after = compiled.given()[compiled.BEFORE], compiled.MOVED_AMOUNT
        self._ask_upgraded(before)
        beacon, call = compiled.upgrade()
        self._testnet.send(compiled.BEACON_OWNER, beacon, 0, call, UPGRADE_GAS)
        self._ask_upgraded(after)

    def _ask_upgraded(self, amount: int) -> None:
        command = [self._saldo, "balance", "--json", "--token", compiled.UPGRADED, compiled.HOLDER]
        done = subprocess.run(
            command, env=self._environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=ANSWER_SECONDS, check=False,
        )
        _, reading = (json.loads(line) for line in done.stdout.splitlines())
        expect_equal("amount", reading["amount"], str(amount), reading["why"])
        call = {"to": compiled.UPGRADED, "data": balance_of(compiled.HOLDER)}
        for client in self._testnet.clients:
            theirs = int(client.call("eth_call", call, client.await_block(reading["block"]["number"])), 16)
            expect_equal(f"amount at {client.name}", theirs, amount)

    def _read(self, programs: list[Program]) -> None:
        path = self._testnet.directory / "tokens.json"
        path.write_text(json.dumps(self._token_list(programs)))
        command = [self._saldo, "balance", "--json", "--token-list", path, "--timeout", "120s", self._holder]
        done = subprocess.run(
            command, env=self._environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=ANSWER_SECONDS, check=False,
        )
        log = self._testnet.directory / "logs/differential.log"
        log.write_text(done.stdout + done.stderr)
        for line in done.stdout.splitlines():
            reading = json.loads(line)
            token = reading["asset"].rpartition("/erc20:")[2].lower()
            self._readings[token] = reading
        missing = [program.address for program in programs if program.address not in self._readings]
        expect(not missing, f"no reading of {missing[:5]}: status {done.returncode}, {done.stderr[:500]}")

    def _token_list(self, programs: list[Program]) -> dict[str, Any]:
        tokens = [
            {
                "chainId": self._testnet.chain_id, "address": program.address, "decimals": 0,
                "symbol": f"R{place}", "name": f"Random {place}",
            }
            for place, program in enumerate(programs)
        ]
        version = {"major": 1, "minor": 0, "patch": 0}
        return {"name": "Random", "timestamp": "2026-01-01T00:00:00Z", "version": version, "tokens": tokens}

    def _compare(self, programs: list[Program], known_percent: int) -> Counter[str]:
        outcomes: Counter[str] = Counter()
        wrong: list[str] = []
        for program in programs:
            outcome = self._outcome(program, self._readings[program.address])
            outcomes[outcome.partition(":")[0]] += 1
            if outcome.startswith("wrong"):
                wrong.append(f"{program.address} {outcome} (code 0x{program.code.hex()})")
        with (self._testnet.directory / "logs/differential.log").open("a") as log:
            log.write(f"{dict(outcomes)}\n" + "\n".join(wrong) + "\n")
        expect(not wrong, f"{len(wrong)} differ; the first one: {wrong[:1]}")
        known = outcomes["equal"] + outcomes["no token"]
        if not known_percent:
            return outcomes
        expect(100 * known >= known_percent * len(programs), f"too few are known: {dict(outcomes)}")
        different = 100 * outcomes["clients differ"]
        expect(different <= DIFFERENT_PERCENT * len(programs), f"the clients differ: {dict(outcomes)}")
        return outcomes

    def _outcome(self, program: Program, reading: dict[str, Any]) -> str:
        if reading["state"] == "proven":
            return self._outcome_of_amount(program, int(reading["amount"]), reading["block"]["number"])
        code = reading["why"]["code"]
        if code != "not_a_token":
            return f"unknown: {code}"
        newest = self._testnet.signed_block_number()
        blocks = range(newest, max(newest - BLOCKS_BACK, 0), -1)
        fails = any(self._returned(client, program, block) is None for client in self._clients() for block in blocks)
        return "no token" if fails else "wrong: a client returns an amount at each block"

    def _outcome_of_amount(self, program: Program, amount: int, block: int) -> str:
        theirs = {client.name: self._returned(client, program, block) for client in self._clients()}
        if program.reads_limits and amount not in theirs.values() and amount == self._paid(program, block):
            return "equal with the base fee"
        if len(set(theirs.values())) > 1:
            # The gas that is left is another one at each client.
            is_fine = amount in theirs.values() or program.reads_limits
            return "clients differ" if is_fine else f"wrong: {amount} is not one of {theirs}"
        return "equal" if set(theirs.values()) == {amount} else f"wrong: {amount}, and the clients say {theirs}"

    def _clients(self) -> list[ExecutionClient]:
        """Those that know all instructions of the fork. EthereumJS does not count leading zeros (EIP-7939)."""
        return [client for client in self._testnet.clients if client is not self._testnet.ethereumjs]

    def _paid(self, program: Program, block: int) -> int | None:
        """What geth returns to a caller that pays. For one that does not, it takes a base fee of zero, and saldo does not."""
        geth = self._testnet.geth
        if geth is None:
            return None
        price = geth.call("eth_getBlockByNumber", hex(block), False)["baseFeePerGas"]
        return self._returned(geth, program, block, {"from": NO_ADDRESS, "gasPrice": price})

    def _returned(
        self, client: ExecutionClient, program: Program, block: int, paying: dict[str, str] | None = None
    ) -> int | None:
        """The first word that `balanceOf` returns; `None` if it fails, or returns less."""
        call = {"to": program.address, "data": balance_of(self._holder)} | (paying or {})
        changes = [{NO_ADDRESS: {"balance": hex(10**30)}}] if paying else []
        try:
            returned = bytes.fromhex(client.call("eth_call", call, hex(block), *changes)[2:])
        except Failed:
            return None
        return int.from_bytes(returned[:32], "big") if len(returned) >= 32 else None
