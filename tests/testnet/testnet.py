"""The running test network: execution clients on one chain, and the consensus process that drives them."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from compiled import all_compiled
from install import HERE, Installed
from process import Command, Failed, Process, run, wait_until
from programs import all_programs
from rollup_contracts import PROPOSER_ADDRESS, PROPOSER_KEY, rollup_contracts

GENESIS = HERE / "genesis.json"
# Accounts with 10,000 ether at genesis. Their keys are the first ones of a well-known mnemonic.
FUNDED_KEYS = {
    "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266":
        "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x70997970c51812dc3a010c7d01b50e0d17dc79c8":
        "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc":
        "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
}
START_SECONDS = 60.0
CATCH_UP_SECONDS = 300.0
REQUEST_SECONDS = 5.0
TRANSFER_GAS = 21_000


@dataclass(frozen=True)
class ExecutionClient:
    """One of the execution clients, as a provider of balances."""

    name: str
    url: str
    process: Process

    def call(self, method: str, *parameters: Any) -> Any:
        """Requests one JSON-RPC result."""
        return request(self.name, self.url, method, *parameters)

    def await_block(self, number: int) -> str:
        """The number as JSON-RPC has it, once the client has that block. On a busy machine one that follows can lag."""
        has_it = lambda: int(self.call("eth_blockNumber"), 16) >= number
        wait_until(f"block {number} at {self.name}", has_it, START_SECONDS, [self.process])
        return hex(number)

    def answers(self) -> bool:
        """Whether the client is up."""
        try:
            self.call("eth_chainId")
            return True
        except Failed:
            return False


class Testnet:
    """A running chain. `start` starts one and stops it again."""

    def __init__(self, directory: Path, installed: Installed) -> None:
        self.directory = directory
        self.genesis: dict[str, Any] = json.loads(GENESIS.read_text())
        # The contracts of a rollup: with proofs that L1 checks, and with time for a challenge.
        self.checked, self.challenged = rollup_contracts()
        contracts = [*all_programs(), *all_compiled(), *self.checked.accounts(), *self.challenged.accounts()]
        self.genesis["alloc"] |= {contract.address: contract.account() for contract in contracts}
        self.genesis["alloc"][PROPOSER_ADDRESS] = {"balance": hex(10_000 * 10**18)}
        self._genesis_file = directory / "genesis.json"
        self._genesis_file.write_text(json.dumps(self.genesis))
        self.chain_id: int = self.genesis["config"]["chainId"]
        self._installed = installed
        self._jwt_secret = directory / "jwt.hex"
        self._processes: list[Process] = []
        # None if it is not installed.
        self.geth: ExecutionClient | None = None

    @property
    def clients(self) -> list[ExecutionClient]:
        """All execution clients."""
        return [self.ethrex, self.ethereumjs] + ([self.geth] if self.geth else [])

    def start(self) -> None:
        """Starts the clients and the chain, and waits until the chain has reached the present time."""
        self._jwt_secret.write_text(secrets.token_hex(32))
        ports = free_ports(7)
        self.ethrex = self._client("ethrex", ports[0], self._ethrex_command(*ports[:2]))
        self.ethereumjs = self._client("ethereumjs", ports[2], self._ethereumjs_command(*ports[2:4]))
        if geth := self._installed.geth:
            self._make_geth_database(geth)
            self._geth_start = self._geth_command(geth, *ports[5:7])
            self.geth = self._client("geth", ports[5], self._geth_start)
        for client in self.clients:
            wait_until(f"answer from {client.name}", client.answers, START_SECONDS, self._processes)
        self.beacon_url = f"http://127.0.0.1:{ports[4]}"
        engines = {"ethrex": ports[1], "ethereumjs": ports[3]} | ({"geth": ports[6]} if self.geth else {})
        self.beacon = self._start("beacon", self._beacon_command(ports[4], engines))
        wait_until("chain up to now", self._is_up_to_now, CATCH_UP_SECONDS, self._processes)

    def restart_geth(self, number: signal.Signals) -> None:
        """Ends geth by a signal, and starts it again with the same database and at the same ports."""
        assert self.geth is not None
        ended = self.geth.process
        ended.send_signal(number)
        ended.wait(START_SECONDS)
        self._processes.remove(ended)
        self.geth = replace(self.geth, process=self._start("geth", self._geth_start))
        wait_until("answer from geth after its restart", self.geth.answers, START_SECONDS, self._processes)

    def stop(self) -> None:
        """Stops everything that was started, the chain first."""
        for process in reversed(self._processes):
            process.stop()

    def demand_running(self) -> None:
        """Raises `Failed` if a part of the network has ended by itself."""
        for process in self._processes:
            process.demand_running()

    def _client(self, name: str, port: int, command: Command) -> ExecutionClient:
        return ExecutionClient(name, f"http://127.0.0.1:{port}", self._start(name, command))

    def _start(self, name: str, command: Command) -> Process:
        process = Process(name, command, self.directory / "logs" / f"{name}.log", self.directory)
        self._processes.append(process)
        return process

    def _ethrex_command(self, rpc: int, engine: int) -> Command:
        addresses = [f"127.0.0.1:{rpc}", f"127.0.0.1:{engine}"]
        return [self._installed.ethrex, self._genesis_file, self._jwt_secret, *addresses]

    def _ethereumjs_command(self, rpc: int, engine: int) -> Command:
        chain: Command = ["--gethGenesis", self._genesis_file, "--dataDir", self.directory / "ethereumjs"]
        alone = ["--sync", "none", "--isSingleNode", "--port", "0", "--maxPeers", "0"]
        alone += ["--discDns=false", "--discV4=false"]
        servers: list[str | Path] = ["--rpc", "--rpcAddr", "127.0.0.1", "--rpcPort", str(rpc)]
        servers += ["--rpcEngine", "--rpcEngineAddr", "127.0.0.1", "--rpcEnginePort", str(engine)]
        servers += ["--jwtSecret", self._jwt_secret]
        # The library that is used without this option exists only for some machines.
        portable = ["--useJsCrypto", "true"]
        script = self._installed.ethereumjs / "node_modules/.bin/ethereumjs"
        return ["node", script, *chain, *alone, *servers, *portable, "--logFile", "false"]

    def _make_geth_database(self, geth: Path) -> None:
        command: Command = [geth, "--datadir", self.directory / "geth", "init", self._genesis_file]
        run("making geth's database", command, self.directory / "logs/geth-init.log", START_SECONDS, self.directory)

    def _geth_command(self, geth: Path, rpc: int, engine: int) -> Command:
        chain: Command = [geth, "--datadir", self.directory / "geth", "--networkid", str(self.chain_id)]
        alone: Command = ["--config", HERE / "geth/geth.toml", "--nodiscover", "--maxpeers", "0", "--nat", "none"]
        servers: Command = ["--ipcdisable", "--http", "--http.addr", "127.0.0.1", "--http.port", str(rpc)]
        servers = [*servers, "--http.api", "eth,net,web3,debug", "--authrpc.addr", "127.0.0.1"]
        servers = [*servers, "--authrpc.port", str(engine), "--authrpc.jwtsecret", self._jwt_secret]
        # It never puts a transaction with a smaller tip into a block, and the transfers tip 1 wei.
        return [*chain, *alone, *servers, "--syncmode", "full", "--miner.gasprice", "1"]

    def _beacon_command(self, port: int, engines: dict[str, int]) -> Command:
        command: list[str | Path] = [self._installed.python, "-B", HERE / "beacon.py"]
        command += ["--port", str(port), "--jwt-secret", self._jwt_secret]
        for name, engine in engines.items():
            command += ["--engine", f"{name}=http://127.0.0.1:{engine}"]
        return command

    def _is_up_to_now(self) -> bool:
        try:
            genesis_time = int(self.beacon_data("beacon/genesis")["genesis_time"])
            seconds_per_slot = int(self.beacon_data("config/spec")["SECONDS_PER_SLOT"])
            head_slot = int(self.beacon_data("node/syncing")["head_slot"])
            self.beacon_data("beacon/light_client/finality_update")
        except Failed:
            return False
        return head_slot >= (time.time() - genesis_time) // seconds_per_slot - 1

    def beacon_data(self, route: str) -> Any:
        """The `data` of an answer of the beacon API."""
        return fetch(f"{self.beacon_url}/eth/v1/{route}")["data"]

    def signed_block_number(self) -> int:
        """The newest execution block that the sync committee has signed."""
        update = self.beacon_data("beacon/light_client/optimistic_update")
        return int(update["attested_header"]["execution"]["block_number"])

    def funded_at_genesis(self, address: str) -> int:
        """The balance of an account at genesis, in wei."""
        return int(self.genesis["alloc"][address]["balance"], 16)

    def transfer(self, sender: str, recipient: str, wei: int) -> int:
        """Sends ether and returns the number of the block that holds the transaction, once it is signed."""
        return self.send(sender, recipient, wei, "0x", TRANSFER_GAS)

    def send(self, sender: str, recipient: str, wei: int, data: str, gas: int) -> int:
        """Sends a transaction and returns the number of the block that holds it, once it is signed."""
        base_fee = int(self.ethrex.call("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)
        transaction = {
            "chainId": hex(self.chain_id),
            "nonce": self.ethrex.call("eth_getTransactionCount", sender, "latest"),
            "maxPriorityFeePerGas": hex(1),
            "maxFeePerGas": hex(2 * base_fee + 1),
            "gasLimit": hex(gas),
            "to": recipient,
            "value": hex(wei),
            "data": data,
            "key": (FUNDED_KEYS | {PROPOSER_ADDRESS: PROPOSER_KEY})[sender],
        }
        transaction_hash = self.ethrex.call("eth_sendRawTransaction", self.sign(transaction))
        found: dict[str, Any] = {}

        def is_signed() -> bool:
            found.update(self.ethrex.call("eth_getTransactionByHash", transaction_hash) or {})
            number = found.get("blockNumber")
            return number is not None and self.signed_block_number() >= int(number, 16)

        wait_until("signed block with the transaction", is_signed, START_SECONDS, self._processes)
        number = int(found["blockNumber"], 16)
        # ethrex, which has its blocks in memory here, answers with an error for all but the first transaction of a block.
        other = self.geth or self.ethereumjs
        other.await_block(number)
        receipt = other.call("eth_getTransactionReceipt", transaction_hash)
        if receipt["status"] != "0x1":
            raise Failed(f"the transaction failed: {receipt}")
        return number

    def sign(self, transaction: dict[str, str]) -> str:
        """A signed transaction, as JSON-RPC takes it. `key` is that of its sender."""
        # A script on standard input finds its packages from the working directory.
        command = ["node", "--input-type=module", "-", json.dumps(transaction)]
        with (HERE / "transfer.mjs").open() as script:
            signed = subprocess.run(
                command, stdin=script, cwd=self._installed.ethereumjs,
                capture_output=True, text=True, timeout=START_SECONDS, check=False,
            )
        if signed.returncode != 0:
            raise Failed(f"signing failed: {signed.stderr}")
        return signed.stdout.strip()

    def environment(self, saldo: Path) -> dict[str, str]:
        """The environment that a command needs to use the chain. Also creates the network file."""
        network = self.directory / "network.toml"
        network.write_text(self._network(saldo))
        finalized = self.beacon_data("beacon/headers/finalized")
        checkpoint = f"{finalized['root']}@{finalized['header']['message']['slot']}"
        environment = {
            "ETH_RPC_URL": ",".join(f"{client.name}={client.url}" for client in self.clients),
            "SALDO_NETWORK": str(network),
            "SALDO_BEACON_URL": f"beacon={self.beacon_url}",
            "SALDO_CHECKPOINT": checkpoint,
            "SALDO_BIN": str(saldo),
            "TESTNET_CHAIN_ID": str(self.chain_id),
            "TESTNET_DIRECTORY": str(self.directory),
            "TESTNET_BEACON_URL": self.beacon_url,
            "TESTNET_BEACON_PID": str(self.beacon.pid),
        }
        for client in self.clients:
            environment[f"TESTNET_{client.name.upper()}_URL"] = client.url
            environment[f"TESTNET_{client.name.upper()}_PID"] = str(client.process.pid)
        for number, (address, key) in enumerate(FUNDED_KEYS.items(), start=1):
            environment[f"TESTNET_FUNDED_ADDRESS_{number}"] = address
            environment[f"TESTNET_FUNDED_KEY_{number}"] = key
        lines = (f"{name}={shlex.quote(value)}\n" for name, value in environment.items())
        (self.directory / "testnet.env").write_text("".join(lines))
        return environment

    def _network(self, saldo: Path) -> str:
        command = [str(saldo), "network", "import", "--beacon-url", self.beacon_url]
        done = subprocess.run(
            command, env=self.private_environment(), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=START_SECONDS, check=False,
        )
        if done.returncode != 0:
            raise Failed(f"saldo network import ended with status {done.returncode}: {done.stderr}")
        return done.stdout

    def private_environment(self) -> dict[str, str]:
        """An environment without the user's settings, in which no file outlives the run."""
        home = self.directory / "home"
        home.mkdir(exist_ok=True)
        return {"HOME": str(home), "PATH": os.environ["PATH"]}


@contextmanager
def running(directory: Path, installed: Installed) -> Iterator[Testnet]:
    """A test network for the length of a `with` block."""
    testnet = Testnet(directory, installed)
    try:
        testnet.start()
        yield testnet
    finally:
        testnet.stop()


def request(name: str, url: str, method: str, *parameters: Any) -> Any:
    """One JSON-RPC result of the server `name`; raises `Failed` for anything else."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)})
    answer = fetch(url, body.encode())
    if "result" not in answer:
        raise Failed(f"{name}: {method}: {answer.get('error')}")
    return answer["result"]


def fetch(url: str, body: bytes | None = None, seconds: float = REQUEST_SECONDS) -> Any:
    """A JSON document; raises `Failed` for anything else."""
    asked = urllib.request.Request(url, body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=seconds) as response:
            return json.load(response)
    except (OSError, ValueError) as error:
        raise Failed(f"{url}: {error}") from error


def free_ports(count: int) -> list[int]:
    """That many free ports of this machine."""
    with ExitStack() as stack:
        # All at once: a released port could be assigned again.
        listeners = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return [int(listener.getsockname()[1]) for listener in listeners]
