"""`/healthz`: whether this process can serve."""

from django.db import Error, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from monolift.registry.databases import own_module
from monolift.registry.topology import databases

_migrated: set[str] = set()


def healthz(request: HttpRequest) -> JsonResponse:
    """200 when the databases in use answer and are migrated, else 503; the body says which not."""
    states = {alias: _state(alias) for alias in databases()}
    healthy = all(state == "ok" for state in states.values())
    body = {"status": "ok" if healthy else "unavailable", "databases": states}
    return JsonResponse(body, status=200 if healthy else 503, headers={"Cache-Control": "no-store"})


def _state(alias: str) -> str:
    connection = connections[alias]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        # Loading the migration graph is slow, and what was applied once stays applied. A module's
        # own role does not see what was applied: that is for who owns the tables.
        if alias not in _migrated and own_module(alias) is None:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                return "not migrated"
            _migrated.add(alias)
    except Error:
        return "no answer"
    return "ok"
