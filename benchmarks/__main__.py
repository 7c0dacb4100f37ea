"""`python -m benchmarks`: measure, print, and write README.md.

Exits 1 when a goal is missed by more than the spread of its measurement. With --short only what is
counted can fail, nothing is written, and it takes about a minute.
"""

import argparse
import contextlib
import sys

from benchmarks import report
from benchmarks.results import Result
from benchmarks.run import (
    FIGURES,
    POSTGRESQL,
    SQLITE,
    Failed,
    durable_server,
    measure,
    own_database,
)


def main() -> int:
    """Run what is asked for; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--short", action="store_true", help="few repetitions; fail on counts only")
    parser.add_argument(
        "--only", action="append", choices=FIGURES, metavar="NAME", help=", ".join(FIGURES)
    )
    parser.add_argument(
        "--update", action="store_true", help="with --only: write these rows of README.md anew"
    )
    options = parser.parse_args()
    if options.update and (options.short or not options.only):
        parser.error("--update goes with --only, and without --short")
    figures = options.only or list(FIGURES)
    results: list[Result] = []
    facts = report.machine()

    def seen(result: Result) -> None:
        results.append(result)
        print(report.line(result, decides=not options.short or result.counted), flush=True)

    print(report.heading())
    try:
        measure(
            [name for name in figures if SQLITE in FIGURES[name]],
            database=SQLITE,
            short=options.short,
            seen=seen,
        )
        on_server = [name for name in figures if POSTGRESQL in FIGURES[name]]
        if on_server:
            with contextlib.ExitStack() as stack:
                server = stack.enter_context(durable_server())
                url = stack.enter_context(own_database(server))
                facts |= report.server(url)
                measure(on_server, database=POSTGRESQL, short=options.short, url=url, seen=seen)
    except Failed as error:
        sys.stderr.write(f"benchmarks: {error}\n")
        return 1
    if not options.short and not options.only:
        report.write(results, facts)
    if options.update:
        report.update(results)
    deciding = [result for result in results if result.counted or not options.short]
    missed = [result for result in deciding if result.verdict == "missed"]
    for result in missed:
        sys.stderr.write(f"benchmarks: missed: {result.what} on {result.database}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
