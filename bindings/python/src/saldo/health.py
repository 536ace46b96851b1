"""The state of a client, for a status screen and for support. No amount depends on it."""

from __future__ import annotations

from dataclasses import dataclass

from .reading import Block, Why


@dataclass(frozen=True, slots=True)
class HeadsHealth:
    """The progress of the light client."""

    signed_slot: int | None
    """The slot of the newest head that the sync committee signed; none right after the trust start."""
    signed_timestamp: int | None
    """The start of that slot, in seconds since 1970."""
    slots_behind: int | None
    """The lag of that head beyond the usual, in slots. 0 if all is well."""
    finalized_slot: int
    """The slot of the newest finalized head."""
    finalized_timestamp: int
    """The start of that slot, in seconds since 1970."""
    is_committee_known: bool
    """Whether heads that are signed now can be checked."""
    is_next_committee_known: bool
    """Whether heads of the next period can be checked."""


@dataclass(frozen=True, slots=True)
class RollupHealth:
    """What Ethereum says of a rollup, and whether the rollup goes on."""

    newest: Block | None
    """The newest block for which L1 vouches."""
    problem: Why | None
    """Why L1 vouches for none of the newest claims, if it does not."""
    refusal_text: str | None
    """What the contracts on L1 say against it, if that is the problem, for people."""
    newest_claim_timestamp: int | None
    """When the newest claim about its blocks was made on L1, in seconds since 1970; none until the contracts were read."""
    are_claims_late: bool
    """Whether no new claim was made for more than twice the usual time."""
    stopped_timestamp: int | None
    """The time of its newest block, in seconds since 1970, if it stands still: the heads of several operators are the same, and old."""


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """The state of one endpoint in one role."""

    provider: str
    """The name of the endpoint, never its URL."""
    role: str
    """The role in which it is asked: ``execution``, ``beacon`` or ``checkpoint``."""
    operator: str
    """The operator, as declared, else the host."""
    state: str
    """``unasked``, ``accepted``, ``failing``, ``backed_off`` or ``quarantined``; a later version may have others."""
    failure: str | None
    """The code of its latest failure; none if its last answer was accepted."""
    failure_text: str | None
    """The same, for people."""
    accepted_seconds_ago: int | None
    """How long ago an answer was accepted last, in seconds."""
    usual_latency_ms: int | None
    """The median latency of its accepted answers, in milliseconds."""
    backed_off_seconds: int | None
    """For how many more seconds it is left unasked because it asked for that."""
    strikes: int
    """How many of its proofs were false."""


@dataclass(frozen=True, slots=True)
class CoFailure:
    """Two endpoints that became unreachable within the same minute."""

    role: str
    """The role in which both are asked."""
    endpoints: tuple[str, ...]
    """Their names, sorted."""
    times: int
    """How often that happened."""


@dataclass(frozen=True, slots=True)
class Health:
    """The state of the endpoints and the progress of the light client. No amount depends on it."""

    is_closed: bool
    """Whether the client was shut down. Everything else here is then empty."""
    is_offline: bool
    """Whether the app reported that the device is offline, and no answer has shown the contrary since."""
    is_clock_off: bool
    """Whether the device's clock is behind a time that has certainly come, so that no age is known."""
    is_faulted: bool
    """Whether the chain contradicted itself, so that nothing more is proven."""
    storage_faults: int
    """The number of stored items that had to be dropped, and of failed writes."""
    heads: HeadsHealth | None
    """The progress of the light client; none until trust has started."""
    rollup: RollupHealth | None
    """What L1 says of the rollup; none of a network with a light client."""
    endpoints: tuple[EndpointHealth, ...]
    """The providers, the beacon sources and the checkpoint sources."""
    failed_together: tuple[CoFailure, ...]
    """The endpoints that were unreachable within the same minute."""


@dataclass(frozen=True, slots=True)
class Diversity:
    """Which companies the endpoints of one role depend on, as declared."""

    role: str
    """The role of the endpoints."""
    endpoints: int
    """How many endpoints there are."""
    operators: tuple[str, ...]
    """Their operators, as declared or else by host."""
    hosting: tuple[str, ...]
    """Their hosting companies as far as declared."""
    hosting_unknown: int
    """The number of endpoints whose hosting was not declared."""
    stopped_by: tuple[str, ...]
    """Companies whose failure would stop all endpoints."""
    may_be_stopped_by: tuple[str, ...]
    """Companies whose failure might stop all endpoints."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A proof that was false under the exact block of its request."""

    provider: str
    """The provider that was asked. The evidence does not prove that this provider sent the reply."""
    reason: str
    """Why the proof was refused."""
    json: str
    """One JSON object with the request, the reply, the block and the reason. It contains the address."""


@dataclass(frozen=True, slots=True)
class ConsensusFault:
    """A contradiction that the chain's validators signed. Nothing more is proven until trust starts again."""

    slot: int
    """The slot of the contradiction."""
    roots: tuple[str, ...]
    """The two roots, each 0x and 64 hexadecimal digits."""
    json: str
    """The signed updates of both sides, so that others can check it."""


@dataclass(frozen=True, slots=True)
class StorageFault:
    """Something that was stored and had to be dropped, or that could not be written."""

    code: str
    """``unreadable``, ``unwritten``, ``refused``, ``all_dropped``, ``damaged``, ``light_client``, ``block``, ``reading`` or ``block_missing``; a later version may have others."""
    text: str
    """What happened, for people. It names no address."""
