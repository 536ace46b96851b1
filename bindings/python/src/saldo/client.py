"""The client: the object that an app keeps and calls."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any
from weakref import finalize

from ._convert import lift, lower, setup_error
from ._guard import GuardedLog, GuardedStorage, GuardedTransport, Here, LoggerSink
from ._load import native
from ._loop import Lease, at_exit, call
from .claim import Claim, Verdict
from .config import Checkpoint, ClientConfig, Holding, Pace, Policy
from .health import ConsensusFault, Diversity, Evidence, Health, StorageFault
from .http import StandardTransport
from .log import LogSink
from .reading import AccountReading, Block, Freshness, HeldReading, Now, Proven, Reading
from .storage import Storage
from .token import TokenList, TokenReading
from .total import Total
from .transport import HttpTransport
from .watch import Watch


class Client:
    """Reads what addresses hold and proves it, on one network or on several. Keep one, and end it with :meth:`shutdown` or ``async with``.

    No read raises for not knowing: what cannot be known is :class:`Unknown`, also after :meth:`shutdown` (``closed``). No
    method computes on the event loop that calls it.
    """

    def __init__(
        self,
        config: ClientConfig,
        *,
        transport: HttpTransport | None = None,
        storage: Storage | None = None,
        log: LogSink | logging.Logger | None = None,
    ) -> None:
        """Makes a client. It opens no connection: the first read does.

        ``transport`` is by default a :class:`StandardTransport`. Without ``storage``, nothing is remembered after the end of
        the process. An app's own transport, storage and log are called on the event loop on which the client is made.

        Raises :class:`SetupError` if a setting is missing or cannot be used, and :class:`ProxyError` if the environment
        names a proxy that the default transport cannot use.
        """
        try:
            loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        own = StandardTransport() if transport is None else transport
        sink: LogSink | None = LoggerSink(log) if isinstance(log, logging.Logger) else log
        given: tuple[object, ...] = (own, storage)
        self._parts: list[Here] = [part for part in given if isinstance(part, Here)]
        guards = {
            "transport": GuardedTransport(own, loop),
            "storage": None if storage is None else GuardedStorage(storage, loop),
            "log": None if sink is None else GuardedLog(sink, loop),
        }
        lease = Lease()
        try:
            self._native = native.SaldoClient(lower(config), **guards)
        except native.SetupError as error:
            lease.release()
            raise setup_error(error) from None
        except BaseException:
            lease.release()
            raise
        for part in self._parts:
            part.begin()
        self._lease = lease
        self._forget_exit = at_exit(functools.partial(_end, self._native, lease))
        self._dropped = finalize(self, _drop, self._native, lease, self._forget_exit)
        # `_end` does it then, while it can still wait.
        self._dropped.atexit = False

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.shutdown()

    def native(self, owner: str) -> Holding:
        """Returns the holding of the network's own coin by ``owner``."""
        holding: Holding = lift(self._native.native(owner))
        return holding

    def network_id(self) -> int:
        """Returns the chain id of the network that calls which name none are about: the first one, or that of :meth:`on`."""
        return int(self._native.network_id())

    def networks(self) -> tuple[int, ...]:
        """Returns the chain ids of all networks of the client, in the order in which they were given."""
        return tuple(self._native.networks())

    def on(self, network_id: int) -> Client | None:
        """Returns this client for calls about the network with that chain id; none if it is none of its networks. It is no
        second client: :meth:`shutdown` of either ends both."""
        inner = self._native.on(network_id)
        return None if inner is None else _View(self, inner)

    def policy(self) -> Policy:
        """Returns the policy: what a reading must satisfy."""
        policy: Policy = lift(self._native.policy())
        return policy

    async def balance(self, owner: str) -> Reading:
        """Reads the balance of ``owner``, in wei. Returns at the policy's deadline at the latest."""
        reading: Reading = await self._ask(lambda: self._native.balance(owner))
        return reading

    async def account(self, owner: str) -> AccountReading:
        """Reads the account of ``owner``: the balance, and the nonce that the same proof shows."""
        account: AccountReading = await self._ask(lambda: self._native.account(owner))
        return account

    async def read(self, holdings: Iterable[Holding]) -> tuple[Reading, ...]:
        """Reads all ``holdings``, in the same order. Returns at the policy's deadline at the latest."""
        given = lower(tuple(holdings))
        readings: tuple[Reading, ...] = await self._ask(lambda: self._native.read(given))
        return readings

    async def read_patiently(self, holdings: Iterable[Holding], patience_ms: int) -> tuple[Reading, ...]:
        """Reads all ``holdings`` until each is proven, waiting cannot help, or ``patience_ms`` is over."""
        given = lower(tuple(holdings))
        readings: tuple[Reading, ...] = await self._ask(lambda: self._native.read_patiently(given, patience_ms))
        return readings

    async def finalized(self, holdings: Iterable[Holding]) -> tuple[Reading, ...]:
        """Reads the newest amount of each holding at a finalized block, 13 to 20 minutes old on mainnet."""
        given = lower(tuple(holdings))
        readings: tuple[Reading, ...] = await self._ask(lambda: self._native.finalized(given))
        return readings

    async def token(self, contract: str) -> TokenReading:
        """Looks at the token whose contract is ``contract``: its code, its proxy, and how its balances can be proven, or why not.
        The requests name no owner. It has no amount."""
        reading: TokenReading = await self._ask(lambda: self._native.token(contract))
        return reading

    async def token_list(self, json: bytes) -> TokenList:
        """Reads a token list in the Uniswap schema: the tokens of this network, with what the list declares of each. It proves
        nothing, and says nothing about tokens that are not listed.

        Raises :class:`SetupError` if it is no such list, or the client was shut down.
        """
        tokens: TokenList = await self._ask(lambda: self._native.token_list(json))
        return tokens

    async def check(self, claims: Iterable[Claim]) -> tuple[Verdict, ...]:
        """Checks amounts that the app has from elsewhere, and returns a verdict for each, in the same order. Returns at twice
        the policy's deadline at the latest. A claim that cannot be checked is never confirmed, a claimed zero neither."""
        given = lower(tuple(claims))
        verdicts: tuple[Verdict, ...] = await self._ask(lambda: self._native.check(given))
        return verdicts

    async def check_patiently(self, claims: Iterable[Claim], patience_ms: int) -> tuple[Verdict, ...]:
        """Checks ``claims`` until each is settled, waiting cannot help, or ``patience_ms`` is over. A claim without a block
        is different only by a block that is not older than the call."""
        given = lower(tuple(claims))
        verdicts: tuple[Verdict, ...] = await self._ask(lambda: self._native.check_patiently(given, patience_ms))
        return verdicts

    async def last(self, holding: Holding) -> Proven | None:
        """Returns the last proven amount of ``holding``; none is not zero. Makes no request."""
        last: Proven | None = await self._ask(lambda: self._native.last(lower(holding)))
        return last

    async def withdrawn(self, holding: Holding) -> Proven | None:
        """Returns the withdrawn amount of ``holding``, if none has been proven since: a reorganisation removed its block."""
        withdrawn: Proven | None = await self._ask(lambda: self._native.withdrawn(lower(holding)))
        return withdrawn

    def watch(self, holdings: Iterable[Holding]) -> Watch:
        """Watches ``holdings``. A holding that is named twice counts once."""
        return Watch(self._native.watch(lower(tuple(holdings))))

    async def refresh(self, within_ms: int) -> tuple[HeldReading, ...]:
        """Reads every holding that is watched, was proven before, or was stored, and stores the results. For short
        background jobs. Returns after ``within_ms`` at the latest."""
        held: tuple[HeldReading, ...] = await self._ask(lambda: self._native.refresh(within_ms))
        return held

    async def totals(self, holdings: Iterable[Holding]) -> tuple[Total, ...]:
        """Adds up what is known of ``holdings`` by network and asset. Makes no request. An amount counts as proven while the
        newest reading of its holding proved it and it is fresh; otherwise it is remembered."""
        given = lower(tuple(holdings))
        totals: tuple[Total, ...] = await self._ask(lambda: self._native.totals(given))
        return totals

    async def health(self) -> Health:
        """Returns the state of the client for a status screen. Makes no request."""
        health: Health = await self._ask(lambda: self._native.health())
        return health

    async def evidence(self) -> tuple[Evidence, ...]:
        """Returns the newest proofs that were false under the exact block of the request."""
        evidence: tuple[Evidence, ...] = await self._ask(lambda: self._native.evidence())
        return evidence

    async def diversity(self) -> tuple[Diversity, ...]:
        """Returns how many operators and hosting companies are behind the endpoints, as declared."""
        diversity: tuple[Diversity, ...] = await self._ask(lambda: self._native.diversity())
        return diversity

    async def storage_faults(self) -> tuple[StorageFault, ...]:
        """Lists what was dropped from the storage because it did not verify, and what could not be written."""
        faults: tuple[StorageFault, ...] = await self._ask(lambda: self._native.storage_faults())
        return faults

    async def consensus_fault(self) -> ConsensusFault | None:
        """Returns the contradiction that makes every reading ``consensus_fault``. Only :meth:`start_again` removes it."""
        fault: ConsensusFault | None = await self._ask(lambda: self._native.consensus_fault())
        return fault

    async def now(self) -> Now | None:
        """Returns the time that the protocol uses; none after :meth:`shutdown`."""
        now: Now | None = await self._ask(lambda: self._native.now())
        return now

    async def freshness(self, block: Block) -> Freshness:
        """Returns how old ``block`` is now, by the policy for its level on its network."""
        of = (block.chain_id, block.timestamp, block.assurance.level)
        freshness: Freshness = await self._ask(lambda: self._native.freshness(*of))
        return freshness

    def network_changed(self, is_online: bool) -> None:
        """Tells the client that the device's network changed. Returns at once."""
        self._native.network_changed(is_online)

    def set_pace(self, pace: Pace) -> None:
        """Sets how many requests the watches of this client may make from now on. Returns at once."""
        self._native.set_pace(lower(pace))

    async def forget(self, holding: Holding) -> None:
        """Drops all data about ``holding``, in the storage too. Call it when the user removes an account. Returns when the
        storage has removed it, or refuses."""
        await self._ask(lambda: self._native.forget(lower(holding)))

    async def start_again(self, checkpoint: Checkpoint) -> None:
        """Restarts trust from ``checkpoint``, which the app vouches for. Every reading is dropped. Returns when the storage
        has removed the old data, or refuses.

        Raises :class:`SetupError` if the checkpoint is malformed, or the client was shut down.
        """
        await self._ask(lambda: self._native.start_again(lower(checkpoint)))

    async def adopt(self, network: str) -> None:
        """Takes a newer table of the same chain: a built-in name, or the text of a network file.

        Raises :class:`SetupError` if the table cannot be read or is of another chain, or the client was shut down. Nothing
        changes then.
        """
        await self._ask(lambda: self._native.adopt(network))

    async def shutdown(self) -> None:
        """Ends the client: pending calls end at once, and its threads have ended when this returns. Every later reading is
        ``closed``. A second call does nothing."""
        await call(lambda: _shutdown(self._native))
        parts, self._parts = self._parts, []
        for part in parts:
            await part.end()
        self._dropped.detach()
        self._forget_exit()
        await self._lease.release_and_wait()

    async def _ask(self, make: Any) -> Any:
        async def ask() -> Any:
            # Converted here, on the library's thread, and not on the app's loop.
            return lift(await make())

        try:
            return await call(ask)
        except native.SetupError as error:
            raise setup_error(error) from None


class _View(Client):
    """A client for calls about another network of it. The thread and the app's parts are those of the client, which it keeps."""

    def __init__(self, client: Client, inner: Any) -> None:
        self._client = client
        self._native = inner

    def on(self, network_id: int) -> Client | None:
        return self._client.on(network_id)

    async def shutdown(self) -> None:
        await self._client.shutdown()


async def _shutdown(inner: Any) -> None:
    await inner.shutdown()


def _end(inner: Any, lease: Lease) -> None:
    """Ends a client that the app has not shut down, when the interpreter ends."""
    with contextlib.suppress(Exception):
        asyncio.run_coroutine_threadsafe(_shutdown(inner), lease.loop).result(timeout=5)
    runner = lease.release()
    if runner is not None:
        runner.thread.join(timeout=5)


def _drop(inner: Any, lease: Lease, forget_exit: Callable[[], None]) -> None:
    """Ends a client that was dropped without :meth:`Client.shutdown`. It waits for nothing: it may run on any thread."""

    def ended(_: object) -> None:
        forget_exit()
        lease.release()

    asyncio.run_coroutine_threadsafe(_shutdown(inner), lease.loop).add_done_callback(ended)
