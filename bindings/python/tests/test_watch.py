"""A watch yields every change, and a step that is cancelled loses none."""

from __future__ import annotations

import asyncio
import random

from drill import OWNED, World, run

import saldo

PAID = 2_250_000_000_000_000_000


def proven(change: saldo.Change) -> int | None:
    match change:
        case saldo.NewReading(reading=saldo.Proven(amount=amount)):
            return amount
        case _:
            return None


async def until(watch: saldo.Watch, amount: int) -> None:
    async for change in watch:
        if proven(change) == amount:
            return
    raise AssertionError("the watch has ended")


def test_an_iteration_yields_what_is_known_and_then_each_change() -> None:
    async def watch(world: World) -> None:
        async with saldo.Client(world.config) as client:
            watch = client.watch([client.native(world.owner)])
            first = await anext(watch)
            assert isinstance(first, saldo.Remembered) and first.last is None
            await until(watch, OWNED)
            world.happen("1h")
            # The same watch goes on after the loop was left.
            await until(watch, PAID)

    with World("a_cancelled_next_loses_nothing") as world:
        run(watch(world))


def test_a_step_that_is_cancelled_at_any_moment_loses_no_change() -> None:
    async def watch(world: World) -> None:
        async with saldo.Client(world.config) as client:
            watch = client.watch([client.native(world.owner)])
            chance = random.Random(1)

            async def until_with_cancels(amount: int) -> None:
                while True:
                    step = asyncio.ensure_future(anext(watch))
                    await asyncio.wait((step,), timeout=chance.choice([0, 0.001, 0.01, 0.05]))
                    if not step.done():
                        step.cancel()
                        await asyncio.wait((step,))
                    # A step that was complete when it was cancelled has delivered its change.
                    if not step.cancelled() and proven(step.result()) == amount:
                        return

            await asyncio.wait_for(until_with_cancels(OWNED), 20)
            world.happen("1h")
            await asyncio.wait_for(until_with_cancels(PAID), 20)

    with World("a_cancelled_next_loses_nothing") as world:
        run(watch(world))


def test_a_batch_that_arrives_as_the_step_is_cancelled_is_reported_again() -> None:
    class Native:
        """A watch of the library whose batch is complete at the moment of the cancellation."""

        def __init__(self) -> None:
            self.received: list[int] = []

        async def next_all(self, received: int) -> object:
            self.received.append(received)
            if len(self.received) == 1:
                await asyncio.Event().wait()

            class Batch:
                number = len(self.received)
                changes = [None]

            return Batch

    async def watch() -> list[int]:
        native = Native()
        watch = saldo.Watch(native)
        step = asyncio.ensure_future(anext(watch))
        await asyncio.sleep(0.05)
        step.cancel()
        await asyncio.wait((step,))
        assert step.cancelled()
        assert await anext(watch) is None and await anext(watch) is None
        return native.received

    # The first batch was never acknowledged. The second one was.
    assert run(watch()) == [0, 0, 2]


def test_batches_come_whole_and_end_with_the_client() -> None:
    unused = "0x00000000000000000000000000000000000000c3"

    async def watch(world: World) -> None:
        client = saldo.Client(world.config)
        watch = client.watch([client.native(world.owner), client.native(unused)])
        seen = []
        async for batch in watch.batches():
            assert batch
            seen += [proven(change) for change in batch]
            if {OWNED, 0} <= set(seen):
                await client.shutdown()
        assert [change async for change in watch] == []

    with World("proven") as world:
        run(watch(world))


def test_a_malformed_holding_is_reported_and_stops_no_other() -> None:
    async def watch(world: World) -> None:
        async with saldo.Client(world.config) as client:
            watch = client.watch([client.native("0x12"), client.native(world.owner)])
            first = await anext(watch)
            assert isinstance(first, saldo.NewReading) and isinstance(first.reading, saldo.Unknown)
            assert first.reading.why.code == "malformed_address"
            await until(watch, OWNED)

    with World("proven") as world:
        run(watch(world))
