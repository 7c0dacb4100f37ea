"""Tables that a module's role may touch, or touches, though they are another module's."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connections

from monolift.boundaries.sql.ownership import ownership
from monolift.lift.advice.material import Material
from monolift.lift.advice.shares import counted
from monolift.lift.advice.smells.smell import Smell, State, state
from monolift.registry.modules import modules
from monolift.registry.sql import fetch
from monolift.registry.topology import topology

_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def shared_database(material: Material) -> Smell:
    """Modules that are apart, by deployable or by role, and meet in a database."""

    def smell(found: State, value: str, *which: str) -> Smell:
        return Smell(
            name="Shared database",
            state=found,
            value=value,
            alarm="any right on, or statement about, another module's tables",
            source="PostgreSQL's grants and pg_stat_activity; SQLite's files",
            found=which,
        )

    pairs = list(_pairs())
    if not pairs:
        return smell(State.OK, "no two modules that are apart share a database")
    found: list[str] = []
    try:
        for first, second in pairs:
            found += _reaches(first, second)
        for alias in sorted({topology().alias(first) for first, _ in pairs}):
            found += _statements(alias)
    except DatabaseError as error:
        reason = " ".join(str(error).split())[:120]
        return smell(State.UNKNOWN, f"a database cannot be asked: {reason}")
    value = f"{len(found)} in {counted(len(pairs), 'pair')} of modules on one database"
    return smell(state(bool(found)), value, *sorted(found))


def _pairs() -> Iterator[tuple[str, str]]:
    """Modules on one database that run apart, or as different roles."""
    known = topology()
    for first in sorted(modules()):
        for second in sorted(modules()):
            here, there = (settings.DATABASES[known.alias(label)] for label in (first, second))
            if first == second or _database(here) != _database(there):
                continue
            if known.place(first).deployable != known.place(second).deployable or here.get(
                "USER"
            ) != there.get("USER"):
                yield first, second


def _database(configured: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(configured.get(part, "")) for part in ("ENGINE", "HOST", "PORT", "NAME"))


def _reaches(first: str, second: str) -> Iterator[str]:
    """What the role of the one may do with the tables of the other."""
    alias = topology().alias(first)
    tables = [model._meta.db_table for model in apps.get_app_config(second).get_models()]
    if not tables:
        return
    if connections[alias].vendor != "postgresql":
        yield f"{first} and {second} share the file of {alias!r}"
        return
    role = settings.DATABASES[alias].get("USER") or fetch(alias, "SELECT current_user", ())[0][0]
    rights: defaultdict[str, list[str]] = defaultdict(list)
    for table, right in fetch(
        alias,
        "SELECT t.name, p.name FROM unnest(%s::text[]) AS t(name), unnest(%s::text[]) AS p(name) "
        "WHERE to_regclass(quote_ident(t.name)) IS NOT NULL "
        "AND has_table_privilege(%s, quote_ident(t.name), p.name)",
        (tables, list(_RIGHTS), role),
    ):
        rights[table].append(right)
    if rights:
        table, granted = min(rights.items())
        more = f" and {counted(len(rights) - 1, 'more table')}" if len(rights) > 1 else ""
        yield (
            f"{first}'s role {role} has {', '.join(sorted(granted))} on {second}'s {table}{more}"
        )


def _statements(alias: str) -> Iterator[str]:
    """What the roles of modules do at the moment."""
    if connections[alias].vendor != "postgresql":
        return
    roles: defaultdict[str, set[str]] = defaultdict(set)
    for label in modules():
        user = settings.DATABASES[topology().alias(label)].get("USER")
        if user:
            roles[user].add(label)
    for role, query in fetch(
        alias,
        "SELECT DISTINCT usename, query FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND usename = ANY(%s)",
        (list(roles),),
    ):
        for other in sorted(ownership().mentioned(query or "") - roles[role]):
            yield f"a session of {role} names a table of {other}: {(query or '')[:80]}"
