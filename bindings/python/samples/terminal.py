"""Shows several balances in a terminal, each with its state and its age, and goes on through an outage and a restart.

    python terminal.py --network mainnet 0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045
    python terminal.py --previews
"""

import argparse
import asyncio
import sys
import time
from pathlib import Path
from typing import assert_never

import saldo


def age(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} old"
    return f"{seconds:.0f} s old"


def shown(proven: saldo.Proven | None) -> str:
    if proven is None:
        return "no amount is known"
    old = age(max(time.time() - proven.block.timestamp, 0))
    return f"{saldo.format_amount_short(proven.amount, 18, 6)} at block {proven.block.number}, {old}"


def line(reading: saldo.Reading) -> str:
    match reading:
        case saldo.Proven(is_restored=is_restored):
            return f"{'remembered' if is_restored else 'proven':12} {shown(reading)}"
        case saldo.Provisional(unconfirmed=saldo.Claimed(amount=amount), last=last):
            return f"{'unconfirmed':12} {saldo.format_amount_short(amount, 18, 6)}; proven before: {shown(last)}"
        case saldo.Provisional(why=why, last=last) | saldo.Unknown(why=why, last=last):
            return f"{'not known':12} {shown(last)}; {why.text}. {why.next_step}"
        case _:
            assert_never(reading)


async def watch(config: saldo.ClientConfig, owners: list[str], file: Path) -> None:
    async with saldo.Client(config, storage=saldo.FileStorage(file)) as client:
        async for change in client.watch([client.native(owner) for owner in owners]):
            match change:
                case saldo.Remembered(holding=holding, last=last):
                    text = f"{'remembered':12} {shown(last)}"
                case saldo.NewReading(holding=holding, reading=reading):
                    text = line(reading)
                case saldo.Withdrawn(holding=holding, last=last):
                    text = f"{'withdrawn':12} the chain took a block back; {shown(last)}"
                case _:
                    continue
            print(f"{time.strftime('%H:%M:%S')}  {holding.owner[:8]}..  {text}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("owners", nargs="*", help="addresses")
    parser.add_argument("--network", default="mainnet", help="a built-in name, or a network file with its endpoints")
    parser.add_argument("--storage", type=Path, default=Path("saldo.bin"))
    parser.add_argument("--previews", action="store_true", help="show an invented reading of each state")
    given = parser.parse_args()
    if given.previews:
        for sample in saldo.samples():
            print(f"{sample.name:22}  {line(sample.reading)}")
        return
    is_file = Path(given.network).is_file()
    text = Path(given.network).read_text() if is_file else given.network
    config = saldo.ClientConfig(network=text, use_directory=not is_file, directory_file=text if is_file else None)
    try:
        asyncio.run(watch(config, given.owners, given.storage))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
