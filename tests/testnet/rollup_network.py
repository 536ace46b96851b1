"""A whole rollup on the test network: a sequencer, its batches on L1, and a follower that makes the same chain of them.

L1 needs nothing for it but the slot with the address of the sequencer, which the contracts of the test network have.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from op_geth import OpGeth
from process import Command, Failed, Process, wait_until
from rollup_chain import BLOCK_SECONDS, DENOMINATOR, ELASTICITY, GAS_LIMIT, genesis
from rollup_contracts import CHAIN_ID, PROPOSER_KEY
from testnet import FUNDED_KEYS, START_SECONDS, TRANSFER_GAS, Testnet, free_ports, request

BATCH_INBOX = "0xff00000000000000000000000000000000031338"
FORKS = ("regolith", "canyon", "delta", "ecotone", "fjord", "granite", "holocene", "isthmus")
# What op-node knows of the configuration of an L1. It refuses names that it does not know.
L1_UNKNOWN = ("mergeForkBlock", "terminalTotalDifficultyPassed")
# Version 1 ‖ the factor of the fee for blobs ‖ that of the base fee, as on real rollups.
FEE_FACTORS = b"\x01".ljust(24, b"\0") + (810_949).to_bytes(4, "big") + (1368).to_bytes(4, "big")
# Every balance of every block is asked for at the end, so op-geth must keep all states.
ALL_STATES = ("--state.scheme", "hash", "--gcmode", "archive")
# Without a boot node, op-node looks up the public ones, although it is to discover no peers. This one does not exist.
NO_BOOT_NODE = (
    "enode://79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8@127.0.0.1:1"
)
# Who sends the batches, and who pays in the rollup. Nothing else sends from there while the rollup runs.
BATCHER, PAYER = list(FUNDED_KEYS)[2], list(FUNDED_KEYS)[0]
TIP_WEI = 10**9


class OpNode:
    """One op-node with its op-geth."""

    def __init__(self, name: str, chain: OpGeth, program: Path, options: list[str]) -> None:
        self.name = name
        self.chain = chain
        self.rpc, self.gossip = free_ports(2)
        self.url = f"http://127.0.0.1:{self.rpc}"
        self._command: Command = [program, *options, *self._servers()]
        self.process: Process | None = None

    def start(self) -> None:
        """Starts it, with the same identity and at the same ports each time, and waits until it answers."""
        self.stop()
        log = self.chain.directory / "logs" / f"{self.name}.log"
        self.process = Process(self.name, self._command, log, self.chain.directory)
        wait_until(f"answer from {self.name}", self._answers, START_SECONDS, [self.process])

    def end(self) -> None:
        """Ends it as an operator does, by SIGTERM."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(START_SECONDS)

    def stop(self) -> None:
        """Stops it, if it runs."""
        if self.process:
            self.process.stop()

    def call(self, method: str, *parameters: Any) -> Any:
        """Requests one JSON-RPC result of op-node."""
        return request(self.name, self.url, method, *parameters)

    def number(self, which: str) -> int:
        """The number of its block `unsafe_l2`, `safe_l2` or `finalized_l2`."""
        return int(self.call("optimism_syncStatus")[which]["number"])

    def output_root(self, number: int) -> bytes:
        """What op-node says that L1 is to be told of a block."""
        return bytes.fromhex(self.call("optimism_outputAtBlock", hex(number))["outputRoot"][2:])

    def peer(self) -> str:
        """Where other nodes find it."""
        return f"/ip4/127.0.0.1/tcp/{self.gossip}/p2p/{self.call('opp2p_self')['peerID']}"

    def _servers(self) -> list[str]:
        servers = ["--rpc.addr", "127.0.0.1", "--rpc.port", str(self.rpc)]
        servers += ["--p2p.listen.ip", "127.0.0.1", "--p2p.listen.tcp", str(self.gossip), "--p2p.no-discovery"]
        servers += ["--p2p.bootnodes", NO_BOOT_NODE, "--p2p.priv.path", str(self.chain.directory / f"{self.name}.p2p")]
        return [*servers, "--p2p.peerstore.path", "memory", "--p2p.discovery.path", "memory"]

    def _answers(self) -> bool:
        try:
            self.call("optimism_syncStatus")
            return True
        except Failed:
            return False


class RollupNetwork:
    """A rollup: op-node and op-geth twice, as sequencer and as follower, and op-batcher."""

    def __init__(self, testnet: Testnet, op_geth: Path, op_node: Path) -> None:
        self._testnet = testnet
        self._programs = op_node
        self._directory = testnet.directory
        # Built as op-node is. It has all receipts of a block, which op-node reads, and ethrex has not (see `Testnet.send`).
        assert testnet.geth is not None
        self._l1 = testnet.geth
        self.sequencing = OpGeth(self._directory, op_geth)
        self.following = OpGeth(self._directory, op_geth, "op-geth-follower")

    @contextmanager
    def running(self, funded: dict[str, int]) -> Iterator[None]:
        """The rollup for the length of a `with` block. It starts with the newest block of L1."""
        first = self._l1.call("eth_getBlockByNumber", "latest", False)
        self.genesis_time = int(first["timestamp"], 16)
        paying = {PAYER: 1_000 * 10**18}
        block = genesis(self.genesis_time, self._testnet.genesis["alloc"], funded | paying)
        with ExitStack() as started:
            for chain in (self.sequencing, self.following):
                started.callback(chain.stop)
                chain.start_client(block, ALL_STATES)
            self._write_configuration(first)
            key = ["--p2p.sequencer.key", PROPOSER_KEY]
            sequencing = ["--sequencer.enabled", "--sequencer.l1-confs", "0", *key]
            self.sequencer = self._node("op-node", self.sequencing, sequencing)
            started.callback(self.sequencer.stop)
            self.sequencer.start()
            self.follower = self._node("op-node-follower", self.following, ["--p2p.static", self.sequencer.peer()])
            started.callback(self.follower.stop)
            self.follower.start()
            self.batcher = Process(
                "op-batcher", self._batcher_command(), self._directory / "logs/op-batcher.log", self._directory
            )
            started.callback(self.batcher.stop)
            yield

    def demand_running(self) -> None:
        """Raises `Failed` if a part that is never stopped has ended by itself."""
        for process in (self.sequencing.process, self.following.process, self.follower.process, self.batcher):
            assert process is not None
            process.demand_running()

    def pay(self, recipient: str, wei: int) -> int:
        """Sends ether in the rollup, and returns the number of the block with the transaction."""
        call = self.sequencing.call
        base_fee = int(call("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)
        signed = self._testnet.sign({
            "chainId": hex(CHAIN_ID), "nonce": call("eth_getTransactionCount", PAYER, "pending"),
            "maxPriorityFeePerGas": hex(TIP_WEI), "maxFeePerGas": hex(2 * base_fee + TIP_WEI),
            "gasLimit": hex(TRANSFER_GAS), "to": recipient, "value": hex(wei), "data": "0x", "key": FUNDED_KEYS[PAYER],
        })
        digest = call("eth_sendRawTransaction", signed)
        receipt: dict[str, Any] = {}

        def is_there() -> bool:
            self.demand_running()
            receipt.update(call("eth_getTransactionReceipt", digest) or {})
            return bool(receipt)

        wait_until("block with the payment", is_there, START_SECONDS)
        if receipt["status"] != "0x1":
            raise Failed(f"the payment failed: {receipt}")
        return int(receipt["blockNumber"], 16)

    def _node(self, name: str, chain: OpGeth, options: list[str]) -> OpNode:
        files = ["--rollup.config", self._file("rollup.json"), "--rollup.l1-chain-config", self._file("l1.json")]
        l1 = ["--l1", self._l1.url, "--l1.beacon.ignore", "--l1.http-poll-interval", "1s", "--l1.epoch-poll-interval", "4s"]
        l2 = ["--l2", chain.engine_url, "--l2.jwt-secret", str(chain.secret)]
        return OpNode(name, chain, self._programs / "op-node", [*l1, *l2, *files, *options])

    def _batcher_command(self) -> Command:
        # To ethrex, because it builds the blocks of L1, and the clients do not pass transactions on to each other.
        command = ["--l1-eth-rpc", self._testnet.ethrex.url, "--l2-eth-rpc", self.sequencing.url]
        command += ["--rollup-rpc", self.sequencer.url, "--private-key", FUNDED_KEYS[BATCHER]]
        # The chain of the test network has no blobs.
        command += ["--data-availability-type", "calldata", "--max-channel-duration", "2", "--sub-safety-margin", "4"]
        command += ["--poll-interval", "1s", "--num-confirmations", "1", "--throttle.unsafe-da-bytes-lower-threshold", "0"]
        command += ["--rpc.addr", "127.0.0.1", "--rpc.port", str(free_ports(1)[0])]
        return [self._programs / "op-batcher", *command]

    def _write_configuration(self, first: dict[str, Any]) -> None:
        config = {name: value for name, value in self._testnet.genesis["config"].items() if name not in L1_UNKNOWN}
        Path(self._file("l1.json")).write_text(json.dumps(config))
        Path(self._file("rollup.json")).write_text(json.dumps(self._configuration(first)))

    def _configuration(self, first: dict[str, Any]) -> dict[str, Any]:
        """What both op-nodes must know of the rollup. `first` is the block of L1 with which it starts."""
        contracts = self._testnet.checked
        zero = "0x" + bytes(32).hex()
        system = {
            "batcherAddr": BATCHER, "overhead": zero, "scalar": "0x" + FEE_FACTORS.hex(), "gasLimit": GAS_LIMIT,
            "eip1559Params": "0x" + bytes(8).hex(), "operatorFeeParams": zero,
        }
        return {
            "genesis": {
                "l1": {"hash": first["hash"], "number": int(first["number"], 16)},
                "l2": {"hash": self.sequencing.block(0)["hash"], "number": 0},
                "l2_time": self.genesis_time, "system_config": system,
            },
            "block_time": BLOCK_SECONDS, "max_sequencer_drift": 600, "seq_window_size": 3600, "channel_timeout": 300,
            "l1_chain_id": self._testnet.chain_id, "l2_chain_id": CHAIN_ID, **{f"{fork}_time": 0 for fork in FORKS},
            "batch_inbox_address": BATCH_INBOX, "deposit_contract_address": "0x" + contracts.address("portal").hex(),
            "l1_system_config_address": "0x" + contracts.address("system config").hex(),
            "chain_op_config": {
                "eip1559Elasticity": ELASTICITY, "eip1559Denominator": 50, "eip1559DenominatorCanyon": DENOMINATOR,
            },
        }

    def _file(self, name: str) -> str:
        return str(self._directory / name)
