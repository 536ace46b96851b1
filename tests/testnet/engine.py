"""The Engine API and JSON-RPC of one execution client, as a consensus client uses them."""

import base64
import hashlib
import hmac
import http.client
import json
import time
import urllib.request
from dataclasses import dataclass
from typing import Any

# The newest getPayload first. Clients support different versions for a block of the Osaka fork.
GET_PAYLOAD_VERSIONS = (5, 4)


class EngineError(Exception):
    """The client could not be reached, answered with an error, or refused a block."""


@dataclass(frozen=True)
class Built:
    """A block that a client has built, in the form that newPayload accepts."""

    payload: dict[str, Any]
    requests: list[str]


def call(url: str, method: str, parameters: list[Any], headers: dict[str, str], seconds: float) -> Any:
    """Requests one JSON-RPC result."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=seconds) as response:
            answer = json.load(response)
    except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
        raise EngineError(f"{method}: {error}") from error
    if "result" not in answer:
        raise EngineError(f"{method}: {answer.get('error')}")
    return answer["result"]


class Engine:
    """One execution client, which receives the blocks to build and to follow."""

    # Much longer than a block takes and much shorter than an outage: a client that hangs delays the others.
    DEADLINE_SECONDS = 3.0

    def __init__(
        self, name: str, url: str, jwt_secret: bytes, versions: tuple[int, ...] = GET_PAYLOAD_VERSIONS
    ) -> None:
        self.name = name
        self._url = url
        self._jwt_secret = jwt_secret
        self._followed: list[tuple[Built, str]] = []
        self._to_follow: list[tuple[Built, str]] = []
        offered = self._ask("exchangeCapabilities", [])
        self._get_payload = next(
            f"getPayloadV{version}"
            for version in versions
            if f"engine_getPayloadV{version}" in offered
        )

    def genesis(self) -> dict[str, Any]:
        """The execution block from which the chain starts."""
        return self._call("eth_getBlockByNumber", ["0x0", False])

    def chain_id(self) -> int:
        """The chain id in transactions."""
        return int(self._call("eth_chainId", []), 16)

    def build(self, forkchoice: dict[str, str], attributes: dict[str, Any]) -> Built:
        """Lets the client build a block on the head that `forkchoice` names."""
        payload_id = self._forkchoice(forkchoice, attributes)["payloadId"]
        answer = self._ask(self._get_payload, payload_id)
        return Built(answer["executionPayload"], answer.get("executionRequests") or [])

    def follow(self, built: Built, parent_beacon_block_root: str, forkchoice: dict[str, str]) -> None:
        """Lets the client verify a block and make it its head, after all blocks that it missed or has lost."""
        self._to_follow.append((built, parent_beacon_block_root))
        may_have_lost = True
        while self._to_follow:
            missed, its_parent = self._to_follow[0]
            status = self._ask("newPayloadV4", missed.payload, [], its_parent, missed.requests)
            if status["status"] == "SYNCING" and may_have_lost:
                may_have_lost = False
                self._follow_again_what_was_lost()
                continue
            self._demand_valid("newPayloadV4", status)
            self._followed.append(self._to_follow.pop(0))
        self._forkchoice(forkchoice, None)

    def _follow_again_what_was_lost(self) -> None:
        """A client that is killed starts again with the state on its disk. Nothing but this process sends it the blocks after that."""
        newest = int(self._call("eth_blockNumber", []), 16)
        lost = [entry for entry in self._followed if int(entry[0].payload["blockNumber"], 16) > newest]
        self._followed = self._followed[: len(self._followed) - len(lost)]
        self._to_follow = [*lost, *self._to_follow]

    def _forkchoice(self, forkchoice: dict[str, str], attributes: dict[str, Any] | None) -> dict[str, Any]:
        answer = self._ask("forkchoiceUpdatedV3", forkchoice, attributes)
        self._demand_valid("forkchoiceUpdatedV3", answer["payloadStatus"])
        return answer

    def _demand_valid(self, method: str, status: dict[str, Any]) -> None:
        if status["status"] != "VALID":
            raise EngineError(f"{self.name}: {method}: {status}")

    def _ask(self, method: str, *parameters: Any) -> Any:
        return self._call(f"engine_{method}", list(parameters))

    def _call(self, method: str, parameters: list[Any]) -> Any:
        try:
            headers = {"authorization": f"Bearer {self._token()}"}
            return call(self._url, method, parameters, headers, self.DEADLINE_SECONDS)
        except EngineError as error:
            raise EngineError(f"{self.name}: {error}") from error

    def _token(self) -> str:
        """A JWT for one request: clients refuse one that was issued more than a minute ago."""
        parts = [{"alg": "HS256", "typ": "JWT"}, {"iat": int(time.time())}]
        message = b".".join(_base64url(json.dumps(part).encode()) for part in parts)
        signature = hmac.new(self._jwt_secret, message, hashlib.sha256).digest()
        return (message + b"." + _base64url(signature)).decode()


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
