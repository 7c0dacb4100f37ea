"""What can go wrong between two commits, each planned; see docs/reliability.md, "The lift"."""

import threading
import time
from contextlib import suppress
from datetime import timedelta
from typing import Self

import pytest
from django.db import connections, transaction

from monolift import atomic, publish, use
from monolift.db.models import Delivery, Key, SagaRow
from monolift.events import deliveries, relay
from monolift.kernel import clock
from monolift.lift.movers.postgresql import feed as feeds
from monolift.lift.moving import Blocked, GaveUp
from monolift.lift.sealing.postgresql import tries
from monolift.registry import topology as registry
from monolift.truth import follow, row
from monolift.truth.document import Document, Stay, applied
from tests.keyed import under
from tests.library.lift.meanwhile import meanwhile
from tests.library.lift.postgresql.places import ROLE, Places, connect, learn, to
from tests.library.running import eventually
from tests.library.world.stock.events import Filled
from tests.library.world.stock.interface import Stock
from tests.library.world.stock.models import Hold, Item


@pytest.fixture
def copied(world: Places) -> Places:
    """Stock sealed and copied, with some articles."""
    use(Stock).fill(sku="a")
    world.sealed()
    world.mover().copy(lambda _: None)
    return world


class Open:
    """A transaction of a writer that has written and does not end yet.

    What it writes is in the platform's tables only, which no cut-over locks.
    """

    def __init__(self) -> None:
        self.written, self.end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        self.written.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.end.set()
        self._thread.join()

    def _run(self) -> None:
        with transaction.atomic(using="stock"):
            now = clock.now()
            Key(
                module="stock", key="in flight", operation="o", fingerprint="f", state="done",
                lease_until=now, created_at=now,
            ).save(using="stock", force_insert=True)  # fmt: skip
            self.written.set()
            self.end.wait()
        connections.close_all()


def test_what_is_under_way_is_done_before_the_cut_over(copied: Places) -> None:
    """R4: rights that are taken away do not end a transaction that has begun to write."""
    writer = Open()
    tries_made: list[str] = []

    def let_go(step: str) -> None:
        if step == "P1":
            writer.__enter__()
        if step == "F1":
            tries_made.append(step)
            if len(tries_made) == 2:  # it did not get in the first time
                writer.__exit__()

    mover = copied.mover(reach=let_go)
    mover.cut_over(to("stock_away"))
    assert len(tries_made) > 1
    assert mover.verify()["differences"] == []
    assert copied.ask("SELECT key FROM monolift_key", "away") == [("in flight",)]


@pytest.mark.parametrize(
    "tables",
    [
        ["monolift_key", "stock_hold", "stock_item", "monolift_outbox"],
        ["stock_item", "stock_hold", "monolift_outbox"],
        ["monolift_outbox", "stock_item", "stock_hold", "monolift_key"],
    ],
    ids=["as they come", "without a key", "the other way round"],
)
def test_a_seal_takes_its_locks_in_the_order_of_the_writers(
    world: Places, tables: list[str]
) -> None:
    """In another order it waits for who waits for it, in each of its tries."""

    def write(end: threading.Event) -> None:
        with world.session() as session:
            while not end.is_set():
                with session.transaction():
                    for table in tables:
                        session.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE")
                        time.sleep(0.02)

    with meanwhile(*[write] * 6):
        world.sealed()
    assert registry.topology().epoch == 1


def test_writers_go_on_while_a_cut_over_does_not_get_its_lock(
    copied: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R5, R6: one long transaction must not hold up everybody behind the one who waits for it."""
    monkeypatch.setattr(tries, "TRIES", 3)
    writer = Open()
    attempts: list[str] = []

    def write_meanwhile(step: str) -> None:
        if step == "P1":
            writer.__enter__()
        if step == "F1":
            use(Stock).fill(sku="a", quantity=1)
            attempts.append(step)

    try:
        with pytest.raises(GaveUp, match="did not get its locks in 3 tries"):
            copied.mover(reach=write_meanwhile).cut_over(to("stock_away"))
    finally:
        writer.__exit__()
    assert len(attempts) == 3
    use(Stock).fill(sku="a", quantity=1)
    assert copied.ask("SELECT open FROM monolift_fence") == [(True,)]


def test_a_number_that_was_handed_out_is_not_handed_out_again(copied: Places) -> None:
    """R8."""
    with connect(copied.here, dbname=copied.names[0], user=ROLE) as session:
        session.execute("SET default_transaction_read_only = off")
        outstanding = [
            session.execute("SELECT nextval('stock_hold_id_seq')").fetchone()[0] for _ in range(9)
        ]
        copied.mover().cut_over(to("stock_away"))
    assert use(Stock).hold(sku="a", quantity=1) > max(outstanding)


@pytest.mark.parametrize("commits", ["on", "off"])
def test_what_was_applied_does_not_travel_back(apart: Places, commits: str) -> None:
    """R9: also what was applied and not flushed, which a slot does not pass over."""
    for alias in ("default", "stock_away"):
        apart.do(f"ALTER SYSTEM SET synchronous_commit = '{commits}'", alias)
        apart.do("ALTER SYSTEM SET wal_writer_delay = '10s'", alias)
        apart.do("SELECT pg_reload_conf()", alias)
    apart.sealed()
    apart.mover().copy(lambda _: None)
    for number in range(20):
        use(Stock).fill(sku=f"sku-{number}", quantity=1)
    ends = ("stock", "stock_away")
    for _ in range(3):
        mover = apart.mover(*ends)
        mover.cut_over(to(ends[1]))
        assert mover.verify()["differences"] == []
        use(Stock).fill(sku="a", quantity=1)
        ends = (ends[1], ends[0])
        assert apart.mover(*ends).verify()["differences"] == []
    for alias in ("default", "stock_away"):
        assert apart.ask(
            "SELECT coalesce(sum(apply_error_count), 0)::int FROM pg_stat_subscription_stats",
            alias,
        ) == [(0,)]


def test_a_feed_that_is_not_alive_holds_nobody_up(
    copied: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R10: with no lag at all, and nobody to apply the next row."""
    monkeypatch.setattr(feeds, "_ALIVE_WITHIN", 0.5)
    copied.do("ALTER SUBSCRIPTION monolift_stock DISABLE", "stock_away")
    reached: list[str] = []
    with pytest.raises(GaveUp, match="has not been alive"):
        copied.mover(reach=reached.append).cut_over(to("stock_away"))
    assert "F1" not in reached
    use(Stock).fill(sku="a", quantity=1)
    monkeypatch.undo()
    copied.mover().cut_over(to("stock_away"))  # `recover` has let it go on


@pytest.mark.parametrize("step", ["F2", "F4", "F7"])
def test_a_cut_over_beyond_its_budget_takes_itself_back(copied: Places, step: str) -> None:
    """R12."""
    budget = 0.3

    def dawdle(reached: str) -> None:
        if reached == step:
            time.sleep(budget * 1.2)

    with pytest.raises(GaveUp, match="longer than 300 ms"):
        copied.mover(budget=budget, reach=dawdle).cut_over(to("stock_away"))
    use(Stock).fill(sku="a", quantity=1)
    assert copied.ask('SELECT "left" FROM stock_item') == [(11,)]
    assert copied.ask("SELECT open FROM monolift_fence", "stock_away") == [(False,)]
    mover = copied.mover()
    mover.cut_over(to("stock_away"))
    assert mover.verify()["differences"] == []


def test_a_tool_that_stands_still_loses_lock_and_commit_together(copied: Places) -> None:
    """R12: the server ends its session, and what it does after it wakes has no effect."""
    budget = 0.2

    def freeze(reached: str) -> None:
        if reached == "commit":
            time.sleep(budget * 4)

    with pytest.raises(GaveUp):
        copied.mover(budget=budget, reach=freeze).cut_over(to("stock_away"))
    assert copied.ask("SELECT max(epoch) FROM monolift_truth") == [(1,)]
    use(Stock).fill(sku="a", quantity=1)
    assert copied.ask('SELECT "left" FROM stock_item') == [(11,)]


def test_a_key_is_known_after_the_move(copied: Places) -> None:
    """R14: the answer was lost, and the client asks again."""
    with under("order-1"):
        before = use(Stock).hold(sku="a", quantity=1)
    copied.mover().cut_over(to("stock_away"))
    with under("order-1"):
        assert use(Stock).hold(sku="a", quantity=1) == before
    assert Hold.objects.count() == 1


def test_events_are_relayed_where_their_module_is(copied: Places) -> None:
    """R15: the old place gets them by the feed back, and leaves them alone."""
    copied.mover().cut_over(to("stock_away"))
    relay.relay("stock_away")
    with atomic(module="stock"):
        publish(Filled(sku="a", quantity=1))
    waiting = "SELECT count(*) FROM monolift_outbox WHERE relayed_at IS NULL"
    eventually(lambda: copied.ask(waiting) == [(1,)])
    assert relay.relay("default").events == 0
    assert relay.relay("stock_away").events == 1
    eventually(lambda: copied.ask(waiting) == [(0,)])


def test_the_wrong_way_round_and_twice_are_refused(copied: Places) -> None:
    """R16."""
    with pytest.raises(Blocked, match="on 'stock' by the truth row, not on 'stock_away'"):
        copied.mover("stock_away", "stock").cut_over(to("stock"))
    copied.mover().cut_over(to("stock_away"))
    with pytest.raises(Blocked, match="on 'stock_away' by the truth row, not on 'stock'"):
        copied.mover().cut_over(to("stock_away"))
    with pytest.raises(Blocked, match="there is nothing to move from there"):
        copied.mover().drop()


def begin() -> None:
    """Let somebody hold a delivery, a key and a saga of stock for long."""
    long = clock.now() + timedelta(hours=1)
    now = clock.now()
    common = {"lease_until": long, "created_at": now}
    Delivery(
        module="stock", event="e", subscriber="s", publisher="stock", name="n", number=1, body="{}",
        state="pending", due_at=now, token="t" * 36, attempts=1, **common,
    ).save(using="stock", force_insert=True)  # fmt: skip
    Key(module="stock", key="k", operation="o", fingerprint="f", state="started", **common).save(
        using="stock", force_insert=True
    )
    SagaRow(
        module="stock", id="0", name="stock.s", version=1, key="k", status="running", state="{}",
        progress="{}", due_at=now, updated_at=now, token="t", **common,
    ).save(using="stock", force_insert=True)  # fmt: skip
    assert deliveries.claim("stock", modules=["stock"]) == []


def test_the_new_place_takes_at_once_what_was_under_way(copied: Places) -> None:
    begin()
    mover = copied.mover()
    mover.cut_over(to("stock_away"))
    assert mover.verify()["differences"] == []
    [claimed] = deliveries.claim("stock_away", modules=["stock"])
    assert not claimed.crashed
    assert copied.ask("SELECT lease_until <= now() FROM monolift_key", "away") == [(True,)]
    assert copied.ask("SELECT lease_until, token FROM monolift_saga", "away") == [(None, "")]


def test_without_its_seal_a_module_takes_at_once_what_was_under_way(world: Places) -> None:
    """Who held it may be the service that is not asked any more: it is refused when it writes."""
    world.sealed()
    begin()
    home = Stay(deployable="shop", database="default")
    world.seal().undo(lambda: row.change({"stock": home}))
    follow.spread(row.latest(connections["default"]))
    [claimed] = deliveries.claim("default", modules=["stock"])
    assert not claimed.crashed
    assert world.ask("SELECT lease_until <= now() FROM monolift_key") == [(True,)]
    assert world.ask("SELECT lease_until, token FROM monolift_saga") == [(None, "")]


def test_a_transaction_that_has_begun_announces_where_it_began(copied: Places) -> None:
    """The topology changes in its middle, and it commits what it has, or is refused as a whole."""
    with atomic(module="stock"):
        Item.objects.create(sku="begun", left=1)
        registry.install(_elsewhere())
        publish(Filled(sku="begun", quantity=1))
        Item.objects.filter(sku="begun").update(left=2)
    assert copied.ask("SELECT \"left\" FROM stock_item WHERE sku = 'begun'") == [(2,)]
    assert copied.ask("SELECT count(*) FROM monolift_outbox WHERE key = 'begun'") == [(1,)]


def _elsewhere() -> registry.Topology:
    stay = Stay(deployable="shop", database="stock_away")
    return applied(registry.topology(), Document(epoch=2, places={"stock": stay}))


def test_a_difference_is_found(copied: Places) -> None:
    mover = copied.mover()

    def spoil(step: str) -> None:
        if step == "F1":
            copied.do(
                'SET session_replication_role = replica; UPDATE stock_item SET "left" = 3',
                "stock_away",
            )

    mover = copied.mover(reach=spoil)
    mover.cut_over(to("stock_away"))
    assert mover.verify()["differences"] == [
        "stock_item: 1 rows at the source, 1 at the target, with other values"
    ]
    back = copied.mover("stock_away", "stock")
    back.cut_over(to("stock"))  # at once
    learn()
    use(Stock).fill(sku="b")


def test_at_the_end_no_feed_and_no_slot_is_left_and_the_old_tables_are_locked(
    apart: Places,
) -> None:
    apart.sealed()
    use(Stock).fill(sku="a")
    apart.mover().copy(lambda _: None)
    apart.mover().cut_over(to("stock_away"))
    assert apart.mover().finish()["locked"] == "stock"
    for alias in ("default", "stock_away"):
        assert (
            apart.ask(
                "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()",
                alias,
            )
            == []
        )
        assert apart.ask("SELECT pubname FROM pg_publication", alias) == []
    with suppress(Exception):
        apart.do("DELETE FROM stock_item")
    assert apart.ask("SELECT count(*) FROM stock_item") == [(1,)]
    back = apart.mover("stock_away", "stock")
    with pytest.raises(Blocked, match=r"rows of stock already, from before: .*land`"):
        back.copy(lambda _: None)
    back.drop()
    back.copy(lambda _: None)
    back.cut_over(to("stock"))
    assert back.verify()["differences"] == []
    use(Stock).fill(sku="a")
    assert apart.ask('SELECT "left" FROM stock_item') == [(20,)]
