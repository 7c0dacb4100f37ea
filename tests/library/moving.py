"""A module of the small world that moves to a second database, with a fence behind it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connections, models

from monolift.db.models import Arrival, Delivery, Key, Outbox, SagaRow
from monolift.registry import topology as registry
from monolift.registry.fence import MARK
from monolift.registry.places import Topology
from monolift.registry.topology import install, topology

ATTIC = "attic"
PLATFORM: tuple[type[models.Model], ...] = (Arrival, Delivery, Key, Outbox, SagaRow)


class Move:
    """Takes modules to the attic: their rows first, then the fence, then the news."""

    def __init__(self) -> None:
        self._fenced: list[tuple[str, str]] = []
        self.news: Topology | None = None
        """What is true and not known here yet: whoever looks for news learns it."""

    def go(self, module: str, *, told: bool = True) -> None:
        """Move a module. Not `told`, this process goes on with the old topology."""
        source = topology().alias(module)
        tables = [*PLATFORM, *apps.get_app_config(module).get_models()]
        for model in tables:
            self._copy(model, source, module)
            self._fence(model, source, module)
        known = topology()
        place = replace(known.place(module), alias=ATTIC)
        places = {**known.places, module: place}
        self.news = replace(known, epoch=known.epoch + 1, places=places)
        if told:
            self.tell()

    def tell(self) -> None:
        """Let the news in."""
        if self.news is not None:
            install(self.news)

    def end(self) -> None:
        """Take everything back."""
        for alias, statement in self._fenced:
            with connections[alias].cursor() as cursor:
                cursor.execute(statement)
        with connections[ATTIC].cursor() as cursor:
            for table in connections[ATTIC].introspection.table_names():
                cursor.execute(f"DELETE FROM {table}")
        registry.reset()

    def _copy(self, model: type[models.Model], source: str, module: str) -> None:
        rows: Any = model._default_manager.using(source)
        if model in PLATFORM:
            rows = rows.filter(module=module)
        for row in rows:
            row.save(using=ATTIC, force_insert=True)

    def _fence(self, model: type[models.Model], alias: str, module: str) -> None:
        table = model._meta.db_table
        connection = connections[alias]
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(
                    "CREATE OR REPLACE FUNCTION test_fence() RETURNS trigger LANGUAGE plpgsql AS "
                    f"$$BEGIN RAISE EXCEPTION '{MARK}' USING ERRCODE = 'ML001'; END$$"
                )
            for verb, row in (("insert", "NEW"), ("update", "OLD"), ("delete", "OLD")):
                name = f"fence_{table}_{verb}"
                when = f"WHEN ({row}.module = '{module}')" if model in PLATFORM else ""
                if connection.vendor == "postgresql":
                    action, of = "EXECUTE FUNCTION test_fence()", f" ON {table}"
                else:
                    action, of = f"BEGIN SELECT RAISE(ABORT, '{MARK}'); END", ""
                cursor.execute(
                    f"CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH ROW {when} {action}"
                )
                self._fenced.append((alias, f"DROP TRIGGER {name}{of}"))


@contextmanager
def second_database(folder: Path) -> Iterator[None]:
    """A file of SQLite with the tables of the small world."""
    made = connections.configure_settings(
        {
            "default": connections.settings["default"],
            ATTIC: {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(folder / "attic.sqlite3"),
                "OPTIONS": {"transaction_mode": "IMMEDIATE"},
            },
        }
    )
    connections.settings[ATTIC] = made[ATTIC]
    models_of = [apps.get_app_config(label).get_models() for label in ("sales", "stock", "cards")]
    with connections[ATTIC].schema_editor() as editor:
        for model in (*PLATFORM, *chain.from_iterable(models_of)):
            editor.create_model(model)
    try:
        yield
    finally:
        connections[ATTIC].close()
        del connections.settings[ATTIC]


@contextmanager
def moving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Move]:
    """Moves to it; and news that are found when somebody looks."""
    move = Move()
    monkeypatch.setattr(registry, "_renew", move.tell)
    monkeypatch.setattr(registry, "_heeded", True)
    monkeypatch.setattr(registry, "_truth", None)
    try:
        yield move
    finally:
        move.end()
