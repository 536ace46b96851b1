"""The part of the beacon API that light clients and checkpoint sources use, served from a `Chain`.

Light-client objects and blocks come as JSON, or as SSZ when the request accepts `application/octet-stream`.
"""

import json
import struct
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from eth_consensus_specs.debug.encode import encode
from eth_consensus_specs.fulu import minimal as spec

from chain import FORK, FORKS, SLOT_SECONDS, Chain

SSZ = "application/octet-stream"
MAX_UPDATES = 128
PRESET = (
    "SLOTS_PER_EPOCH",
    "EPOCHS_PER_SYNC_COMMITTEE_PERIOD",
    "SYNC_COMMITTEE_SIZE",
    "MIN_SYNC_COMMITTEE_PARTICIPANTS",
    "SLOTS_PER_HISTORICAL_ROOT",
)


class NotFound(Exception):
    """The chain does not have the object, or the route does not exist."""


def handler(chain: Chain) -> type[BaseHTTPRequestHandler]:
    """A request handler class bound to a chain."""
    return type("Handler", (_Handler,), {"chain": chain})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    chain: Chain

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        try:
            with self.chain.lock:
                self._route(address.path.strip("/").split("/"), parse_qs(address.query))
        except NotFound as error:
            self._json({"code": 404, "message": str(error)}, status=404)
        except (KeyError, ValueError) as error:
            self._json({"code": 400, "message": f"bad request: {error}"}, status=400)

    def log_message(self, *_: Any) -> None:
        """Logs nothing: the log is only for events of the chain."""

    def _route(self, path: list[str], query: dict[str, list[str]]) -> None:
        chain = self.chain
        match path:
            case ["eth", "v1", "beacon", "genesis"]:
                self._json({"data": _genesis(chain)})
            case ["eth", "v1", "config", "spec"]:
                self._json({"data": _config()})
            case ["eth", "v1", "config", "fork_schedule"]:
                self._json({"data": _fork_schedule()})
            case ["eth", "v1", "node", "version"]:
                self._json({"data": {"version": "eth-consensus-specs/1.7.0a13"}})
            case ["eth", "v1", "node", "health"]:
                self._send(200, b"", "application/json")
            case ["eth", "v1", "node", "syncing"]:
                self._json({"data": _syncing(chain)})
            case ["eth", "v1", "beacon", "headers"]:
                self._json(self._about("head", lambda root: [_header(chain, root)]))
            case ["eth", "v1", "beacon", "headers", block]:
                self._json(self._about(block, lambda root: _header(chain, root)))
            case ["eth", "v1", "beacon", "blocks", block, "root"]:
                self._json(self._about(block, lambda root: {"root": _hex(root)}))
            case ["eth", "v2", "beacon", "blocks", block]:
                self._object(chain.blocks[self._root(block)])
            case ["eth", "v1", "beacon", "states", state, "finality_checkpoints"]:
                self._json(self._about(state, lambda root: _finality_checkpoints(chain, root)))
            case ["eth", "v1", "beacon", "light_client", "bootstrap", root]:
                self._object(self._bootstrap(root))
            case ["eth", "v1", "beacon", "light_client", "updates"]:
                self._updates(int(query["start_period"][0]), int(query["count"][0]))
            case ["eth", "v1", "beacon", "light_client", "finality_update"]:
                self._object(chain.finality_update)
            case ["eth", "v1", "beacon", "light_client", "optimistic_update"]:
                self._object(chain.optimistic_update)
            case _:
                raise NotFound("no such route")

    def _root(self, block: str) -> bytes:
        """The root that a block identifier of the API stands for."""
        chain = self.chain
        match block:
            case "head":
                return chain.head_root
            case "finalized":
                return chain.finalized_root
            case "genesis":
                return chain.roots_by_slot[0]
        if block.startswith("0x"):
            root = bytes.fromhex(block.removeprefix("0x"))
            if root not in chain.blocks:
                raise NotFound("no block with this root")
            return root
        if int(block) not in chain.roots_by_slot:
            raise NotFound("no block at this slot")
        return chain.roots_by_slot[int(block)]

    def _about(self, block: str, describe: Callable[[bytes], Any]) -> dict[str, Any]:
        chain = self.chain
        root = self._root(block)
        finalized = chain.blocks[root].message.slot <= chain.blocks[chain.finalized_root].message.slot
        return {"execution_optimistic": False, "finalized": bool(finalized), "data": describe(root)}

    def _bootstrap(self, block: str) -> Any:
        root = self._root(block)
        if root not in self.chain.states:
            raise NotFound("no bootstrap for this block any more")
        return spec.create_light_client_bootstrap(self.chain.states[root], self.chain.blocks[root])

    def _updates(self, start_period: int, count: int) -> None:
        periods = range(start_period, start_period + min(count, MAX_UPDATES))
        known = self.chain.updates_by_period
        updates = [known[period] for period in periods if period in known]
        if self._accepts_ssz():
            framed = (self._framed(update) for update in updates)
            self._send(200, b"".join(framed), SSZ)
        else:
            self._json([{"version": FORK, "data": _strings(encode(update))} for update in updates])

    def _framed(self, update: Any) -> bytes:
        """One update in a list of them: its length, the digest of its fork, its bytes."""
        epoch = spec.compute_epoch_at_slot(update.attested_header.beacon.slot)
        digest = spec.compute_fork_digest(self.chain.genesis.state.genesis_validators_root, epoch)
        body = bytes(digest) + bytes(spec.ssz_serialize(update))
        return struct.pack("<Q", len(body)) + body

    def _object(self, value: Any) -> None:
        if value is None:
            raise NotFound("not known yet")
        if self._accepts_ssz():
            self._send(200, bytes(spec.ssz_serialize(value)), SSZ)
        else:
            self._json({"version": FORK, "data": _strings(encode(value))})

    def _accepts_ssz(self) -> bool:
        return SSZ in self.headers.get("accept", "")

    def _json(self, value: Any, status: int = 200) -> None:
        self._send(status, json.dumps(value).encode(), "application/json")

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.send_header("eth-consensus-version", FORK)
        self.end_headers()
        self.wfile.write(body)


def _genesis(chain: Chain) -> dict[str, str]:
    state = chain.genesis.state
    return {
        "genesis_time": str(int(state.genesis_time)),
        "genesis_validators_root": _hex(state.genesis_validators_root),
        "genesis_fork_version": _hex(spec.config.GENESIS_FORK_VERSION),
    }


def _config() -> dict[str, Any]:
    preset = {name: int(getattr(spec, name)) for name in PRESET}
    # Not in the spec: the network's name, and the slot length in seconds, as older nodes give it.
    besides = {"CONFIG_NAME": "saldo-testnet", "SECONDS_PER_SLOT": SLOT_SECONDS}
    return _strings(spec.config._asdict() | preset | besides)


def _fork_schedule() -> list[dict[str, str]]:
    versions = [spec.config.GENESIS_FORK_VERSION]
    versions += [getattr(spec.config, f"{fork.upper()}_FORK_VERSION") for fork in FORKS]
    return [
        {"previous_version": _hex(previous), "current_version": _hex(current), "epoch": "0"}
        for previous, current in zip([versions[0], *versions[:-1]], versions, strict=True)
    ]


def _syncing(chain: Chain) -> dict[str, Any]:
    return {
        "head_slot": str(int(chain.head.block.message.slot)),
        "sync_distance": "0",
        "is_syncing": False,
        "is_optimistic": False,
        "el_offline": False,
    }


def _header(chain: Chain, root: bytes) -> dict[str, Any]:
    block = chain.blocks[root]
    message = block.message
    return {
        "root": _hex(root),
        "canonical": True,
        "header": {
            "message": {
                "slot": str(int(message.slot)),
                "proposer_index": str(int(message.proposer_index)),
                "parent_root": _hex(message.parent_root),
                "state_root": _hex(message.state_root),
                "body_root": _hex(spec.hash_tree_root(message.body)),
            },
            "signature": _hex(block.signature),
        },
    }


def _finality_checkpoints(chain: Chain, root: bytes) -> dict[str, Any]:
    if root not in chain.states:
        raise NotFound("no state for this block any more")
    state = chain.states[root]
    return {
        "previous_justified": _strings(encode(state.previous_justified_checkpoint)),
        "current_justified": _strings(encode(state.current_justified_checkpoint)),
        "finalized": _strings(encode(state.finalized_checkpoint)),
    }


def _strings(value: Any) -> Any:
    """JSON as the beacon API has it: numbers are decimal strings, bytes are hexadecimal."""
    match value:
        case bool():
            return value
        case dict():
            return {name: _strings(member) for name, member in value.items()}
        case list() | tuple():
            return [_strings(member) for member in value]
        case bytes():
            return _hex(value)
    return str(value)


def _hex(data: bytes) -> str:
    return "0x" + bytes(data).hex()
