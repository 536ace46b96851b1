"""A reading cannot be misread: a case that is missing does not pass mypy, and there is no amount without a state."""

from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import saldo
from saldo import _convert

HEAD = "import saldo\nfrom typing import assert_never\n\n\n"

COMPLETE = """def show(reading: saldo.Reading) -> str:
    match reading:
        case saldo.Proven(amount=amount):
            return saldo.format_amount(amount, 18)
        case saldo.Provisional(why=why) | saldo.Unknown(why=why):
            return why.text
        case _:
            assert_never(reading)
"""

RIGHT = {
    "every state": COMPLETE,
    "by isinstance": """def show(reading: saldo.Reading) -> int | None:
    if isinstance(reading, saldo.Proven):
        return reading.amount
    return reading.last.amount if reading.last is not None else None
""",
    "without assert_never": """def show(reading: saldo.Reading) -> str:
    match reading:
        case saldo.Proven(amount=amount):
            return str(amount)
        case saldo.Provisional(why=why) | saldo.Unknown(why=why):
            return why.code
""",
    "every sum": """def show(sum_: saldo.PartialSum) -> int | str:
    match sum_:
        case saldo.SumOf(amount=amount):
            return amount
        case saldo.NoHolding():
            return "none"
""",
    "a watch": """async def show(client: saldo.Client) -> None:
    async for change in client.watch([client.native("0x")]):
        match change:
            case saldo.NewReading(reading=reading):
                print(reading.attempts)
            case _:
                pass
""",
    "own parts": """class Http:
    async def send(self, request: saldo.HttpRequest) -> saldo.HttpResponse:
        raise saldo.TransportFailure(saldo.FailureKind.OFFLINE)


client = saldo.Client(saldo.ClientConfig(network="mainnet"), transport=Http(), storage=saldo.MemoryStorage())
""",
}

WRONG = {
    "the unknown case is missing": (
        COMPLETE.replace(" | saldo.Unknown(why=why)", ""),
        'Argument 1 to "assert_never" has incompatible type "Unknown"',
    ),
    "the provisional case is missing": (
        COMPLETE.replace("saldo.Provisional(why=why) | ", ""),
        'Argument 1 to "assert_never" has incompatible type "Provisional"',
    ),
    "the unknown case is missing, without assert_never": (
        """def show(reading: saldo.Reading) -> str:
    match reading:
        case saldo.Proven(amount=amount):
            return str(amount)
        case saldo.Provisional(why=why):
            return why.code
""",
        "Missing return statement",
    ),
    "an amount read off a reading without a state": (
        "def show(reading: saldo.Reading) -> int:\n    return reading.amount\n",
        'Item "Unknown" of "Proven | Provisional | Unknown" has no attribute "amount"',
    ),
    "an amount read off a provisional reading": (
        "def show(reading: saldo.Provisional) -> int:\n    return reading.unconfirmed.amount\n",
        'Item "NotShown" of "Claimed | NotShown" has no attribute "amount"',
    ),
    "an amount read off the last reading, which may be missing": (
        "def show(reading: saldo.Unknown) -> int:\n    return reading.last.amount\n",
        'Item "None" of "Proven | None" has no attribute "amount"',
    ),
    "a reading as an amount": (
        "async def show(client: saldo.Client) -> int:\n    return await client.balance('0x')\n",
        "Incompatible return value type",
    ),
    "a sum read off a total without a state": (
        "def show(total: saldo.Total) -> int:\n    return total.sum.amount\n",
        'has no attribute "amount"',
    ),
    "a changed amount": (
        "def show(reading: saldo.Proven) -> None:\n    reading.amount = 0\n",
        'Property "amount" defined in "Proven" is read-only',
    ),
    "a transport that is none": (
        "class Http:\n    async def send(self, request: str) -> bytes:\n        return b''\n\n\n"
        "client = saldo.Client(saldo.ClientConfig(network='mainnet'), transport=Http())\n",
        'has incompatible type "Http"; expected "HttpTransport | None"',
    ),
}


def mypy(folder: Path, snippets: dict[str, str]) -> dict[str, str]:
    """Returns what `mypy --strict` says about each snippet. One run, because mypy takes seconds to start."""
    files = {name: folder / f"snippet_{number}.py" for number, name in enumerate(snippets)}
    for name, text in snippets.items():
        files[name].write_text((HEAD if "assert_never" in text else "import saldo\n\n\n") + text)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(folder / "cache"), "--config-file", ""]
    done = subprocess.run([*command, *files.values()], capture_output=True, text=True, cwd=folder, timeout=200)
    assert done.returncode in (0, 1), done.stderr
    lines = done.stdout.splitlines()
    return {name: "\n".join(line for line in lines if line.startswith(file.name)) for name, file in files.items()}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return mypy(tmp_path_factory.mktemp("mypy"), RIGHT | {name: text for name, (text, _) in WRONG.items()})


@pytest.mark.parametrize("name", RIGHT)
def test_code_that_looks_at_each_state_passes(name: str, said: dict[str, str]) -> None:
    assert said[name] == ""


@pytest.mark.parametrize("name", WRONG)
def test_code_that_misreads_does_not_pass(name: str, said: dict[str, str]) -> None:
    assert WRONG[name][1] in said[name], said[name]


def test_each_record_has_the_fields_of_the_library() -> None:
    for native, own in _convert.RECORDS.items():
        fields = [field.name for field in dataclasses.fields(own)]
        assert fields == [name for name in inspect.signature(native.__init__).parameters if name != "self"], own


def test_each_variant_of_the_library_has_a_record() -> None:
    from saldo._load import native

    known = set(_convert.RECORDS) | set(_convert._UNWRAPPED)
    for kind in (native.Reading, native.Change, native.Sum, native.PartialSum, native.Unconfirmed):
        variants = {value for value in vars(kind).values() if isinstance(value, type)}
        assert variants and variants <= known, kind


def test_each_method_of_the_library_has_one_of_the_client() -> None:
    from saldo._load import native

    def public(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    # For Swift: cancelling a task of Python cancels its call.
    only_for_swift = {"handle", "cancel_calls"}
    assert public(native.SaldoClientProtocol) - public(saldo.Client) == only_for_swift


def test_records_are_immutable_and_equal_by_value() -> None:
    one, other = (saldo.Holding(network_id=1, owner="0xab") for _ in range(2))
    assert one == other and hash(one) == hash(other) and {one: 1}[other] == 1
    for sample in saldo.samples():
        with pytest.raises(dataclasses.FrozenInstanceError):
            sample.reading.attempts = ()  # type: ignore[misc]
        assert hash(sample.reading) == hash(sample.reading)


def test_there_is_a_sample_of_every_state() -> None:
    samples = {sample.name: sample for sample in saldo.samples()}
    assert {type(sample.reading) for sample in samples.values()} == {saldo.Proven, saldo.Provisional, saldo.Unknown}
    zero = samples["proven_zero"].reading
    assert isinstance(zero, saldo.Proven) and zero.amount == 0 and type(zero.amount) is int
    claims = {type(s.reading.unconfirmed) for s in samples.values() if isinstance(s.reading, saldo.Provisional)}
    assert claims == {saldo.Claimed, saldo.NotShown}


def test_amounts_are_formatted_exactly() -> None:
    assert saldo.format_amount(1_500_000_000_000_000_000, 18) == "1.5"
    assert saldo.format_amount(2**256 - 1, 0) == str(2**256 - 1)
    assert saldo.format_amount_short(1, 18, 4) == "<0.0001"
    for wrong in (-1, 2**256):
        with pytest.raises(Exception, match="not a number of base units"):
            saldo.format_amount(wrong, 18)


def test_secrets_are_in_no_text_of_a_record() -> None:
    endpoint = saldo.Endpoint(url="https://node.test/KEY", name="node")
    config = saldo.ClientConfig(network="mainnet", rpc=[endpoint], storage_key=b"K" * 32)
    request = saldo.HttpRequest("GET", "https://node.test/KEY", (("a", "KEY"),), b"KEY", 1, 1)
    for record in (endpoint, config, request):
        assert "KEY" not in repr(record) and "KKK" not in repr(record)
