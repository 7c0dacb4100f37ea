"""Statements that travel with COMMIT: what commits, what is undone, what is said."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, ProgrammingError, connection, transaction

from monolift.registry.direct import DirectStatement
from monolift.registry.transactions import PlatformAtomic

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]
INSERT = DirectStatement("INSERT INTO commit_test (name) VALUES (%s)", name="test_with_commit")


@pytest.fixture(autouse=True)
def _table() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE commit_test (at bigserial, name text PRIMARY KEY, "
            "twin text REFERENCES commit_test DEFERRABLE INITIALLY DEFERRED)"
        )
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE commit_test")


def block() -> PlatformAtomic:
    return PlatformAtomic(using="default", savepoint=True, durable=False)


def write(name: str) -> None:
    """What a module writes: at once."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO commit_test (name) VALUES (%s)", (name,))


def rows() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM commit_test ORDER BY at")
        return [name for (name,) in cursor.fetchall()]


def later(name: str) -> None:
    INSERT.execute_with_commit(connection, (name,))


def now(name: str) -> None:
    INSERT.execute(connection, (name,))


def test_it_is_written_when_the_transaction_commits() -> None:
    with block():
        write("own")
        later("first")
        later("second")
        assert rows() == ["own"]
    assert rows() == ["own", "first", "second"]
    assert not connection.in_atomic_block
    assert connection.get_autocommit()


def test_hooks_run_after_it_and_once() -> None:
    seen = []
    with block():
        write("own")
        later("first")
        transaction.on_commit(lambda: seen.append(rows()))
    assert seen == [["own", "first"]]


def test_a_rolled_back_savepoint_takes_its_own_along_and_order_stays() -> None:
    with block():
        write("own")
        later("first")
        with pytest.raises(RuntimeError), transaction.atomic():
            later("undone")
            raise RuntimeError
        with transaction.atomic():
            later("second")
        later("third")
    assert rows() == ["own", "first", "second", "third"]


def test_an_error_in_the_block_writes_nothing() -> None:
    with pytest.raises(RuntimeError), block():
        write("own")
        later("first")
        raise RuntimeError
    assert rows() == []
    with block():
        write("own")
    assert rows() == ["own"]


def test_its_error_is_the_commits_and_undoes_all() -> None:
    with pytest.raises(IntegrityError, match="own"), block():
        write("own")
        later("first")
        later("own")
        later("second")
    assert rows() == []
    with block():
        write("again")
        later("first")
    assert rows() == ["again", "first"]


def test_a_commit_that_fails_is_told() -> None:
    with pytest.raises(IntegrityError, match="twin"), block():
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO commit_test (name, twin) VALUES ('own', 'missing')")
        later("first")
    assert rows() == []


def test_a_lost_connection_is_told() -> None:
    with pytest.raises(OperationalError), block():
        write("own")
        later("first")
        other = connection.copy()
        try:
            with other.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(%s)", (connection.connection.info.backend_pid,)
                )
        finally:
            other.close()
    connection.close()
    assert rows() == []


def test_it_does_not_wait_where_it_could_not_be_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.connection, "prepare_threshold", None)
    with block():
        write("own")
        later("first")
        assert rows() == ["own", "first"]


def test_it_does_not_wait_for_a_commit_of_others() -> None:
    with transaction.atomic():
        write("own")
        with block():
            later("first")
        assert rows() == ["own", "first"]


def test_a_listener_sees_it_at_once() -> None:
    seen = []

    def listen(run: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        seen.append(sql)
        return run(sql, parameters, many, context)

    with block():
        write("own")
        with connection.execute_wrapper(listen):
            later("first")
    assert seen == [INSERT.sql]
    assert rows() == ["own", "first"]


def test_what_psycopg_prepares_itself_is_in_nobodys_way() -> None:
    """With binding by the server it prepares, and a rollback takes all that is prepared away."""
    before = connection.settings_dict["OPTIONS"]
    connection.close()
    connection.settings_dict["OPTIONS"] = {**before, "server_side_binding": True}
    try:
        for name in ("first", "second"):
            with pytest.raises(RuntimeError), block():
                for _ in range(8):
                    with connection.cursor() as cursor:
                        cursor.execute("SELECT name FROM commit_test WHERE name = %s", (name,))
                raise RuntimeError
            with block():
                write(f"own {name}")
                later(name)
        assert rows() == ["own first", "first", "own second", "second"]
    finally:
        connection.close()
        connection.settings_dict["OPTIONS"] = before


@pytest.mark.parametrize("send", [later, now], ids=["with the commit", "at once"])
def test_what_somebody_takes_away_is_prepared_anew(send: Callable[[str], None]) -> None:
    with block():
        write("own")
        send("first")
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    with pytest.raises(ProgrammingError, match="test_with_commit"), block():
        write("undone")
        send("second")
    with block():
        write("again")
        send("third")
    assert rows() == ["own", "first", "again", "third"]
