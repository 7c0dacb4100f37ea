"""Statements past Django's cursor: the same rows and errors, prepared only where allowed."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from monolift.registry.direct import DirectStatement

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
INSERT = "INSERT INTO direct_test (name, note) VALUES (%s, %s)"


@pytest.fixture(autouse=True)
def _table() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE direct_test (name text PRIMARY KEY, note text)")


def rows() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, note FROM direct_test ORDER BY name")
        return cursor.fetchall()


def prepared(name: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements WHERE name = %s", (name,))
        return [text for (text,) in cursor.fetchall()]


@pytest.mark.parametrize("threshold", [None, 5], ids=["not prepared", "prepared"])
def test_rows_and_errors_are_the_cursors(
    monkeypatch: pytest.MonkeyPatch, threshold: int | None
) -> None:
    name = f"test_rows_{threshold}"
    statement = DirectStatement(INSERT, name=name)
    monkeypatch.setattr(connection.connection, "prepare_threshold", threshold)
    statement.execute(connection, ("a", "100% 'naïve' $1"))
    statement.execute(connection, ("b", None))
    with pytest.raises(IntegrityError), transaction.atomic():
        statement.execute(connection, ("a", "again"))
    statement.execute(connection, ("c", ""))
    assert rows() == [("a", "100% 'naïve' $1"), ("b", None), ("c", "")]
    assert prepared(name) == (
        [] if threshold is None else [INSERT.replace("%s", "${}").format(1, 2)]
    )


def test_it_is_prepared_again_on_a_new_connection() -> None:
    statement = DirectStatement(INSERT, name="test_again")
    statement.execute(connection, ("a", ""))
    first = connection.connection
    other = connection.copy()
    try:
        other.connect()
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE direct_test (name text PRIMARY KEY, note text)")
        statement.execute(other, ("a", ""))
        assert other.connection is not first
    finally:
        other.close()


def test_a_listener_sees_it() -> None:
    seen = []

    def listen(run: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        seen.append(sql)
        return run(sql, parameters, many, context)

    with connection.execute_wrapper(listen):
        DirectStatement(INSERT, name="test_seen").execute(connection, ("a", ""))
    assert seen == [INSERT]
    assert prepared("test_seen") == []
