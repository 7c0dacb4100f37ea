"""Runs sagas until each has ended: `python -m tests.chaos.seller COUNT`.

As a client does, it asks again under the same key when it gets no answer. Every other saga runs
step by step, as if its modules had databases of their own.
"""

import sys
import time

import django


def main() -> None:
    """Sell so often, one sale after another."""
    django.setup()
    from django.conf import settings

    from monolift.kernel import Unavailable
    from tests.library.world.sales.sagas import Local

    for number in range(int(sys.argv[1])):
        settings.MONOLIFT["FUSION"] = number % 2 == 0
        while True:
            try:
                if Local.run(key=str(number), timeout=2).status.ended:
                    break
            except Unavailable as error:
                sys.stdout.write(f"{error}\n")
                time.sleep(0.05)


if __name__ == "__main__":
    main()
