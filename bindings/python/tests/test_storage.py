"""The storage in one file keeps what it acknowledged, and says by name what it cannot do."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from drill import OWNED, SwitchedTransport, World, run

import saldo
from saldo import StorageFailureKind as Kind


def put(name: str, value: bytes | None) -> saldo.StorageChange:
    return saldo.StorageChange(name=name, value=value)


def load(storage: saldo.Storage) -> saldo.StorageSnapshot:
    return run(storage.load())


def apply(storage: saldo.Storage, changes: Sequence[saldo.StorageChange], version: int) -> saldo.StorageAck:
    return run(storage.apply(changes, version))


def refused(storage: saldo.Storage, version: int = 0, value: bytes = b"1") -> Kind:
    with pytest.raises(saldo.StorageFailure) as failure:
        apply(storage, [put("a", value)], version)
    return failure.value.kind


@pytest.fixture(params=["file", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> saldo.Storage:
    return saldo.FileStorage(tmp_path / "saldo.bin") if request.param == "file" else saldo.MemoryStorage()


def test_what_is_written_is_read_again(storage: saldo.Storage) -> None:
    assert load(storage) == saldo.StorageSnapshot(entries={}, version=0)
    first = [put("a", b"1"), put("b", bytes(range(256))), put("nothing", None)]
    ack = apply(storage, first, 0)
    assert ack == saldo.StorageAck.of([(change.name, change.value) for change in first], ack.version)
    assert load(storage) == saldo.StorageSnapshot(entries={"a": b"1", "b": bytes(range(256))}, version=ack.version)
    second = apply(storage, [put("a", None), put("b", b"")], ack.version)
    assert second.version not in (0, ack.version) and second.written == 2 and second.checksum == ord("a") + ord("b")
    assert load(storage).entries == {"b": b""}


def test_a_write_on_another_version_is_a_conflict_and_writes_nothing(storage: saldo.Storage) -> None:
    ack = apply(storage, [put("a", b"1")], 0)
    for version in (0, ack.version + 1):
        assert refused(storage, version, b"2") is Kind.CONFLICT
    assert load(storage).entries == {"a": b"1"}


def test_two_storages_on_one_file_conflict(tmp_path: Path) -> None:
    one, other = (saldo.FileStorage(tmp_path / "saldo.bin") for _ in range(2))
    ack = apply(one, [put("a", b"1")], 0)
    assert refused(other) is Kind.CONFLICT
    assert apply(other, [put("b", b"2")], ack.version).version != ack.version
    assert refused(one, ack.version) is Kind.CONFLICT
    assert load(one) == load(other)


def test_a_file_that_was_deleted_has_no_version_of_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "saldo.bin"
    before = apply(saldo.FileStorage(path), [put("a", b"1")], 0)
    path.unlink()
    after = apply(saldo.FileStorage(path), [put("a", b"2")], 0)
    assert after.version != before.version


def test_the_file_is_for_its_owner_alone_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "saldo.bin"
    before = os.umask(0)
    try:
        ack = apply(saldo.FileStorage(path), [put("a", b"1")], 0)
        apply(saldo.FileStorage(path), [put("a", b"2")], ack.version)
    finally:
        os.umask(before)
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {
        "saldo.bin": 0o600,
        "saldo.bin.lock": 0o600,
    }


def test_every_damage_is_noticed_on_load_and_on_write(tmp_path: Path) -> None:
    path = tmp_path / "saldo.bin"
    storage = saldo.FileStorage(path)
    apply(storage, [put("a", b"1"), put("b", b"2")], 0)
    whole = path.read_bytes()
    flipped = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole))]
    cut = [whole[:length] for length in range(len(whole))]

    def signed(body: bytes) -> bytes:
        return body + hashlib.sha256(body).digest()

    body = whole[:-32]
    # The checksum is right, and the content is not.
    forged = [signed(body + b"x"), signed(body[:-1]), signed(body[:16]), signed(body[:16] + bytes(12)), signed(b"")]
    for content in (*flipped, *cut, *forged, b"", b"\0" * 1000):
        path.write_bytes(content)
        with pytest.raises(saldo.StorageFailure) as failure:
            storage._load()
        assert failure.value.kind is Kind.DAMAGED, content
    for content in (flipped[20], b""):
        path.write_bytes(content)
        assert refused(storage) is Kind.DAMAGED
        assert path.read_bytes() == content, "a damaged file is left as it is"


def test_a_full_disk_keeps_what_was_there(tmp_path: Path) -> None:
    storage = saldo.FileStorage(tmp_path / "saldo.bin")
    ack = apply(storage, [put("a", b"1")], 0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        assert refused(storage, ack.version, b"x" * 20_000) is Kind.FULL
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert load(storage).entries == {"a": b"1"}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["saldo.bin", "saldo.bin.lock"]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, Kind.FULL),
        (errno.EDQUOT, Kind.FULL),
        (errno.EACCES, Kind.READ_ONLY),
        (errno.EROFS, Kind.READ_ONLY),
        (errno.EIO, Kind.UNEXPECTED),
    ],
)
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_each_error_of_the_system_has_its_name(
    number: int, kind: Kind, call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = saldo.FileStorage(tmp_path / "saldo.bin")

    def fails(*_: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(os, call, fails)
    assert refused(storage) is kind
    assert not (tmp_path / "saldo.bin").exists()


def test_an_acknowledgement_counts_what_is_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = saldo.FileStorage(tmp_path / "saldo.bin")
    changes = [put("a", b"1"), put("b", b"2")]
    from saldo import file_storage

    whole = file_storage._bytes
    monkeypatch.setattr(file_storage, "_bytes", lambda entries, version: whole({"a": b"1"}, version))
    ack = apply(storage, changes, 0)
    assert ack != saldo.StorageAck.of([(change.name, change.value) for change in changes], ack.version)


def test_a_locked_file_is_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from saldo import file_storage

    monkeypatch.setattr(file_storage, "_LOCK_SECONDS", 0.2)
    storage = saldo.FileStorage(tmp_path / "saldo.bin")
    with storage._locked():
        assert refused(storage) is Kind.IN_USE
    apply(storage, [put("a", b"1")], 0)


def test_processes_that_write_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "saldo.bin"
    script = """
import asyncio, sys, saldo
async def main():
    storage = saldo.FileStorage(sys.argv[1])
    for number in range(20):
        while True:
            version = (await storage.load()).version
            try:
                await storage.apply([saldo.StorageChange(f"{sys.argv[2]}-{number}", b"x")], version)
                break
            except saldo.StorageFailure as failure:
                assert failure.kind is saldo.StorageFailureKind.CONFLICT, failure
asyncio.run(main())
"""
    writers = [subprocess.Popen([sys.executable, "-c", script, str(path), str(one)]) for one in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert len(load(saldo.FileStorage(path)).entries) == 60


def test_a_new_client_shows_what_an_earlier_one_proved(tmp_path: Path) -> None:
    async def prove(world: World) -> None:
        async with saldo.Client(world.config, storage=saldo.FileStorage(tmp_path / "saldo.bin")) as client:
            [reading] = await client.read_patiently([client.native(world.owner)], 8_000)
            assert isinstance(reading, saldo.Proven) and not reading.is_restored

    async def restore(world: World) -> None:
        http = SwitchedTransport()
        http.does = "dns"
        storage = saldo.FileStorage(tmp_path / "saldo.bin")
        async with saldo.Client(world.config, transport=http, storage=storage) as client:
            last = await client.last(client.native(world.owner))
            assert last is not None and last.amount == OWNED and last.is_restored
            reading = await client.balance(world.owner)
            assert isinstance(reading, saldo.Unknown) and reading.last == last
            assert await client.storage_faults() == ()

    with World("restored") as world:
        run(prove(world))
        run(restore(world))


def test_a_client_goes_on_with_a_damaged_file_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "saldo.bin"
    path.write_bytes(b"no storage")

    async def read(world: World) -> None:
        async with saldo.Client(world.config, storage=saldo.FileStorage(path)) as client:
            [reading] = await client.read_patiently([client.native(world.owner)], 8_000)
            assert isinstance(reading, saldo.Proven)
            assert {"unreadable"} <= {fault.code for fault in await client.storage_faults()}

    with World("proven") as world:
        run(read(world))


def test_two_clients_on_one_file_keep_both_readings(tmp_path: Path) -> None:
    unused = "0x00000000000000000000000000000000000000c3"

    async def read(world: World) -> None:
        storages = [saldo.FileStorage(tmp_path / "saldo.bin") for _ in range(2)]
        one, other = (saldo.Client(world.config, storage=storage) for storage in storages)
        async with one, other:
            for client, owner in ((one, world.owner), (other, unused)):
                [reading] = await client.read_patiently([client.native(owner)], 8_000)
                assert isinstance(reading, saldo.Proven)
        async with saldo.Client(world.config, storage=storages[0]) as client:
            for owner, amount in ((world.owner, OWNED), (unused, 0)):
                last = await client.last(client.native(owner))
                assert last is not None and last.amount == amount

    with World("proven") as world:
        run(read(world))
