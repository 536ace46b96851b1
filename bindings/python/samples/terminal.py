"""Shows several balances in a terminal, each with its state and its age, and goes on through an outage and a restart.

    python terminal.py --network mainnet 0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045
"""

import argparse
import asyncio
import contextlib
import time
from pathlib import Path
from typing import assert_never

import saldo


def aged(freshness: saldo.Freshness | None) -> str:
    if freshness is None or freshness.age_seconds is None:
        return "of unknown age"
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        if freshness.age_seconds >= size:
            break
    return f"{freshness.age_seconds // size} {unit} old"


def shown(proven: saldo.Proven | None, freshness: saldo.Freshness | None) -> str:
    if proven is None:
        return "no amount is known"
    return f"{saldo.format_amount_short(proven.amount, 18, 6)} at block {proven.block.number}, {aged(freshness)}"


def line(reading: saldo.Reading, freshness: saldo.Freshness | None) -> str:
    match reading:
        case saldo.Proven():
            return f"{'proven':12} {shown(reading, freshness)}"
        case saldo.Provisional(unconfirmed=saldo.Claimed(amount=amount), last=last):
            claim = saldo.format_amount_short(amount, 18, 6)
            return f"{'unconfirmed':12} {claim}; proven before: {shown(last, freshness)}"
        case saldo.Provisional(why=why, last=last) | saldo.Unknown(why=why, last=last):
            return f"{'not known':12} {shown(last, freshness)}; {why.text}. {why.next_step}"
        case _:
            assert_never(reading)


async def watch(config: saldo.ClientConfig, owners: list[str], file: Path) -> None:
    async with saldo.Client(config, storage=saldo.FileStorage(file)) as client:
        async for change in client.watch([client.native(owner) for owner in owners]):
            match change:
                case saldo.Remembered(holding=holding, last=last, freshness=freshness):
                    text = f"{'remembered':12} {shown(last, freshness)}"
                case saldo.NewReading(holding=holding, reading=reading, freshness=freshness):
                    text = line(reading, freshness)
                case saldo.Withdrawn(holding=holding, last=last, freshness=freshness):
                    text = f"{'withdrawn':12} the chain took a block back; {shown(last, freshness)}"
                case _:
                    continue
            print(f"{time.strftime('%H:%M:%S')}  {holding.owner[:8]}..  {text}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("owners", nargs="*", help="addresses")
    parser.add_argument("--network", default="mainnet", help="a built-in name, or a network file with its endpoints")
    parser.add_argument("--storage", type=Path, default=Path("saldo.bin"))
    parser.add_argument("--max-age", type=int, default=300, help="seconds until an amount counts as old")
    parser.add_argument("--previews", action="store_true", help="show an invented reading of each state")
    given = parser.parse_args()
    if given.previews:
        print("\n".join(f"{one.name:22}  {line(one.reading, one.freshness)}" for one in saldo.samples()))
        return
    is_file = Path(given.network).is_file()
    text = Path(given.network).read_text() if is_file else given.network
    policy, own = saldo.Policy(max_age_seconds=given.max_age), text if is_file else None
    config = saldo.ClientConfig(network=text, use_directory=not is_file, directory_file=own, policy=policy)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(watch(config, given.owners, given.storage))


if __name__ == "__main__":
    main()
