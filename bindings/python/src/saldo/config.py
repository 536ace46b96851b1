"""The settings of a client, and the subject of a reading."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Holding:
    """One asset of one owner on one network. It is an address and no proof."""

    network_id: int
    """The chain id (EIP-155) of the network. :meth:`Client.native` fills it in."""
    owner: str
    """The address of the owner: 0x and 40 hexadecimal digits. With a wrong checksum, the reading is ``malformed_address``."""
    token: str | None = None
    """The contract of an ERC-20 token; none for the network's own coin."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A provider, a beacon source, a checkpoint source or a mirror."""

    url: str = field(repr=False)
    """The URL. It is a secret, because it may carry an API key: no output shows more of it than the host."""
    name: str | None = None
    """The name in every output; by default the host."""
    operator: str | None = None
    """The operator. Two endpoints of one operator count as one witness. By default the host."""
    hosting: str | None = None
    """The hosting company, or company and region."""
    edge: str | None = None
    """The company of its edge (a content delivery network)."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A beacon block that trust starts from."""

    root: str
    """The root of the block: 0x and 64 hexadecimal digits."""
    slot: int | None = None
    """The slot of the block, if it is known."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a reading must satisfy, and the limits of a read."""

    finalized: bool = False
    """Whether only finalized blocks count. They are 13 to 20 minutes old on mainnet, and up to 8 days on a rollup."""
    max_age_seconds: int | None = None
    """How old the block may be, in seconds; by default 300, or 1,800 for finalized blocks; of a rollup 3 hours, or 8 days."""
    deadline_ms: int | None = None
    """How long a read may take, in milliseconds; by default 4,000, of a rollup 8,000."""
    operators_per_address: int = 2
    """How many operators may see one address while one of them proves its balance."""
    strict: bool = False
    """Whether no more operators may see an address even if these prove nothing."""


class Pace(enum.Enum):
    """How many requests the watches of a client may make."""

    FOREGROUND = "foreground"
    """The user sees the readings."""
    BACKGROUND = "background"
    """The user does not see the readings: they are proven again every 30 minutes."""
    PAUSED = "paused"
    """No request is made."""


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """A further network of a client."""

    network: str
    """A built-in network, a rollup (``base``, ``base-sepolia``, ``op``, ``op-sepolia``, ``unichain``, ``ink``), or the text of a
    network file or of a rollup's profile. The L1 of a rollup must be a network of the same client."""
    rpc: Sequence[Endpoint] = ()
    """The providers of proofs. A rollup needs nothing else: all trust is L1's."""
    beacon: Sequence[Endpoint] = ()
    """The beacon sources of light-client data."""
    mirrors: Sequence[Endpoint] = ()
    """Mirrors of light-client data: plain files under a URL."""
    checkpoint: Checkpoint | None = None
    """A finalized block that the app vouches for. It is used first."""
    checkpoint_sources: Sequence[Endpoint] = ()
    """Who is asked which block trust starts from, if no checkpoint is given or it is too old."""
    agreement: int | None = None
    """How many operators of the checkpoint sources must agree; 2 by default."""
    use_directory: bool = False
    """Whether to add the built-in endpoints of the network. There are none of rollups."""
    directory_file: str | None = None
    """More endpoints, as the text of a directory file."""
    policy: Policy | None = None
    """What a reading must satisfy; by default a signed block, of a rollup a block of which Ethereum checked a proof."""
    minimum_operators: int = 1
    """The number of operators that must run the providers, and the beacon sources."""


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """The settings of a client. Only ``network`` and some endpoints are needed."""

    network: str
    """A built-in network (``mainnet``, ``sepolia``, ``hoodi``, ``gnosis``), or the text of a network file."""
    rpc: Sequence[Endpoint] = ()
    """The providers of proofs."""
    beacon: Sequence[Endpoint] = ()
    """The beacon sources of light-client data."""
    mirrors: Sequence[Endpoint] = ()
    """Mirrors of light-client data: plain files under a URL."""
    checkpoint: Checkpoint | None = None
    """A finalized block that the app vouches for. It is used first."""
    checkpoint_sources: Sequence[Endpoint] = ()
    """Who is asked which block trust starts from, if no checkpoint is given or it is too old."""
    agreement: int | None = None
    """How many operators of the checkpoint sources must agree; 2 by default."""
    use_directory: bool = False
    """Whether to add the built-in endpoints of the network. Their operators see the addresses that are read."""
    directory_file: str | None = None
    """More endpoints, as the text of a directory file."""
    policy: Policy | None = None
    """What a reading must satisfy; by default a signed block, at most 5 minutes old."""
    minimum_operators: int = 1
    """The number of operators that must run the providers, and the beacon sources."""
    others: Sequence[NetworkConfig] = ()
    """The further networks of the client: each has endpoints, trust and a policy of its own. A holding names its network, so calls
    about holdings take those of all networks together. Keep the first network the first: the storage is shared."""
    storage_key: bytes | None = field(default=None, repr=False)
    """32 secret bytes of the system's key store. Stored records without a code by this key are dropped."""
    is_storage_read_only: bool = False
    """Whether the storage must not be written: for a widget beside the app."""
    log_level: str = "info"
    """The least important lines that the log gets: ``error``, ``warn``, ``info``, ``debug`` or ``trace``."""


class SetupError(ValueError):
    """A setting cannot be used. Only what sets up a client raises it; a read never does."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{text} ({code})")
        self.code = code
        """A stable name, in snake case."""
        self.text = text
        """What is wrong, and what to do, for people."""
