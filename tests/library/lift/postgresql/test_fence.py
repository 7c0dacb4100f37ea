"""The fence: every way of writing goes through it, and each part closes what others leave."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.contrib.admin import AdminSite, ModelAdmin
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections, transaction

from monolift import Unavailable, atomic, publish, use
from monolift.db.models import Delivery, Key, SagaRow
from monolift.db.postgresql.base import DatabaseWrapper
from monolift.db.postgresql.driver import FencedConnection
from monolift.events import deliveries, handling, lanes, relay, retention
from monolift.kernel import clock
from monolift.kernel.clock import monotonic
from monolift.lift.sealing.postgresql import rights
from monolift.registry.databases import own_module
from monolift.registry.fence import MARK, SQLSTATE
from monolift.registry.scope import Scope, entered
from monolift.sagas import retention as saga_retention
from tests.library.lift.postgresql.places import ROLE, Places, connect, entry, learn
from tests.library.world.stock.events import Filled
from tests.library.world.stock.interface import Stock
from tests.library.world.stock.models import Hold, Item

CLOSE = "UPDATE monolift_fence SET open = false"
OPEN = "UPDATE monolift_fence SET open = true"
TABLES = ("stock_item", "stock_hold", *(f"monolift_{name}" for name in
          ("outbox", "delivery", "key", "saga", "arrival")))  # fmt: skip


def cursor() -> Any:
    return connections["stock"].cursor()


def call_interface() -> None:
    scope = Scope(None, None, monotonic() + 0.3)
    with entered(scope):
        use(Stock).fill(sku="a")


def in_a_shell() -> None:
    with atomic(module="stock"):
        Item.objects.create(sku="shell", left=1)


def without_a_transaction() -> None:
    Item.objects.filter(sku="a").update(left=7)


def many_at_once() -> None:
    Hold.objects.bulk_create([Hold(sku="a", quantity=1), Hold(sku="b", quantity=1)])


def by_the_admin() -> None:
    admin: Any = ModelAdmin(Item, AdminSite())
    with transaction.atomic(using="stock"):
        admin.save_model(None, Item(sku="admin", left=1), None, False)


def by_sql() -> None:
    with cursor() as session:
        session.execute("UPDATE stock_item SET \"left\" = 8 WHERE sku = 'a'")


def by_many_statements() -> None:
    with cursor() as session:
        session.executemany(
            "INSERT INTO stock_hold (sku, quantity) VALUES (%s, 1)", [("x",), ("y",)]
        )


def by_copy() -> None:
    with cursor() as session, session.copy("COPY stock_hold (sku, quantity) FROM STDIN") as copy:
        copy.write_row(("copied", 1))


def behind_a_select() -> None:
    with cursor() as session:
        session.execute("SELECT 1; UPDATE stock_item SET \"left\" = 9 WHERE sku = 'a'")


def by_a_function_in_a_select() -> None:
    with cursor() as session:
        session.execute("SELECT nextval('stock_hold_id_seq')")
        session.execute("SELECT pg_temp_write()")


def by_the_driver() -> None:
    connections["stock"].ensure_connection()
    driver: Any = connections["stock"].connection
    driver.execute("UPDATE stock_item SET \"left\" = 6 WHERE sku = 'a'")


def by_hand() -> None:
    transaction.set_autocommit(False, using="stock")
    try:
        Item.objects.filter(sku="a").update(left=5)
        transaction.commit(using="stock")
        Item.objects.filter(sku="a").update(left=4)  # a second transaction
        transaction.commit(using="stock")
    finally:
        transaction.rollback(using="stock")
        transaction.set_autocommit(True, using="stock")


def announcing() -> None:
    with atomic(module="stock"):
        publish(Filled(sku="a", quantity=1))


def relaying() -> None:
    assert relay.relay("stock").events


def working() -> None:
    batch = deliveries.claim("stock", modules=["stock"])
    assert batch
    handling.run("stock", batch)


def waking_a_lane() -> None:
    lanes.promote("stock", [lanes.Lane("stock", "stock", "k", "")])


def resubmitting() -> None:
    deliveries.resubmit("stock", module="stock", event="failed", subscriber="s")


def cleaning_keys() -> None:
    assert retention.purge("stock", older_than=timedelta(0), keys_older_than=timedelta(0)).keys


def cleaning_sagas() -> None:
    saga_retention.purge("stock", older_than=timedelta(0))


def saga_runner() -> None:
    from monolift.registry.sql import execute

    assert execute("stock", "UPDATE monolift_saga SET token = 'x' WHERE module = 'stock'")


WRITERS: list[Callable[[], None]] = [
    call_interface,
    in_a_shell,
    without_a_transaction,
    many_at_once,
    by_the_admin,
    by_sql,
    by_many_statements,
    by_copy,
    behind_a_select,
    by_a_function_in_a_select,
    by_the_driver,
    by_hand,
    announcing,
    relaying,
    working,
    waking_a_lane,
    resubmitting,
    cleaning_keys,
    cleaning_sagas,
    saga_runner,
]


@pytest.fixture
def sealed(world: Places) -> Places:
    """Stock behind its fence, with a row for each kind of work."""
    use(Stock).fill(sku="a")
    long_ago = clock.now() - timedelta(days=1)
    due = {"due_at": long_ago, "created_at": long_ago}
    delivery = {"module": "stock", "publisher": "stock", "name": "n", "number": 1, "body": "{}"}
    for more in (
        {"event": "e", "subscriber": "nobody", "state": "pending"},
        {"event": "w", "subscriber": "nobody", "state": "waiting", "key": "k"},
        {"event": "failed", "subscriber": "s", "state": "failed"},
    ):
        Delivery(**delivery, **due, **more).save(using="default", force_insert=True)
    named = {"module": "stock", "key": "old", "state": "done"}
    Key(**named, operation="o", fingerprint="f", lease_until=long_ago, created_at=long_ago).save(
        using="default", force_insert=True
    )
    saga = {"id": "0", "name": "stock.s", "version": 1, "progress": "{}", "updated_at": long_ago}
    SagaRow(**named, **saga, **due, status="done").save(using="default", force_insert=True)
    world.do(
        "CREATE FUNCTION pg_temp_write() RETURNS void LANGUAGE sql AS "
        "$$ UPDATE stock_item SET \"left\" = 3 WHERE sku = 'a' $$"
    )
    world.sealed()
    return world


def rows(world: Places) -> list[Any]:
    return [world.ask(f"SELECT * FROM {table} ORDER BY 1, 2") for table in TABLES]


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_every_writer_passes_the_fence(sealed: Places, write: Callable[[], None]) -> None:
    sealed.do(CLOSE)
    before = rows(sealed)
    with pytest.raises((DatabaseError, Unavailable, psycopg.Error), match="moved"):
        write()
    assert rows(sealed) == before
    sealed.do(OPEN)
    write()
    assert rows(sealed) != before


def test_reading_needs_no_fence_and_no_transaction(sealed: Places) -> None:
    sealed.do(CLOSE)
    assert use(Stock).levels(skus=["a"])["a"].left == 10
    assert list(Item.objects.iterator()) == [Item(sku="a")]


def test_a_reader_of_what_is_between_two_places_is_told_so(sealed: Places) -> None:
    """On the way back it is nowhere for a moment, and no topology has changed yet."""
    sealed.do("; ".join(rights.revoke(ROLE, ["stock_item"], [])))
    with pytest.raises(DatabaseError, match="permission denied") as mistaken:
        Item.objects.count()
    assert MARK not in str(mistaken.value)
    sealed.do(CLOSE)
    with pytest.raises(DatabaseError, match=MARK):
        Item.objects.count()


def test_a_reader_that_was_refused_just_before_it_was_opened_again_reads(
    sealed: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way back was killed, and `recover` was quicker than the look at the fence."""
    look = FencedConnection.is_closed

    def recovered(connection: FencedConnection) -> bool:
        sealed.do("; ".join(rights.grant(ROLE, ["stock_item"], [])) + f"; {OPEN}")
        return look(connection)

    sealed.do("; ".join(rights.revoke(ROLE, ["stock_item"], [])) + f"; {CLOSE}")
    monkeypatch.setattr(FencedConnection, "is_closed", recovered)
    assert Item.objects.count() == 1


def test_a_write_without_a_transaction_holds_the_lock_while_it_runs(sealed: Places) -> None:
    """R7: a lock taken in a statement of its own would be gone before the write."""
    with cursor() as session:
        session.execute(
            'UPDATE stock_item SET "left" = (SELECT count(*) FROM pg_locks WHERE '
            "locktype = 'advisory' AND mode = 'ShareLock' AND pid = pg_backend_pid())"
        )
    assert sealed.ask('SELECT "left" FROM stock_item') == [(1,)]


def test_the_row_is_read_after_the_lock_is_given(sealed: Places) -> None:
    """R1: who waited for the lock must not go by what was true before."""
    outcome: list[Exception | None] = []

    def write() -> None:
        try:
            in_a_shell()
            outcome.append(None)
        except Exception as error:
            outcome.append(error)
        finally:
            connections.close_all()

    with sealed.session() as held:
        held.execute(f"SELECT pg_advisory_lock({rights.lock_key('stock')})")
        writer = threading.Thread(target=write)
        writer.start()
        while not held.execute(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        ).fetchall():
            pass
        held.execute(CLOSE)
        held.execute(f"SELECT pg_advisory_unlock({rights.lock_key('stock')})")
        writer.join()
    assert MARK in str(outcome[0])
    assert sealed.ask("SELECT 1 FROM stock_item WHERE sku = 'shell'") == []


def as_role(world: Places) -> Any:
    """A session of the module's role, by hand."""
    session = connect(world.here, dbname=world.names[0], user=ROLE)
    session.execute("SET default_transaction_read_only = off")
    return session


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_a_snapshot_of_its_own_does_not_enter(sealed: Places, level: str) -> None:
    """R2."""
    with as_role(sealed) as session, pytest.raises(psycopg.Error, match="READ COMMITTED only"):
        session.execute(f"BEGIN ISOLATION LEVEL {level}; SELECT monolift_fence_enter('stock', 9)")


@pytest.mark.parametrize("closed_by", ["the trigger", "the rights"])
def test_a_snapshot_of_before_is_refused_by_the_catalogue(sealed: Places, closed_by: str) -> None:
    """R2, R3: a writer whose snapshot shows an open fence, and who does not ask it."""
    with as_role(sealed) as session:
        session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT open FROM monolift_fence")
        if closed_by == "the trigger":
            sealed.do("; ".join([*rights.switch(["stock_item"], on=True), CLOSE]))
        else:
            sealed.do("; ".join([*rights.revoke(ROLE, ["stock_item"], []), CLOSE]))
        assert session.execute("SELECT open FROM monolift_fence").fetchall() == [(True,)]
        with pytest.raises(psycopg.Error) as refused:
            session.execute("INSERT INTO stock_item VALUES ('old', 1)")
    assert refused.value.sqlstate == (SQLSTATE if closed_by == "the trigger" else "42501")


@pytest.mark.parametrize(
    "statement",
    [
        'UPDATE stock_item SET "left" = 0',
        "DELETE FROM stock_hold",
        "TRUNCATE stock_item",
        (
            "INSERT INTO monolift_key (module, key, operation, fingerprint, state, answer, error, "
            "lease_until, created_at) "
            "VALUES ('stock', 'k', 'o', 'f', 'done', '', '', now(), now())"
        ),
        "DELETE FROM monolift_outbox WHERE module = 'stock'",
        "UPDATE monolift_outbox SET relayed_at = now()",
    ],
    ids=["update", "delete", "truncate", "a key", "events gone", "events relayed"],
)
def test_the_owner_is_a_stranger_once_it_is_sealed(sealed: Places, statement: str) -> None:
    """Also a superuser: a shell, a cron job, a process that has not heard of the seal."""
    before = rows(sealed)
    with pytest.raises(psycopg.Error, match=MARK):
        sealed.do(statement)
    assert rows(sealed) == before


def test_rows_of_other_modules_are_written_as_before(sealed: Places) -> None:
    with atomic(module="sales"):
        from tests.library.world.sales.events import Sold

        publish(Sold(sale="1"))
    assert relay.relay("default").events == 1  # and none of stock's
    assert sealed.ask("SELECT count(*) FROM monolift_outbox WHERE relayed_at IS NULL") == [(1,)]


def test_the_role_sees_its_own_rows_only(sealed: Places) -> None:
    with atomic(module="sales"):
        from tests.library.world.sales.events import Sold

        publish(Sold(sale="1"))
    with as_role(sealed) as session:
        assert session.execute("SELECT DISTINCT module FROM monolift_outbox").fetchall() == [
            ("stock",)
        ]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("UPDATE monolift_outbox SET module = 'sales'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("SELECT * FROM sales_sale")


def test_the_role_writes_nothing_without_asking_to(sealed: Places) -> None:
    """What passes by the engine is read-only."""
    with connect(sealed.here, dbname=sealed.names[0], user=ROLE) as session:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            session.execute('UPDATE stock_item SET "left" = 0')
        assert session.execute("SHOW lock_timeout").fetchall() == [("4s",)]


def test_an_older_epoch_is_refused_while_the_fence_is_open(sealed: Places) -> None:
    """A process that slept through a move and the way back."""
    sealed.do("UPDATE monolift_fence SET epoch = 99")
    with pytest.raises(DatabaseError, match="epoch 99"):
        in_a_shell()


def test_a_process_that_has_not_heard_of_the_seal_follows(sealed: Places) -> None:
    from monolift.registry.topology import reset, topology

    learn()
    sealed.seal().undo(_home)
    assert topology().alias("stock") == "stock"  # this process does not know yet
    use(Stock).fill(sku="a", quantity=5)
    assert topology().alias("stock") == "default"
    assert sealed.ask('SELECT "left" FROM stock_item') == [(15,)]
    reset()


def _home() -> Any:
    from tests.library.lift.postgresql.places import to

    return to("default")()


def test_sealing_again_changes_nothing_and_opens(sealed: Places) -> None:
    sealed.sealed()
    use(Stock).fill(sku="a", quantity=1)
    sealed.seal().undo(_home)
    learn()
    use(Stock).fill(sku="a", quantity=1)
    sealed.sealed()
    use(Stock).fill(sku="a", quantity=1)
    assert sealed.ask('SELECT "left" FROM stock_item') == [(13,)]


def test_what_is_printed_is_what_is_run(world: Places) -> None:
    with suppress(psycopg.errors.DuplicateObject):
        world.do(f"CREATE ROLE {ROLE} LOGIN")
    text = "; ".join(world.seal().statements())
    world.do(f"BEGIN; {text}; COMMIT")
    with pytest.raises(psycopg.Error, match=MARK):
        world.do("DELETE FROM stock_item")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"MONOLIFT": {}}, "does not say for which module"),
        ({"AUTOCOMMIT": False}, "AUTOCOMMIT must stay on"),
        ({"OPTIONS": {"isolation_level": 3}}, "must be READ COMMITTED"),
    ],
    ids=["no module", "no autocommit", "isolation"],
)
def test_what_would_pass_the_fence_by_is_refused(change: dict[str, Any], problem: str) -> None:
    said = {**entry("postgresql://h/", "n", user="u", module="stock"), **change}
    said.setdefault("AUTOCOMMIT", True)
    with pytest.raises(ImproperlyConfigured, match=problem):
        DatabaseWrapper(said, "elsewhere")


def test_an_unknown_entry_is_named(world: Places) -> None:
    from django.conf import settings

    settings.DATABASES["stock"]["MONOLIFT"]["modul"] = "stock"
    with pytest.raises(ImproperlyConfigured, match="has 'modul'"):
        own_module("stock")


def test_a_connection_is_whole_after_a_refusal(sealed: Places) -> None:
    sealed.do(CLOSE)
    for write in (by_sql, in_a_shell, by_copy):
        with pytest.raises((DatabaseError, psycopg.Error)):
            write()
    assert Item.objects.count() == 1
    sealed.do(OPEN)
    by_sql()
    in_a_shell()
    by_copy()
