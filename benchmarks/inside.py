"""Runs some figures in a process of its own, on the database its environment names.

Started by `benchmarks.run`. Prints one JSON object a line: results on their way, then facts.
"""

import argparse
import gc
import importlib
import json
import sys
from typing import Any


def main() -> None:
    """Set Django up, make the tables, run the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("figures", nargs="+")
    parser.add_argument("--database", required=True)
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args()

    import django

    django.setup()
    from django.core.management import call_command

    from benchmarks.context import Context

    call_command("migrate", verbosity=0, run_syncdb=True)
    gc.freeze()
    context = Context(database=options.database, short=options.short)
    for name in options.figures:
        figure: Any = importlib.import_module(f"benchmarks.figures.{name}")
        for result in figure.run(context):
            sys.stdout.write(json.dumps(result.as_dict()) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
