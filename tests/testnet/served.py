"""What `saldo serve` answers, beside the answers of the clients themselves at the same block."""

from __future__ import annotations

import json
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import compiled
from process import Failed, Process, wait_until
from programs import PLAIN, all_programs, balance_of
from scenario import FUNDED, TEN, expect, expect_equal
from testnet import FUNDED_KEYS, START_SECONDS, ExecutionClient, Testnet

ANSWER_SECONDS = 60.0
SENDER, RECIPIENT = list(FUNDED_KEYS)[:2]
# This many random contracts are called, each in each way.
CALLED = 60
# At least so many percent of the calls of random contracts must be answered.
KNOWN_PERCENT = 90
# The reason of a call that saldo does not finish.
NOT_PROVEN, REVERTED, FAILED = -32050, 3, -32000
# Reads at one time, as a wallet fires them when a screen opens.
AT_ONCE = 20
TRANSFER_GAS = 21_000
# An estimate may differ from that of a client by so many parts in a hundred: each stops its search at another place.
ESTIMATE_PERCENT = 7


class Served:
    """The checks: a server is started, and asked what the clients are asked."""

    def __init__(self, testnet: Testnet, saldo: Path, environment: dict[str, str]) -> None:
        self._testnet = testnet
        self._saldo = saldo
        self._environment = testnet.private_environment() | environment
        self._url = ""
        self._clients: list[ExecutionClient] = []

    def checks(self) -> Iterator[tuple[str, Callable[[], object]]]:
        """Every check with its name."""
        log = self._testnet.directory / "logs/serve.log"
        command = [self._saldo, "serve", "--json", "--listen", "127.0.0.1:0"]
        server = Process("serve", command, log, self._testnet.directory, self._environment)
        try:
            yield "serve: answers", lambda: self._find(server, log)
            yield "serve: accounts, slots, codes and proofs are those of the clients", self._compare_state
            yield "serve: blocks are those of the clients", self._compare_blocks
            yield f"serve: {AT_ONCE} reads at once, at a block that was announced", self._compare_at_once
            yield f"serve: {3 * CALLED} calls of random contracts return what they return at the clients", self._compare_calls
            yield "serve: compiled contracts revert with the same bytes", self._compare_reverts
            yield "serve: estimates are enough, and near those of the clients", self._compare_estimates
        finally:
            server.stop()

    def _find(self, server: Process, log: Path) -> None:
        def printed() -> bool:
            lines = [line for line in log.read_text().splitlines() if line.startswith("{")]
            self._url = json.loads(lines[0])["url"] if lines else ""
            return bool(self._url)

        wait_until("line of saldo serve", printed, START_SECONDS, [server])
        # EthereumJS proves no blocks of the past, and does not know all instructions of the fork.
        self._clients = [client for client in self._testnet.clients if client is not self._testnet.ethereumjs]
        expect_equal("chain id", int(self._ask("eth_chainId"), 16), self._testnet.chain_id)

    def _compare_state(self) -> None:
        block = self._ask("eth_blockNumber")
        token = next(program for program in all_programs() if program.storage)
        slots = [f"0x{slot:064x}" for slot in token.storage][:3]
        for address in [FUNDED, SENDER, "0x" + 39 * "0" + "9", token.address, *TEN[:3]]:
            self._compare("eth_getBalance", address, block)
            self._compare("eth_getTransactionCount", address, block)
            self._compare("eth_getCode", address, block)
            self._compare("eth_getStorageAt", address, slots[0], block)
            self._compare_proof(address, slots, block)
        for slot in slots:
            self._compare("eth_getStorageAt", token.address, slot, block)
        block_hash = self._ask("eth_getBlockByNumber", block, False)["hash"]
        ours = self._ask("eth_getBalance", FUNDED, {"blockHash": block_hash, "requireCanonical": True})
        expect_equal("balance at a hash", ours, self._ask("eth_getBalance", FUNDED, block))

    def _compare_proof(self, address: str, slots: list[str], block: str) -> None:
        # Clients differ in how they write a key, and in the proof of an account that has no storage.
        ours = self._ask("eth_getProof", address, slots, block)
        for client in self._clients:
            theirs = client.call("eth_getProof", address, slots, block)
            for member in ("accountProof", "balance", "nonce"):
                expect_equal(f"{member} of {address}", ours[member], theirs[member], client.name)
            values = [[int(slot["value"], 16) for slot in proof["storageProof"]] for proof in (ours, theirs)]
            expect_equal(f"values of {address}", *values, client.name)

    def _compare_blocks(self) -> None:
        number = self._ask("eth_blockNumber")
        for block in (number, hex(int(number, 16) - 5)):
            ours = self._ask("eth_getBlockByNumber", block, False)
            expect_equal("the same by its hash", self._ask("eth_getBlockByHash", ours["hash"], False), ours)
            for client in self._clients:
                theirs = client.call("eth_getBlockByNumber", block, False)
                # No node computes it after the merge, and some leave it out.
                members = [member for member in theirs if member != "totalDifficulty" and theirs[member] is not None]
                different = [member for member in members if ours.get(member) != theirs[member]]
                said = {member: (ours.get(member), theirs[member]) for member in different}
                expect(not different, f"block {block} differs from {client.name}'s: {said}")

    def _compare_at_once(self) -> None:
        block = self._ask("eth_blockNumber")
        addresses = [*TEN, *(program.address for program in all_programs()[: AT_ONCE - len(TEN)])]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(lambda address: self._ask("eth_getBalance", address, block), addresses))
        for address, ours in zip(addresses, answers, strict=True):
            for client in self._clients:
                expect_equal(f"balance of {address}", ours, client.call("eth_getBalance", address, block), client.name)

    def _compare_calls(self) -> None:
        random = Random("calls")
        outcomes: Counter[str] = Counter()
        for program in all_programs()[:PLAIN][:: PLAIN // CALLED][:CALLED]:
            block = self._ask("eth_blockNumber")
            for data in (balance_of(FUNDED), "0x" + random.randbytes(68).hex(), "0x"):
                call = {"from": SENDER, "to": program.address, "data": data, "value": hex(random.choice((0, 1, 10**18)))}
                outcomes[self._compare_call(call, block)] += 1
        known = sum(outcomes[kind] for kind in ("equal", "reverts", "fails"))
        expect(100 * known >= KNOWN_PERCENT * sum(outcomes.values()), f"too few are known: {dict(outcomes)}")
        for kind in ("equal", "reverts"):
            expect(outcomes[kind] > 0, f"none of the calls {kind}: {dict(outcomes)}")

    def _compare_call(self, call: dict[str, str], block: str) -> str:
        """How the call ends. Raises `Failed` if no client ends it so."""
        ours = self._outcome(self._url, call, block)
        if ours[0] == "unknown":
            return f"unknown: {ours[1]}"
        theirs = {client.name: self._outcome(client.url, call, block) for client in self._clients}
        # The gas that a node gives a call decides some calls. One that agrees shows that the result is possible.
        expect(ours in theirs.values(), f"{call} at {block}: {ours}, and the clients say {theirs}")
        return ours[0]

    def _outcome(self, url: str, call: dict[str, str], block: str) -> tuple[str, str]:
        answer = exchange(url, "eth_call", call, block)
        if "result" in answer:
            return "equal", answer["result"]
        error = answer["error"]
        if error["code"] == NOT_PROVEN:
            return "unknown", error["data"][0]["reason"]
        if "revert" in error["message"].lower() or error["code"] == REVERTED:
            return "reverts", error.get("data") or "0x"
        # Each client has its own words for each kind of failure.
        return "fails", ""

    def _compare_reverts(self) -> None:
        contracts = compiled.compiled()
        block = self._ask("eth_blockNumber")
        # A transfer of units that the caller does not have.
        data = "0xa9059cbb" + SENDER[2:].rjust(64, "0") + f"{10**30:064x}"
        outcomes: Counter[str] = Counter()
        for name in sorted(contracts):
            call = {"from": RECIPIENT, "to": contracts[name].address, "data": data}
            outcomes[self._compare_call(call, block)] += 1
        expect(outcomes["reverts"] > len(contracts) // 2, f"too few revert: {dict(outcomes)}")

    def _compare_estimates(self) -> None:
        transfer = {"from": SENDER, "to": RECIPIENT, "value": "0x1"}
        expect_equal("estimate of a transfer", int(self._ask("eth_estimateGas", transfer), 16), TRANSFER_GAS)
        contracts = compiled.compiled()
        block = self._ask("eth_blockNumber")
        amount = "0xa9059cbb" + SENDER[2:].rjust(64, "0") + f"{1:064x}"
        compared = 0
        for name in sorted(compiled.given()):
            call = {"from": compiled.HOLDER, "to": contracts[name].address, "data": amount}
            answer = exchange(self._url, "eth_estimateGas", call, block)
            if "error" in answer:
                continue
            gas = int(answer["result"], 16)
            done = [self._succeeds(client, call | {"gas": hex(gas)}, block) for client in self._clients]
            expect(all(done), f"{name}: {gas} gas is not enough")
            for client in self._clients:
                theirs = int(client.call("eth_estimateGas", call, block), 16)
                near = 100 * abs(gas - theirs) <= ESTIMATE_PERCENT * max(gas, theirs)
                expect(near, f"{name}: {gas} gas, and {client.name} says {theirs}")
            compared += 1
        expect(compared >= len(compiled.given()) // 2, f"only {compared} of {len(compiled.given())} were estimated")

    def _succeeds(self, client: ExecutionClient, call: dict[str, str], block: str) -> bool:
        return "result" in exchange(client.url, "eth_call", call, block)

    def _compare(self, method: str, *parameters: Any) -> None:
        ours = self._ask(method, *parameters)
        for client in self._clients:
            expect_equal(f"{method}{parameters}", ours, client.call(method, *parameters), client.name)

    def _ask(self, method: str, *parameters: Any) -> Any:
        answer = exchange(self._url, method, *parameters)
        if "result" not in answer:
            raise Failed(f"saldo serve: {method}{parameters}: {answer.get('error')}")
        return answer["result"]


def exchange(url: str, method: str, *parameters: Any) -> Any:
    """The whole reply of a JSON-RPC server, with its result or its error."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)})
    asked = urllib.request.Request(url, body.encode(), {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=ANSWER_SECONDS) as response:
            return json.load(response)
    except (OSError, ValueError) as error:
        raise Failed(f"{method} at {url}: {error}") from error
