"""Words the results: a line each while it runs, and README.md at the end."""

import os
import platform
import re
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.results import Result

README = Path(__file__).with_name("README.md")
_LAYOUT = "{figure:<9} {database:<11} {value:>10} {spread:>17} {goal:>9}  {verdict:<13} {what}"

_PACKAGES = ("django", "django-ninja", "msgspec", "psycopg", "granian")

_HEAD = """\
# Benchmarks

Written by `make bench`; do not edit. Every figure is a ratio to a reference that the same run
measured, in turns with it: the median of the paired ratios. Its spread is the interquartile range:
half of all pairs lie inside it. Absolute times are there to give an idea; on another machine, or an
hour later on the same one, they differ.

A goal is *met*, or missed *within spread* (by less than half the interquartile range, which another
run may turn either way), or *missed*, which makes the run fail. `make check` runs a short form that
fails on counts only. A figure can be measured anew alone (`--only NAME --update`); both sides of a
ratio are always of one run.

"""

_REFERENCES = """
## The references

- **A bound-method call** is the implementation's method called directly with the same arguments.
  The interface call has a trace that is not sampled, a deadline, the check for open transactions
  and the call matrix in it.
- **The HTTP round trip** is `http.client`, kept alive, to granian with a WSGI application that
  reads the same request and answers the same JSON without looking at it.
- **The floor** (`benchmarks/floor`) is a checkout written by hand with Django and django-ninja: the
  same business content in five requests, 17 statements for three lines, one transaction to place.
  It has no holds, no retries, no recovery: a lower limit, not a target. Its basket takes all lines
  in one request; the shop's takes one, so that three lines are seven requests there.
- **By hand, with the same commits** (`benchmarks/byhand.py`) is the shop's checkout without the
  library: the same rows in as many transactions, an intent written before each call to the card
  network, no seam and no saga.
- **The same statements by hand** are those of the unfused checkout, in the same transactions: the
  modules' are built by the same ORM code, the library's were recorded from a real run and are sent
  through Django's raw cursor with fresh ids. **As ready-made text** means that all of them were
  recorded, so that not even the ORM runs: what is left is the database.
- **A saga of three steps** (`benchmarks/probe/sagas.py`) holds and takes stock in another module
  and writes a row of its own, unfused; by hand and as ready-made text as for the checkout. Three of
  the statements that are sent one by one there travel with the commit in ours, on PostgreSQL.
  **DBOS** walks the same three steps in the same run, after ours and not in turns with it
  (`benchmarks/dbos_walk.py`, in an environment that is thrown away): they write the module's rows
  with Django's ORM, so they are steps and not DBOS's own transactions, which need SQLAlchemy; and
  they write neither the key that makes a repeated step harmless nor the timer that ends a forgotten
  hold. What DBOS keeps is in a database of its own on the same server.
- **The plain application** is the same Django without the library's and the shop's middleware, with
  endpoints that send the same queries and answer the same JSON.
- **The plain view** of a page renders the same template with the data that the shop gave to it,
  ready in memory: no query, no call, Django's middleware only. That of adding to a basket renders
  nothing: it reads the article and writes the basket and its line, by hand in one transaction.
  The shop keeps what it read of goods for five seconds, so that the figure is of pages which were
  asked for within these; what a first visitor waits for is given beside it, without a goal.
- **The cuts** are the shop by `monolift run` in one process pair, with inventory in a deployable of
  its own, and with every module in one, under the same open load of visits: three of four look at a
  page, the fourth buys in eight requests. CPU is that of all processes, and a request's time counts
  from when it was due.
- **Overload** is callers that each ask a deployable for something that holds a place for a tenth of
  a second: first as many as it has places (`SERVES_AT_ONCE`), which is its peak, then five times
  that rate in an open load. Good is an answer within a second of when its request was due.
- **The module that hangs** is the warehouse of the shop in three deployables, stopped by SIGSTOP
  for half a minute. All the time a fourth of the requests asks for stock; the times are of the
  others, in an open load, against those of half a minute before and one after.
- **The copy on PostgreSQL** is against one binary COPY of the same rows into a table without
  indexes, on the same server, and then CREATE INDEX and ANALYZE; the lift makes the tables by their
  migrations, and its copy is done when changes follow. **The lag of the replication** is
  the time from sending a write until it is seen at the other side, its commit included, with
  nothing else to do; PostgreSQL's own `replay_lag` begins after the commit, and is shorter.
- **Those who use the shop while modules move** (`benchmarks/visits.py`) send 50 requests a second
  to `monolift run --stack full`, each when it is due, and none twice. Of 13 visitors twelve look at
  a page, a product, stock or a past order; one buys in nine requests, three of which ask whether
  what was acknowledged is there. Meanwhile `monolift lift MODULE --through soak` and `... land` go
  through all stages. Lost and doubled are counted from the books afterwards
  (`benchmarks/books.py`): order, hold, stock, payment, ledger, invoice, shipment, mail and count of
  each order that was acknowledged.
- **The sum of its module calls** is the calls that the home page makes, one after another with the
  same arguments, without the page's own work on what they answer.
- **Others that deliver** (`benchmarks/peers`) run in environments of their own, on the same server
  in the same run: django-outbox-pattern into a broker that only counts, django-jaiminho in order
  into a function that does nothing, Celery by two processes over a Redis of its own.
- **The memory of a worker** (`benchmarks/many_events.py`) is that of a process of its own, after a
  tenth of the events and after all. What is done is purged on the way, as in production.
- **The bare wake-up** is a commit, the signal (a thread's, a pipe, PostgreSQL's NOTIFY), and
  the woken side reading the row.

The card network answers at once, to the shop and to the references alike. Statements are counted at
the driver (SQLite's trace callback, libpq's protocol trace), without transaction control; relay and
handlers run in the worker and are not counted. PostgreSQL runs with fsync and synchronous_commit
on, SQLite with WAL and synchronous=NORMAL, as the shop does. `tests/library/test_benchmarks.py`
checks that the references do the same work.
"""


def heading() -> str:
    """The heads of the columns."""
    return _LAYOUT.format(
        figure="figure", database="database", value="value", spread="quartiles", goal="goal",
        verdict="verdict", what="what",
    )  # fmt: skip


def line(result: Result, *, decides: bool) -> str:
    """A result while it runs."""
    return _LAYOUT.format(
        figure=result.figure,
        database=result.database,
        value=_value(result),
        spread=_spread(result),
        goal=_goal(result),
        verdict=result.verdict if decides else f"({result.verdict})",
        what=f"{result.what} [{result.note}]" if result.note else result.what,
    )


def write(results: Sequence[Result], facts: Mapping[str, str]) -> None:
    """Write README.md."""
    parts = [_HEAD, "| | figure | database | value | quartiles | goal | |\n"]
    parts.append("|---|---|---|--:|--:|--:|---|\n")
    parts += [f"{_key(result)} {_measured(result)}\n" for result in results]
    parts.append("\n## Details\n\n")
    parts.append("Each figure alone: `python -m benchmarks --only NAME`.\n\n")
    parts.append("| figure | database | pairs | |\n|---|---|--:|---|\n")
    parts += [f"{_detail_key(result)} {_detail(result)}\n" for result in results]
    parts.append(_REFERENCES)
    parts.append("\n## The machine\n\n")
    parts += [f"- {name}: {value}\n" for name, value in facts.items()]
    README.write_text("".join(parts))


def update(results: Sequence[Result]) -> None:
    """Write the rows of these results anew in their places, new ones at the end of the table."""
    lines = README.read_text().splitlines()
    for result in results:
        _replace(lines, _key(result), _measured(result), before="## Details")
        _replace(lines, _detail_key(result), _detail(result), before="## The references")
    README.write_text("\n".join(lines) + "\n")


def _replace(lines: list[str], key: str, rest: str, *, before: str) -> None:
    places = [number for number, line in enumerate(lines) if line.startswith(key)]
    if places:
        lines[places[0]] = f"{key} {rest}"
    else:
        lines.insert(lines.index(before) - 1, f"{key} {rest}")


def _key(result: Result) -> str:
    return f"| `{result.figure}` | {result.what} | {result.database} |"


def _measured(result: Result) -> str:
    return f"**{_value(result)}** | {_spread(result)} | {_goal(result)} | {result.verdict} |"


def _detail_key(result: Result) -> str:
    return f"| {result.what} | {result.database} |"


def _detail(result: Result) -> str:
    return f"{result.samples} | {result.note} |"


def machine() -> dict[str, str]:
    """What the run was made on, without names of hosts or people."""
    return {
        "Processor": f"{_processor()}, {os.cpu_count()} cores",
        "Memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "System": f"{platform.system()} {platform.machine()}",
        "Load average at the start": f"{os.getloadavg()[0]:.1f}",
        "Python": f"{platform.python_implementation()} {sys.version.split()[0]}",
        "SQLite": sqlite3.sqlite_version,
        **{
            name: version(name)
            for name in ("django", "django-ninja", "msgspec", "psycopg", "granian")
        },
    }


def server(url: str) -> dict[str, str]:
    """What PostgreSQL says of itself."""
    import psycopg

    with psycopg.connect(url) as connection:
        asked = {
            name: str(connection.execute(f"SHOW {name}").fetchone()[0])
            for name in ("server_version", "fsync", "synchronous_commit")
        }
    return {
        "PostgreSQL": f"{asked['server_version'].split()[0]}, fsync {asked['fsync']}, "
        f"synchronous_commit {asked['synchronous_commit']}, over loopback TCP"
    }


def _processor() -> str:
    try:
        found = re.search(
            r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE
        )
    except OSError:
        found = None
    return found[1] if found else platform.processor() or "unknown processor"


def _value(result: Result) -> str:
    if result.counted:
        return f"{result.value:.0f}"
    if result.unit == "x":
        return f"{result.value:.3g}x"
    return f"{result.value:.0f} {result.unit}"


def _spread(result: Result) -> str:
    if result.samples == 1:
        return "-"
    return f"{result.low:.3g} - {result.high:.3g}"


def _goal(result: Result) -> str:
    if result.goal is None:
        return "-"
    sign = "<=" if result.sense == "at most" else ">="
    return f"{sign} {result.goal:g}"
