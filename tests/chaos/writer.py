"""Publishes events from several threads: `python -m tests.chaos.writer NAMES EVENTS THREADS SEED`.

Each transaction counts up the stock of an article and announces the new count, so the table of
articles tells which events there must be, in which order, whatever became of this process.
"""

import random
import sys
import threading
import time

import django


def main() -> None:
    """Write until as many transactions have committed as were asked for."""
    names, events, threads, seed = sys.argv[1].split(","), *map(int, sys.argv[2:])
    django.setup()
    workers = [
        threading.Thread(target=_write, args=(names, events // threads, f"{seed}-{number}"))
        for number in range(threads)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _write(names: list[str], events: int, seed: str) -> None:
    from django.db import DatabaseError, close_old_connections, connections
    from django.db.models import F

    from monolift import atomic, publish
    from tests.library.world.stock.events import Filled
    from tests.library.world.stock.models import Item

    chance = random.Random(seed)
    for _ in range(events):
        sku = chance.choice(names)
        while True:
            try:
                with atomic(module="stock"):
                    Item.objects.filter(sku=sku).update(left=F("left") + 1)
                    publish(Filled(sku=sku, quantity=Item.objects.get(sku=sku).left))
                break
            except DatabaseError:  # it may have been committed: then the count tells
                close_old_connections()
                time.sleep(0.05)
    connections.close_all()


if __name__ == "__main__":
    main()
