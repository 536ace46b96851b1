"""The consensus side of the test network, in one process: a chain and a beacon API for it.

The chain starts a few epochs in the past and is built to the present as fast as the machine allows. After that it
gets one block at the start of every slot. So finality and light-client data exist within seconds, and the chain's
time is the clock's time.
"""

import argparse
import threading
import time
from http.server import ThreadingHTTPServer
from pathlib import Path

from beacon_api import handler
from chain import SLOT_SECONDS, Chain, configure_spec, report
from engine import Engine, EngineError

# Finality starts with the block of slot 32 at the earliest, and a finality update two blocks later.
PAST_SLOTS = 40
# Real chains have slots without a block. The second one is the start of an epoch, so that a checkpoint is
# a block of the epoch before it.
EMPTY_SLOTS = frozenset({13, 24})


def extend(chain: Chain) -> None:
    """Adds blocks without end: past slots at once, later slots when they start."""
    caught_up = False
    slot = 0
    while True:
        slot += 1
        wait = chain.start_of(slot) - time.time()
        if wait > 0:
            if not caught_up:
                caught_up = True
                report(f"caught up at slot {slot - 1}")
            time.sleep(wait)
        if slot in EMPTY_SLOTS:
            continue
        try:
            chain.produce(slot)
        except EngineError as error:
            report(f"slot {slot} is left empty: {error}")
            continue
        finalized = chain.head.state.finalized_checkpoint.epoch
        late = time.time() - chain.start_of(slot)
        report(f"slot {slot}, epoch {finalized} finalized, {late:.3f} s after its start")


def main() -> None:
    """Serves the beacon API and extends the chain until the process is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--jwt-secret", type=Path, required=True)
    parser.add_argument("--engine", action="append", required=True, metavar="NAME=URL")
    arguments = parser.parse_args()

    secret = bytes.fromhex(arguments.jwt_secret.read_text())
    engines = [Engine(*engine.split("=", 1), secret) for engine in arguments.engine]
    configure_spec(engines[0].chain_id())
    chain = Chain(engines, int(time.time()) - PAST_SLOTS * SLOT_SECONDS)
    server = ThreadingHTTPServer(("127.0.0.1", arguments.port), handler(chain))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    extend(chain)


if __name__ == "__main__":
    main()
