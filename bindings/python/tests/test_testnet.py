"""The client against real execution clients: `tests/testnet/run --exec 'bindings/python/test -k testnet'`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from drill import ROOT, run

import saldo

NEEDED = ("ETH_RPC_URL", "SALDO_NETWORK", "SALDO_BEACON_URL", "SALDO_CHECKPOINT", "TESTNET_DIRECTORY")
FUNDED = "0x00c8cccccccccccccccccccccccccccccccccccc"
UNUSED = "0x00000000000000000000000000000000000000c3"

pytestmark = pytest.mark.skipif(
    any(name not in os.environ for name in NEEDED), reason="the test network does not run: tests/testnet/run --exec starts it"
)


def endpoint(named: str) -> saldo.Endpoint:
    name, _, url = named.partition("=")
    return saldo.Endpoint(url=url, name=name, operator=name)


def config() -> saldo.ClientConfig:
    root, _, slot = os.environ["SALDO_CHECKPOINT"].partition("@")
    return saldo.ClientConfig(
        network=Path(os.environ["SALDO_NETWORK"]).read_text(),
        rpc=[endpoint(named) for named in os.environ["ETH_RPC_URL"].split(",")],
        beacon=[endpoint(os.environ["SALDO_BEACON_URL"])],
        checkpoint=saldo.Checkpoint(root=root, slot=int(slot)),
    )


def test_a_funded_account_and_an_unused_one_are_proven_and_remembered(tmp_path: Path) -> None:
    genesis = json.loads((ROOT / "tests/testnet/genesis.json").read_text())
    amounts = {FUNDED: int(genesis["alloc"][FUNDED]["balance"], 16), UNUSED: 0}

    async def read() -> None:
        async with saldo.Client(config(), storage=saldo.FileStorage(tmp_path / "saldo.bin")) as client:
            holdings = [client.native(owner) for owner in amounts]
            for readings in (await client.read_patiently(holdings, 20_000), await client.finalized(holdings)):
                for reading, amount in zip(readings, amounts.values(), strict=True):
                    assert isinstance(reading, saldo.Proven) and reading.amount == amount, reading
            assert await client.evidence() == await client.storage_faults() == ()
            async for change in client.watch(holdings):
                if isinstance(change, saldo.NewReading) and isinstance(change.reading, saldo.Proven):
                    break

    async def remember() -> None:
        async with saldo.Client(config(), storage=saldo.FileStorage(tmp_path / "saldo.bin")) as client:
            for owner, amount in amounts.items():
                last = await client.last(client.native(owner))
                assert last is not None and last.amount == amount and last.is_restored

    run(read(), 120)
    run(remember())
