"""saldo tells a wallet what an address holds, and proves it. When it cannot know, it says so and why.

    import saldo

    async def show(owner: str) -> None:
        config = saldo.ClientConfig(network="mainnet", use_directory=True)
        async with saldo.Client(config, storage=saldo.FileStorage("saldo.bin")) as client:
            match await client.balance(owner):
                case saldo.Proven(amount=amount, block=block):
                    print(saldo.format_amount(amount, 18), "at block", block.number)
                case saldo.Provisional(why=why, last=last) | saldo.Unknown(why=why, last=last):
                    print("not known:", why.text, "- last proven:", last and saldo.format_amount(last.amount, 18))

An amount is an ``int`` in base units (wei). There is no amount without a state: :data:`Reading` is a closed union.
"""

from ._load import VERSION as __version__
from ._load import LoadError
from .amount import format_amount, format_amount_short, normalize_address, samples, why_codes
from .change import (
    Activity,
    ActivityChanged,
    Change,
    NewReading,
    OtherChange,
    Remembered,
    StorageChanged,
    Withdrawn,
)
from .claim import Changed, Claim, Confirmed, Different, NotChecked, Verdict
from .client import Client
from .config import Checkpoint, ClientConfig, Endpoint, Holding, NetworkConfig, Pace, Policy, SetupError
from .file_storage import FileStorage
from .health import (
    CoFailure,
    ConsensusFault,
    Diversity,
    EndpointHealth,
    Evidence,
    HeadsHealth,
    Health,
    RollupHealth,
    StorageFault,
)
from .http import StandardTransport
from .log import LogLine, LogSink
from .memory_storage import MemoryStorage
from .proxy import Proxies, ProxyError
from .reading import (
    AccountReading,
    Assurance,
    Attempt,
    Block,
    Claimed,
    Derivation,
    ExecutedDerivation,
    Freshness,
    HeldReading,
    NotShown,
    Now,
    Origin,
    OtherDerivation,
    Proven,
    Provisional,
    Quorum,
    Reading,
    Sample,
    SlotDerivation,
    Unconfirmed,
    Unknown,
    Vouched,
    Why,
)
from .storage import (
    Storage,
    StorageAck,
    StorageChange,
    StorageFailure,
    StorageFailureKind,
    StorageSnapshot,
)
from .token import (
    ListedToken,
    ProvenToken,
    TokenGuard,
    TokenImplementation,
    TokenInfo,
    TokenLayout,
    TokenList,
    TokenReading,
    TokenSymbol,
)
from .total import (
    IncompleteSum,
    NoHolding,
    OtherSum,
    PartialSum,
    ProvenSum,
    RememberedSum,
    Sum,
    SumOf,
    SumTooLarge,
    Total,
)
from .transport import FailureKind, HttpRequest, HttpResponse, HttpTransport, TransportFailure
from .watch import Watch

__all__ = [
    "AccountReading", "Activity", "ActivityChanged", "Assurance", "Attempt", "Block", "Change", "Changed",
    "Checkpoint", "Claim", "Claimed", "Client", "ClientConfig", "CoFailure", "Confirmed", "ConsensusFault",
    "Derivation", "Different", "Diversity", "Endpoint", "EndpointHealth", "Evidence", "ExecutedDerivation",
    "FailureKind", "FileStorage", "Freshness", "HeadsHealth", "Health", "HeldReading", "Holding", "HttpRequest",
    "HttpResponse", "HttpTransport", "IncompleteSum", "ListedToken", "LoadError", "LogLine", "LogSink",
    "MemoryStorage", "NetworkConfig", "NewReading", "NoHolding", "NotChecked", "NotShown", "Now", "Origin",
    "OtherChange", "OtherDerivation", "OtherSum", "Pace", "PartialSum", "Policy", "Proven", "ProvenSum",
    "ProvenToken", "Provisional", "Proxies", "ProxyError", "Quorum", "Reading", "Remembered", "RememberedSum",
    "RollupHealth", "Sample", "SetupError", "SlotDerivation", "StandardTransport", "Storage", "StorageAck",
    "StorageChange", "StorageChanged", "StorageFailure", "StorageFailureKind", "StorageFault", "StorageSnapshot",
    "Sum", "SumOf", "SumTooLarge", "TokenGuard", "TokenImplementation", "TokenInfo", "TokenLayout", "TokenList",
    "TokenReading", "TokenSymbol", "Total", "TransportFailure", "Unconfirmed", "Unknown", "Verdict", "Vouched",
    "Watch", "Why", "Withdrawn", "__version__", "format_amount", "format_amount_short", "normalize_address",
    "samples", "why_codes",
]  # fmt: skip
