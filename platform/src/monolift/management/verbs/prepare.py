"""Create and migrate every database, and load the sample data when asked to.

What `monolift run` does before it starts. Safe to repeat: what is there already stays.
"""

import argparse
import contextlib
from pathlib import Path

NEEDS_DJANGO = True

# What people look for first, each at the first of its paths that exists.
_CANDIDATES = {
    "Open": ("/",),
    "API docs": ("/api/docs", "/api/v1/docs"),
    "Admin": ("/admin/",),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--sample",
        action="store_true",
        help="run `load_sample --if-missing`, if the project has this command",
    )
    parser.add_argument(
        "--pages",
        metavar="FILE",
        help="write the pages that the project has to a file: title, tab, path",
    )
    parser.add_argument(
        "--pools",
        metavar="FILE",
        help="write the pools of workers that the project wants to a file: modules, tab, workers",
    )


def run(options: argparse.Namespace) -> int:
    """Prepare the databases."""
    from django.core.management import call_command, get_commands
    from django.db import Error, connections
    from django.db.migrations.executor import MigrationExecutor

    from monolift.db.creating import create_if_missing
    from monolift.management.errors import VerbError
    from monolift.registry.databases import own_module
    from monolift.registry.topology import databases

    for alias in databases():
        if own_module(alias) is not None:
            _migrate_as_owner(alias)
            continue
        connection = connections[alias]
        try:
            create_if_missing(connection)
            executor = MigrationExecutor(connection)
            count = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
            if count:
                print(f"Database {alias}: applying {count} migrations ...", flush=True)
            else:
                print(f"Database {alias}: up to date.", flush=True)
            # Also when there are none: the signal after it makes what a killed run left out.
            call_command("migrate", database=alias, interactive=False, verbosity=0)
        except Error as error:
            reason = str(error).strip().partition("\n")[0]
            raise VerbError(f"The database {alias!r} cannot be migrated: {reason}") from error
    if options.sample and "load_sample" in get_commands():
        call_command("load_sample", "--if-missing")
    if options.pages:
        lines = [f"{title}\t{path}\n" for title, path in _pages()]
        Path(options.pages).write_text("".join(lines), encoding="utf-8")
    if options.pools:
        from monolift.events.pools import pools

        lines = [f"{','.join(pool.modules)}\t{pool.workers}\n" for pool in pools() if pool.modules]
        Path(options.pools).write_text("".join(lines), encoding="utf-8")
    return 0


def _migrate_as_owner(alias: str) -> None:
    """The tables of a module with a role of its own: they are another's, whom the control
    deployable knows. Where they are the default database's, they are migrated with it.
    """
    from monolift.lift.movers.postgresql.target import make_tables
    from monolift.lift.sealing.postgresql.sides import Side
    from monolift.registry.databases import own_module, owning_alias
    from monolift.registry.places import here
    from monolift.registry.topology import topology

    module = own_module(alias)
    if module is not None and owning_alias(alias) == alias and topology().control == here():
        make_tables(Side(module, alias))
        print(f"Database {alias}: up to date.", flush=True)


def _pages() -> list[tuple[str, str]]:
    from django.urls import Resolver404, resolve

    found = []
    for title, paths in _CANDIDATES.items():
        for path in paths:
            with contextlib.suppress(Resolver404):
                resolve(path)
                found.append((title, path))
                break
    return found
