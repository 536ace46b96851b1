"""What a token is, and what lists say of tokens. Nothing of it is an amount."""

from __future__ import annotations

from dataclasses import dataclass

from .reading import Attempt, Block, Why


@dataclass(frozen=True, slots=True)
class TokenSymbol:
    """A symbol or a name, which anyone can choose, also to deceive."""

    text: str
    """What may be shown: at most 24 characters, without control characters and without characters that turn text around."""
    flaws: tuple[str, ...]
    """What was wrong with it: ``empty``, ``too_long``, ``invisible``, ``direction``, ``not_ascii``, ``native_coin``,
    ``look_alike``. A later version may have others."""


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """How to show the amounts of a token, and how that is known."""

    decimals: int
    """The number of decimals."""
    symbol: TokenSymbol
    """The symbol. Show its flaws, and the token's address beside it."""
    source: str
    """How both are known: ``list`` (its author declares them, and nothing proves it) or ``execution`` (the token's own code
    returned them). Say it where they are shown."""


@dataclass(frozen=True, slots=True)
class TokenImplementation:
    """The contract whose code runs in the storage of a token."""

    address: str
    """Its address."""
    code_hash: str
    """The hash of its code."""


@dataclass(frozen=True, slots=True)
class TokenLayout:
    """Where a code keeps the balances of a token."""

    name: str
    """Its name."""
    tells_frozen: bool
    """Whether the word in the slot says that an owner is frozen."""
    source: str
    """Where the source of the code is."""
    argument: str
    """Why ``balanceOf`` reads that slot on every path."""


@dataclass(frozen=True, slots=True)
class TokenGuard:
    """A condition of a layout."""

    meaning: str
    """The condition, for people."""
    address: str
    """The contract whose storage has the slot."""
    slot: str
    """The slot, 0x and 64 hexadecimal digits."""
    holds: bool
    """Whether the condition holds."""


@dataclass(frozen=True, slots=True)
class ProvenToken:
    """What a token is, proven at a block. A proxy can get another implementation in any later block."""

    provable: str
    """``slot``: each balance can be proven from its slot. ``not_a_token``: there is no contract, or a proxy passes its calls to an
    address without code. ``layout_unknown`` and ``guard_failed``: only the token's own code tells a balance, and a library with
    the feature ``execute`` runs it. A later version may have others."""
    code_hash: str
    """The hash of the code at the token's address, 0x and 64 hexadecimal digits; that of no bytes where there is no code."""
    proxy: str | None
    """The name of the proxy; none if the token is no proxy that is known."""
    implementation: TokenImplementation | None
    """The contract whose code runs in the token's storage; none if it is the token's own."""
    layout: TokenLayout | None
    """The layout that was established for exactly this code; none if there is none."""
    guards: tuple[TokenGuard, ...]
    """The conditions of the layout."""
    info: TokenInfo | None
    """What the token's own code says of its decimals and its symbol; none if it was not run, or does not say."""
    block: Block
    """The block that it is true at."""
    provider: str
    """The provider that served the proofs."""


@dataclass(frozen=True, slots=True)
class TokenReading:
    """What is known about a token right now: ``proven``, or ``why`` nothing was proven. It has no amount."""

    token: str
    """The contract that was asked about."""
    proven: ProvenToken | None
    """What was proven, under a header that the chain's sync committee signed."""
    why: Why | None
    """Why nothing was proven; none if ``proven`` is there."""
    attempts: tuple[Attempt, ...]
    """The requests; empty if ``proven`` is there."""


@dataclass(frozen=True, slots=True)
class ListedToken:
    """What a list declares of a token."""

    address: str
    """Its contract: the ``token`` of a holding."""
    name: TokenSymbol
    """Its name."""
    info: TokenInfo
    """Its decimals and its symbol."""


@dataclass(frozen=True, slots=True)
class TokenList:
    """The tokens of a list on the client's network. An owner can hold other tokens too: nothing follows for one that is not
    listed."""

    name: TokenSymbol
    """The name of the list."""
    tokens: tuple[ListedToken, ...]
    """The tokens, each once."""
    other_networks: int
    """How many entries are of other networks."""
    skipped: int
    """How many entries could not be read, or were there twice."""
