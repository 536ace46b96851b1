"""A beacon chain made by the executable consensus spec on top of real execution clients.

State transitions, signatures, light-client objects and SSZ all come from the spec package; execution blocks
come from the clients through the Engine API. Left out: networking, branches, deposits, exits and blobs.
"""

import threading
import time
from dataclasses import dataclass
from typing import Any

from eth_consensus_specs.fulu import minimal as spec
from eth_consensus_specs.test.helpers import attestations
from eth_consensus_specs.test.helpers.block import apply_randao_reveal, sign_block
from eth_consensus_specs.test.helpers.genesis import create_genesis_state
from eth_consensus_specs.test.helpers.keys import privkeys
from eth_consensus_specs.test.helpers.sync_committee import compute_committee_indices
from eth_consensus_specs.utils import bls

from engine import Built, Engine, EngineError

FORK = "fulu"
FORKS = ("altair", "bellatrix", "capella", "deneb", "electra", "fulu")
SLOT_SECONDS = 2
# One in this many members of each sync committee is absent, as on real chains.
ABSENT_EVERY = 16
VALIDATORS = 64
STATES_KEPT_EPOCHS = 3
FEE_RECIPIENT = "0x" + "fe" * 20


def configure_spec(chain_id: int) -> None:
    """Starts every fork at genesis, shortens the slots, and signs attestations in one step."""
    overrides = {f"{fork.upper()}_FORK_EPOCH": spec.Epoch(0) for fork in FORKS}
    spec.config = spec.config._replace(
        SLOT_DURATION_MS=spec.Uint64(SLOT_SECONDS * 1000),
        DEPOSIT_CHAIN_ID=spec.Uint64(chain_id),
        DEPOSIT_NETWORK_ID=spec.Uint64(chain_id),
        **overrides,
    )
    # The helper signs once per validator, which would take most of a block's time.
    attestations.sign_aggregate_attestation = _sign_attestation


@dataclass(frozen=True)
class Link:
    """A block of the chain and the state after it."""

    block: Any
    state: Any


class Chain:
    """The only branch, and the light-client data of its newest blocks."""

    def __init__(self, engines: list[Engine], genesis_time: int) -> None:
        self.lock = threading.RLock()
        self.blocks: dict[bytes, Any] = {}
        self.states: dict[bytes, Any] = {}
        self.roots_by_slot: dict[int, bytes] = {}
        self.updates_by_period: dict[int, Any] = {}
        self.finality_update: Any = None
        self.optimistic_update: Any = None
        self._engines = engines
        self._checkpoint_roots: set[bytes] = set()
        self._execution_genesis = engines[0].genesis()

        state = _genesis_state(self._execution_genesis, genesis_time)
        body_root = state.latest_block_header.body_root
        block = spec.SignedBeaconBlock(message=spec.BeaconBlock(state_root=spec.hash_tree_root(state)))
        assert body_root == spec.hash_tree_root(block.message.body)
        self.genesis = Link(block, state)
        self.head_root = self._append(self.genesis)

    @property
    def head(self) -> Link:
        """The newest block."""
        return Link(self.blocks[self.head_root], self.states[self.head_root])

    @property
    def finalized_root(self) -> bytes:
        """The finalized block; before the first finality, the first block."""
        root = bytes(self.head.state.finalized_checkpoint.root)
        return root if root in self.blocks else self.roots_by_slot[0]

    def start_of(self, slot: int) -> int:
        """When a slot starts, in seconds of Unix time."""
        return int(spec.compute_time_at_slot(self.genesis.state, spec.Slot(slot)))

    def produce(self, slot: int) -> None:
        """Builds, signs and publishes the block of a slot.

        Raises `EngineError`, and leaves the slot empty, when no execution client can build.
        """
        parent_root, parent = self.head_root, self.head
        state = parent.state.copy()
        spec.process_slots(state, spec.Slot(slot))
        built = self._execution_block(state)

        block = spec.BeaconBlock(
            slot=slot, proposer_index=spec.get_beacon_proposer_index(state), parent_root=parent_root
        )
        block.body.eth1_data = state.eth1_data
        block.body.execution_payload = _payload(built.payload)
        # Genesis has no attestations.
        if slot > 1:
            for attestation in attestations.get_valid_attestations_for_block_at_slot(
                spec, state, spec.Slot(slot - 1)
            ):
                block.body.attestations.append(attestation)
        block.body.sync_aggregate = _sync_aggregate(state, parent_root)
        apply_randao_reveal(spec, state, block, block.proposer_index)

        post_state = state.copy()
        spec.process_block(post_state, block)
        block.state_root = spec.hash_tree_root(post_state)
        link = Link(sign_block(spec, state, block, block.proposer_index), post_state)
        with self.lock:
            self.head_root = self._append(link)
            self._publish(link, parent)
            self._forget_old_states()

    def _execution_block(self, state: Any) -> Built:
        """An execution block for the slot of `state`, built by one client and accepted by all others.

        A client that is down or refuses the block falls behind; the other clients continue.
        """
        parent_root = _hex(self.head_root)
        attributes = {
            "timestamp": hex(spec.compute_time_at_slot(state, state.slot)),
            "prevRandao": _hex(spec.get_randao_mix(state, spec.get_current_epoch(state))),
            "suggestedFeeRecipient": FEE_RECIPIENT,
            "withdrawals": [],
            "parentBeaconBlockRoot": parent_root,
        }
        # The validators have no withdrawal address, so that no balance changes by itself.
        assert not spec.get_expected_withdrawals(state).withdrawals
        forkchoice = self._forkchoice(_hex(state.latest_execution_payload_header.block_hash))
        for builder in self._engines:
            try:
                built = builder.build(forkchoice, attributes)
                break
            except EngineError as error:
                report(f"slot {state.slot}: {error}")
        else:
            raise EngineError("no execution client can build a block")

        assert not built.requests, "deposits and exits are left out"
        followers = 0
        for engine in self._engines:
            try:
                engine.follow(built, parent_root, self._forkchoice(built.payload["blockHash"]))
                followers += 1
            except EngineError as error:
                report(f"slot {state.slot}: {error}")
        if not followers:
            raise EngineError("no execution client accepts the block")
        return built

    def _forkchoice(self, head_hash: str) -> dict[str, str]:
        finalized = self.blocks[self.finalized_root].message
        if finalized.slot == 0:
            finalized_hash = self._execution_genesis["hash"]
        else:
            finalized_hash = _hex(finalized.body.execution_payload.block_hash)
        return {
            "headBlockHash": head_hash,
            "safeBlockHash": finalized_hash,
            "finalizedBlockHash": finalized_hash,
        }

    def _append(self, link: Link) -> bytes:
        root = bytes(spec.hash_tree_root(link.block.message))
        self.blocks[root] = link.block
        self.states[root] = link.state
        self.roots_by_slot[int(link.block.message.slot)] = root
        self._checkpoint_roots.add(bytes(link.state.current_justified_checkpoint.root))
        return root

    def _publish(self, signer: Link, attested: Link) -> None:
        """Makes the light-client data of a new block, which contains the signatures for its parent."""
        if attested.block.message.slot == 0:
            return
        finalized = self.blocks.get(bytes(attested.state.finalized_checkpoint.root))
        update = spec.create_light_client_update(
            signer.state, signer.block, attested.state, attested.block, finalized
        )
        self.optimistic_update = spec.create_light_client_optimistic_update(update)
        if finalized is not None:
            self.finality_update = spec.create_light_client_finality_update(update)
        period = int(spec.compute_sync_committee_period_at_slot(attested.block.message.slot))
        # An update signed by the next committee cannot name the next committee of this period.
        if period == spec.compute_sync_committee_period_at_slot(signer.block.message.slot):
            best = self.updates_by_period.get(period)
            if best is None or spec.is_better_update(update, best):
                self.updates_by_period[period] = update

    def _forget_old_states(self) -> None:
        """Keeps the states for which a bootstrap can be requested: those at checkpoints, and all of a few epochs."""
        oldest = int(self.head.block.message.slot) - STATES_KEPT_EPOCHS * int(spec.SLOTS_PER_EPOCH)
        for root in list(self.states):
            if self.blocks[root].message.slot < oldest and root not in self._checkpoint_roots:
                del self.states[root]


def _genesis_state(execution_genesis: dict[str, Any], genesis_time: int) -> Any:
    balances = [spec.MAX_EFFECTIVE_BALANCE] * VALIDATORS
    state = create_genesis_state(spec, balances, spec.MAX_EFFECTIVE_BALANCE)
    state.genesis_time = genesis_time
    header = state.latest_execution_payload_header
    header.block_hash = _bytes(execution_genesis["hash"])
    header.state_root = _bytes(execution_genesis["stateRoot"])
    header.timestamp = int(execution_genesis["timestamp"], 16)
    return state


def _payload(payload: dict[str, Any]) -> Any:
    """An execution block, from the Engine API's JSON to the spec's type."""
    hexadecimal = {
        "parent_hash": "parentHash",
        "fee_recipient": "feeRecipient",
        "state_root": "stateRoot",
        "receipts_root": "receiptsRoot",
        "logs_bloom": "logsBloom",
        "prev_randao": "prevRandao",
        "extra_data": "extraData",
        "block_hash": "blockHash",
    }
    integers = {
        "block_number": "blockNumber",
        "gas_limit": "gasLimit",
        "gas_used": "gasUsed",
        "timestamp": "timestamp",
        "base_fee_per_gas": "baseFeePerGas",
        "blob_gas_used": "blobGasUsed",
        "excess_blob_gas": "excessBlobGas",
    }
    return spec.ExecutionPayload(
        transactions=[spec.Transaction(_bytes(transaction)) for transaction in payload["transactions"]],
        **{field: _bytes(payload[key]) for field, key in hexadecimal.items()},
        **{field: int(payload[key], 16) for field, key in integers.items()},
    )


def _sync_aggregate(state: Any, signed_root: bytes) -> Any:
    members = compute_committee_indices(state, state.current_sync_committee)
    bits = [(position + state.slot) % ABSENT_EVERY != 0 for position in range(len(members))]
    signers = [member for member, present in zip(members, bits, strict=True) if present]
    previous_epoch = spec.compute_epoch_at_slot(spec.Slot(state.slot - 1))
    domain = spec.get_domain(state, spec.DOMAIN_SYNC_COMMITTEE, previous_epoch)
    signing_root = spec.compute_signing_root(spec.Root(signed_root), domain)
    return spec.SyncAggregate(
        sync_committee_bits=bits, sync_committee_signature=_sign_together(signers, signing_root)
    )


def _sign_together(validators: list[int], signing_root: bytes) -> Any:
    """The aggregate signature of many validators: for one message, the signature by the sum of their keys."""
    return bls.Sign(sum(privkeys[validator] for validator in validators), signing_root)


def _sign_attestation(_spec: Any, state: Any, data: Any, validators: list[int]) -> Any:
    domain = spec.get_domain(state, spec.DOMAIN_BEACON_ATTESTER, data.target.epoch)
    return _sign_together(validators, spec.compute_signing_root(data, domain))


def _hex(data: bytes) -> str:
    return "0x" + bytes(data).hex()


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def report(message: str) -> None:
    """Writes a line of the log."""
    print(f"{time.time():.3f} {message}", flush=True)
