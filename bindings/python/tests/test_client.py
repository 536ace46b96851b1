"""The client under load: concurrent, cancelled, shut down, dropped, on several loops; and it leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from drill import OWNED, SwitchedTransport, World, run

import saldo

BOUND_MS = 50
"""No tick of the app's loop may be later than this while reads run. The library's own work is on threads of its own; what is left
is the interpreter's lock, which a thread holds for 5 ms at most, and the other work of a busy machine."""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World("proven") as world:
        yield world


def own_threads() -> list[str]:
    """The names of saldo's threads: those of Python, and those that the system knows."""
    names = [thread.name for thread in threading.enumerate()]
    if Path("/proc/self/task").exists():
        names += [task.read_text().strip() for task in Path("/proc/self/task").glob("*/comm")]
    return sorted(name for name in names if name.startswith("saldo"))


def settled_threads(seconds: float = 5) -> list[str]:
    end = time.monotonic() + seconds
    while own_threads() and time.monotonic() < end:
        time.sleep(0.01)
    return own_threads()


async def prove(client: saldo.Client, owner: str) -> None:
    [reading] = await client.read_patiently([client.native(owner)], 10_000)
    assert isinstance(reading, saldo.Proven) and reading.amount == OWNED, reading


def test_two_hundred_reads_at_the_same_time_are_all_proven(world: World) -> None:
    async def read() -> None:
        http = SwitchedTransport()
        async with saldo.Client(world.config, transport=http) as client:
            await prove(client, world.owner)
            before = http.sent
            readings = await asyncio.gather(*(client.balance(world.owner) for _ in range(200)))
            assert {type(reading) for reading in readings} == {saldo.Proven}
            assert {reading.amount for reading in readings if isinstance(reading, saldo.Proven)} == {OWNED}
            assert http.sent - before < 400
            assert own_threads().count("saldo") <= 1

    run(read())


def test_the_apps_loop_ticks_on_while_reads_run(world: World) -> None:
    async def read() -> float:
        worst = 0.0

        async def tick() -> None:
            nonlocal worst
            while True:
                began = time.perf_counter()
                await asyncio.sleep(0.005)
                worst = max(worst, (time.perf_counter() - began) * 1000 - 5)

        async with saldo.Client(world.config) as client:
            await prove(client, world.owner)
            ticking = asyncio.ensure_future(tick())
            owners = [f"0x{number:040x}" for number in range(1, 41)]
            for _ in range(3):
                await asyncio.gather(*(client.balance(owner) for owner in owners))
            ticking.cancel()
        return worst

    # A machine that is busy with other work delays a tick too: the best of three runs shows what saldo does.
    worst = min(run(read()) for _ in range(3))
    print(f"the latest tick was {worst:.1f} ms late")
    assert worst <= BOUND_MS


def test_cancelling_a_read_ends_its_requests_and_the_client_goes_on(world: World) -> None:
    async def read() -> None:
        http = SwitchedTransport()
        http.does = "hangs"
        async with saldo.Client(world.config, transport=http) as client:
            reads = [asyncio.ensure_future(client.balance(world.owner)) for _ in range(20)]
            await asyncio.sleep(0.2)
            assert http.in_progress > 0
            began = time.monotonic()
            for task in reads:
                task.cancel()
            done = await asyncio.gather(*reads, return_exceptions=True)
            assert {type(one) for one in done} == {asyncio.CancelledError}
            while http.in_progress > 0:
                assert time.monotonic() - began < 1, "the requests go on"
                await asyncio.sleep(0.005)
            http.does = "pass"
            await prove(client, world.owner)

    run(read())


def test_a_cancelled_handle_ends_its_own_calls_only(world: World) -> None:
    """Python cancels tasks by itself. The library's handle is for Swift, whose generated code cannot be run here."""

    async def read() -> None:
        http = SwitchedTransport()
        http.does = "hangs"
        async with saldo.Client(world.config, transport=http) as client:
            handle = client._native.handle()
            pending = asyncio.ensure_future(client._ask(lambda: handle.balance(world.owner)))
            await asyncio.sleep(0.2)
            assert http.in_progress > 0
            began = time.monotonic()
            handle.cancel_calls()
            reading = await asyncio.wait_for(pending, 1)
            assert isinstance(reading, saldo.Unknown) and reading.why.code == "closed", reading
            while http.in_progress > 0:
                assert time.monotonic() - began < 1, "the requests go on"
                await asyncio.sleep(0.005)
            http.does = "pass"
            await prove(client, world.owner)

    run(read())


def test_a_timeout_of_the_app_is_a_cancellation(world: World) -> None:
    async def read() -> None:
        http = SwitchedTransport()
        http.does = "hangs"
        async with saldo.Client(world.config, transport=http) as client:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.balance(world.owner), 0.1)

    run(read())


def test_no_thread_is_left_after_the_end(world: World) -> None:
    async def read() -> None:
        async with saldo.Client(world.config, storage=saldo.MemoryStorage()) as client:
            await prove(client, world.owner)
            assert {"saldo", "saldo-calls", "saldo-http"} <= set(own_threads())
        assert own_threads() == []

    assert settled_threads() == []
    run(read())
    assert own_threads() == []


def test_an_end_in_the_middle_of_reads_ends_them_as_closed(world: World) -> None:
    async def read() -> None:
        http = SwitchedTransport()
        http.does = "hangs"
        client = saldo.Client(world.config, transport=http)
        watch = client.watch([client.native(world.owner)])
        reads = [asyncio.ensure_future(client.balance(world.owner)) for _ in range(5)]
        await asyncio.sleep(0.2)
        began = time.monotonic()
        await client.shutdown()
        assert time.monotonic() - began < 2
        for reading in await asyncio.gather(*reads):
            assert isinstance(reading, saldo.Unknown) and reading.why.code == "closed"
        assert [change async for change in watch if isinstance(change, saldo.NewReading)] == []
        assert http.in_progress == 0

    run(read())
    assert settled_threads() == []


def test_after_the_end_every_call_answers(world: World) -> None:
    async def read() -> None:
        client = saldo.Client(world.config)
        holding = client.native(world.owner)
        await client.shutdown()
        await client.shutdown()
        readings = [await client.balance(world.owner), (await client.account(world.owner)).balance]
        readings += [*await client.read([holding]), *await client.finalized([holding])]
        readings += await client.read_patiently([holding], 1_000)
        assert [reading.why.code for reading in readings if isinstance(reading, saldo.Unknown)] == ["closed"] * 5
        assert await client.last(holding) is None and await client.withdrawn(holding) is None
        assert (await client.health()).is_closed and await client.now() is None
        assert await client.refresh(100) == await client.totals([holding]) == await client.evidence() == ()
        assert await client.diversity() == await client.storage_faults() == ()
        assert await client.consensus_fault() is None
        sample = next(sample.reading for sample in saldo.samples() if isinstance(sample.reading, saldo.Proven))
        assert (await client.freshness(sample.block)).code == "unknown"
        assert [change async for change in client.watch([holding])] == []
        client.network_changed(True)
        client.set_pace(saldo.Pace.PAUSED)
        await client.forget(holding)
        with pytest.raises(saldo.SetupError) as refused:
            await client.start_again(saldo.Checkpoint(root="0x" + "00" * 32))
        assert refused.value.code == "closed"
        looked = await client.token(world.owner)
        assert looked.proven is None and looked.why and looked.why.code == "closed"
        with pytest.raises(saldo.SetupError) as refused:
            await client.token_list(b"{}")
        assert refused.value.code == "closed"

    run(read())
    assert settled_threads() == []


def test_clients_work_on_one_loop_after_another_and_on_two_at_once(world: World) -> None:
    async def read() -> None:
        async with saldo.Client(world.config, transport=SwitchedTransport()) as client:
            await prove(client, world.owner)

    for _ in range(3):
        run(read())
    failed: list[BaseException] = []

    def on_a_thread() -> None:
        try:
            run(read())
        except BaseException as raised:
            failed.append(raised)

    threads = [threading.Thread(target=on_a_thread) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert settled_threads() == []


def test_a_client_made_on_one_loop_answers_on_another(world: World) -> None:
    client = saldo.Client(world.config)
    run(prove(client, world.owner))
    run(prove(client, world.owner))
    run(client.shutdown())
    assert settled_threads() == []


def test_a_part_of_the_app_needs_a_loop(world: World) -> None:
    with pytest.raises(RuntimeError, match="SwitchedTransport needs an event loop"):
        saldo.Client(world.config, transport=SwitchedTransport())
    assert settled_threads() == []


def test_a_client_that_is_dropped_leaves_no_thread_of_the_library(world: World) -> None:
    async def read() -> None:
        client = saldo.Client(world.config, transport=SwitchedTransport())
        await prove(client, world.owner)

    run(read())
    gc.collect()
    end = time.monotonic() + 5
    while set(own_threads()) & {"saldo", "saldo-calls"} and time.monotonic() < end:
        time.sleep(0.01)
    assert not set(own_threads()) & {"saldo", "saldo-calls"}


@pytest.mark.parametrize(
    "ending",
    [
        "asyncio.run(prove())",
        "asyncio.run(prove()); sys.exit(3)",
        "asyncio.run(prove()); raise ValueError",
        "asyncio.run(begin())",
        "loop = asyncio.new_event_loop(); loop.run_until_complete(prove())",
    ],
)
def test_an_app_that_forgets_the_end_ends_all_the_same(world: World, ending: str) -> None:
    endpoints = {name: [(e.url, e.name) for e in getattr(world.config, name)] for name in ("rpc", "beacon")}
    script = textwrap.dedent(f"""
        import asyncio, sys, saldo
        of = lambda given: [saldo.Endpoint(url=url, name=name) for url, name in given]
        config = saldo.ClientConfig(
            network={world.config.network!r},
            rpc=of({endpoints["rpc"]!r}),
            beacon=of({endpoints["beacon"]!r}),
            checkpoint=saldo.{world.config.checkpoint!r},
        )
        client = None

        async def prove():
            global client
            client = saldo.Client(config, storage=saldo.MemoryStorage())
            [reading] = await client.read_patiently([client.native({world.owner!r})], 10_000)
            assert isinstance(reading, saldo.Proven), reading

        async def begin():
            global client
            client = saldo.Client(config)
            asyncio.ensure_future(client.balance({world.owner!r}))
            await asyncio.sleep(0.05)

        {ending}
    """)
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    errors = [line for line in done.stderr.splitlines() if not line.startswith(("Traceback", "  File", "    ", "ValueError"))]
    assert errors == []
    assert done.returncode == (3 if "exit" in ending else 1 if "raise" in ending else 0)
    assert time.monotonic() - began < 15


def test_a_setting_that_cannot_be_used_is_refused_by_name(world: World) -> None:
    for config, code in [
        (saldo.ClientConfig(network="nowhere"), "unknown_network"),
        (saldo.ClientConfig(network="a = 1"), "network_file"),
        (saldo.ClientConfig(network="mainnet"), "no_provider"),
        (saldo.ClientConfig(network="mainnet", rpc=[saldo.Endpoint(url="ftp://KEY.test")]), "provider"),
        (saldo.ClientConfig(network="mainnet", use_directory=True, storage_key=b"short"), "storage_key"),
    ]:
        with pytest.raises(saldo.SetupError) as refused:
            saldo.Client(config)
        assert refused.value.code == code and "KEY" not in str(refused.value)
    assert settled_threads() == []


def test_what_is_no_token_list_is_refused_without_its_text(world: World) -> None:
    async def read() -> None:
        async with saldo.Client(world.config) as client:
            for json in (b"", b"KEY", b'{"tokens": "KEY"}', b" " * (8 * 2**20 + 1)):
                with pytest.raises(saldo.SetupError) as refused:
                    await client.token_list(json)
                assert refused.value.code == "token_list" and "KEY" not in str(refused.value)

    run(read())


def test_numbers_out_of_range_are_the_callers_errors(world: World) -> None:
    async def read() -> None:
        async with saldo.Client(world.config) as client:
            for network_id in (-1, 2**64):
                with pytest.raises(ValueError):
                    await client.read([saldo.Holding(network_id=network_id, owner=world.owner)])

    run(read())


def test_a_view_of_another_network_is_no_second_client() -> None:
    async def read() -> None:
        with World("l1_and_rollup") as world:
            client = saldo.Client(world.config)
            [first, second] = client.networks()
            assert client.network_id() == first and client.on(1) is None
            rollup = client.on(second)
            assert rollup is not None and rollup.network_id() == second and rollup.networks() == (first, second)
            assert (client.policy().max_age_seconds, rollup.policy().max_age_seconds) == (300, 3 * 60 * 60)
            # A view that is dropped ends nothing.
            del rollup
            gc.collect()
            assert not (await client.health()).is_closed
            rollup = client.on(second)
            assert rollup is not None and rollup.native(world.owner).network_id == second
            same = rollup.on(first)
            assert same is not None and same.network_id() == first
            await rollup.shutdown()
            assert (await client.health()).is_closed and (await same.health()).is_closed

    run(read())
