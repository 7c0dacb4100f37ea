"""A process beside the test: `python -m tests.library.lift.postgresql.tool VERB ...`.

cut SOURCE TARGET STEP   cut over, and be killed on reaching that step
copy STEP                copy, and be killed on reaching that step
rehearse STEP            rehearse the cut-over, and be killed on reaching that step
write                    for each line of its input, fill `frozen` by one and say so
follow                   follow the topology, until its input ends
"""

import os
import signal
import sys
from typing import Any

import django


def main() -> None:
    """Do what the command line says."""
    verb, *arguments = sys.argv[1:]
    django.setup()
    if verb == "write":
        _write()
        return
    if verb == "follow":
        from monolift.truth.follow import follow

        follow()
        sys.stdin.read()
        return
    from monolift.lift.movers.postgresql.mover import PostgresMover
    from monolift.lift.moving import Move
    from tests.library.lift.postgresql.places import to

    *ends, step = arguments

    def killed(reached: str) -> None:
        if reached == step:
            os.kill(os.getpid(), signal.SIGKILL)

    source, target = ends or ("stock", "stock_away")
    move = Move(module="stock", source=source, target=target, budget=3.0)
    mover = PostgresMover(move, reach=killed)
    if verb == "copy":
        mover.copy(lambda _: None)
    elif verb == "rehearse":
        mover.rehearse()
    else:
        mover.cut_over(to(target))


def _write() -> None:
    from monolift import use
    from tests.library.world.stock.interface import Stock

    stock: Any = use(Stock)
    for _ in iter(sys.stdin.readline, ""):
        stock.fill(sku="frozen", quantity=1)
        sys.stdout.write("filled\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
