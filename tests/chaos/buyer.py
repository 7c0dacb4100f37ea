"""Fills stock by commands with a key each: `python -m tests.chaos.buyer FILE THREADS`.

What got no answer is asked again under its key until it has one, and only then the key is written
to the file. So each key that is in it was done; and the one of each thread that is not, may be.
"""

import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import django

PACE = 0.1
"""Seconds between two commands of a thread."""


def main() -> None:
    """Go on until SIGTERM; what is under way then gets its answer."""
    file, threads = Path(sys.argv[1]), int(sys.argv[2])
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    django.setup()
    from monolift.truth.follow import follow

    follow()
    with file.open("a", buffering=1) as acknowledged:
        buyers = [
            threading.Thread(target=_buy, args=(f"{number}", acknowledged, stopping))
            for number in range(threads)
        ]
        for buyer in buyers:
            buyer.start()
        stopping.wait()
        for buyer in buyers:
            buyer.join()


def _buy(name: str, acknowledged: Any, stopping: threading.Event) -> None:
    from django.db import close_old_connections, connections

    from monolift import use
    from tests.keyed import under
    from tests.library.world.stock.interface import Stock

    stock: Any = use(Stock)
    count = 0
    while not stopping.is_set():
        count += 1
        key = f"{name}-{count}"
        while True:
            try:
                with under(key):
                    stock.fill(sku=key, quantity=1)
                break
            except Exception as error:  # whatever it is: it is asked again under its key
                sys.stderr.write(f"{key}: {type(error).__name__}: {error}\n")
                close_old_connections()
                time.sleep(0.1)
        acknowledged.write(f"{key}\n")
        time.sleep(PACE)
    connections.close_all()


if __name__ == "__main__":
    main()
