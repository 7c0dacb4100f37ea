"""What is in the way is found before anything moves, with the way out."""

from collections.abc import Callable

import pytest
from django.conf import settings

from monolift import use
from monolift.lift.moving import Blocked
from tests.library.lift.postgresql.places import ROLE, Places, to
from tests.library.world.stock.interface import Stock

type Plant = Callable[[Places], object]


def do(sql: str, alias: str = "default") -> Plant:
    return lambda world: world.do(sql, alias)


def setting(alias: str, **values: object) -> Plant:
    return lambda _: settings.DATABASES[alias].update(values)


def own(alias: str, **values: object) -> Plant:
    return lambda _: settings.DATABASES[alias]["MONOLIFT"].update(values)


def collated_otherwise(world: Places) -> None:
    """The target is made anew, with another order of texts."""
    [(known,)] = world.ask(
        "SELECT datcollate FROM pg_database WHERE datname = current_database()", "stock_away"
    )
    other = "C" if known != "C" else "C.UTF-8"
    name = world.names[1]
    world.do(f"DROP DATABASE {name} WITH (FORCE)")
    world.do(f"CREATE DATABASE {name} TEMPLATE template0 LC_COLLATE '{other}' LC_CTYPE '{other}'")


def made_there(world: Places) -> None:
    """The tables, without rows."""
    mover = world.mover()
    mover._prepare()


def drifted(sql: str) -> Plant:
    def plant(world: Places) -> None:
        made_there(world)
        world.do(sql, "stock_away")

    return plant


PLANTED: dict[str, tuple[Plant, str]] = {
    "no primary key": (
        do("ALTER TABLE stock_hold DROP CONSTRAINT stock_hold_pkey"),
        "stock_hold has no primary key.*Add one",
    ),
    "unlogged": (
        do("ALTER TABLE stock_item SET UNLOGGED"),
        "stock_item is unlogged.*SET LOGGED",
    ),
    "missing table": (
        do("DROP TABLE stock_hold"),
        "stock_hold is missing at 'stock': migrate first",
    ),
    "foreign key": (
        do("CREATE TABLE other (sku text REFERENCES stock_item)"),
        "1 foreign keys of other tables point at stock's",
    ),
    "superuser": (
        do(f"ALTER ROLE {ROLE} SUPERUSER"),
        f"'{ROLE}'.* is a superuser.*NOSUPERUSER",
    ),
    "owner": (
        do(f"ALTER TABLE stock_item OWNER TO {ROLE}"),
        "owns stock_item.*OWNER TO",
    ),
    "passes over rows": (do(f"ALTER ROLE {ROLE} BYPASSRLS"), "passes over row rights"),
    "slot left behind": (
        do("SELECT pg_create_logical_replication_slot('monolift_stock_old', 'pgoutput')"),
        "left behind: monolift_stock_old .keeps",
    ),
    "rows left behind": (
        drifted(
            "ALTER TABLE stock_hold DISABLE TRIGGER USER; "
            "INSERT INTO stock_hold (sku, quantity) VALUES ('x', 1); "
            "ALTER TABLE stock_hold ENABLE TRIGGER USER"
        ),
        "stock_hold at 'stock_away' has rows of stock already.*lift stock land`",
    ),
    "another column": (
        drifted("ALTER TABLE stock_item ADD COLUMN odd int"),
        "column stock_item.odd is missing at the source",
    ),
    "another type": (
        drifted("ALTER TABLE stock_hold ALTER COLUMN quantity TYPE bigint"),
        "column stock_hold.quantity is 'integer not null' at the source and 'bigint",
    ),
    "another constraint": (
        drifted("ALTER TABLE stock_item DROP CONSTRAINT stock_left"),
        "constraint stock_item.stock_left is missing at the target",
    ),
    "unapplied migration": (
        do("DELETE FROM django_migrations WHERE app = 'stock'"),
        "Migrations of stock are not applied at 'stock': 0001_initial",
    ),
    "another collation": (collated_otherwise, "The collation of the databases differs: .*make the"),
    "missing extension": (
        do(
            "CREATE EXTENSION hstore; SET allow_system_table_mods = on; "
            "UPDATE pg_extension SET extname = 'nowhere' WHERE extname = 'hstore'"
        ),
        "extension nowhere of the source is not installed on the target's server: install it",
    ),
    "an older extension": (
        lambda world: (
            world.do("CREATE EXTENSION hstore VERSION '1.4'"),
            world.do("CREATE EXTENSION hstore", "stock_away"),
        ),
        "extension hstore has version 1.4 at the source and .* ALTER EXTENSION hstore UPDATE",
    ),
    "no slots": (
        do(
            "SELECT pg_create_physical_replication_slot('other_' || n) "
            "FROM generate_series(1, 17) n"
        ),
        "has 3 replication slots left, and a copy takes up to 4: raise max_replication_slots",
    ),
    "a role that may not come in": (
        do(f"ALTER ROLE {ROLE} NOLOGIN"),
        f"'{ROLE}' cannot connect to 'stock': .*Look at USER and PASSWORD there",
    ),
    "no database": (
        setting("stock_away", NAME="nowhere"),
        "connection to 'stock_away' fails: .*\"nowhere\" does not exist",
    ),
    "no server": (setting("stock_away", PORT="1"), "connection to 'stock_away' fails"),
    "wrong owner": (
        own("stock_away", owner={"USER": "nobody"}),
        "connection to 'stock_away' fails: .*\"nobody\" does not exist.*owner",
    ),
    "no fence": (
        setting("stock_away", ENGINE="django.db.backends.postgresql"),
        "'stock_away'.* has no fence: its ENGINE must be",
    ),
    "another module's": (own("stock_away", module="sales"), "'stock_away'.* is not for stock"),
    "no role": (setting("stock_away", USER=""), "'stock_away'.* names no USER"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_in_the_way_is_named(world: Places, name: str) -> None:
    plant, expected = PLANTED[name]
    world.sealed()
    assert world.mover().obstacles() == []
    try:
        plant(world)
        with pytest.raises(Blocked, match=expected):
            world.mover().copy(lambda _: None)
        subscribed = "SELECT 1 FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid "
        assert world.ask(f"{subscribed} WHERE datname = '{world.names[1]}'") == []
    finally:
        world.do(f"ALTER ROLE {ROLE} NOSUPERUSER NOBYPASSRLS LOGIN")
        world.do(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
            "WHERE slot_name LIKE 'other\\_%'"
        )


def test_a_budget_that_outlasts_a_command_or_the_lock_is_refused(world: Places) -> None:
    """R12: writers are given up on by others before the cut-over is."""
    world.sealed()
    found = world.mover(budget=5).obstacles()
    assert any("is not below the 4 s" in one for one in found)
    assert any("stock.hold must be answered within 5 s" in one for one in found)


def test_a_writer_who_goes_past_the_seal_is_named(world: Places) -> None:
    world.sealed()
    with world.session() as session:
        session.execute("BEGIN; LOCK TABLE stock_item IN ROW EXCLUSIVE MODE")
        found = world.mover().obstacles()
    assert any("postgres (no application_name) writes stock's tables" in one for one in found)


def test_a_module_that_is_not_sealed_is_not_copied(world: Places) -> None:
    with pytest.raises(Blocked, match="on 'default' by the truth row, not on 'stock'"):
        world.mover().copy(lambda _: None)


def test_what_cannot_be_reached_is_not_recovered(world: Places) -> None:
    world.sealed()
    settings.DATABASES["stock_away"]["PORT"] = "1"
    with pytest.raises(Blocked, match=r"(?s)'stock_away' fails.*Resume when the database is back"):
        world.mover().recover()
    use(Stock).fill(sku="a")


def test_a_cut_over_without_a_copy_is_refused(world: Places) -> None:
    world.sealed()
    with pytest.raises(Blocked, match="not copied to 'stock_away' yet: copy it first"):
        world.mover().cut_over(to("stock_away"))


def test_a_log_that_is_not_logical_is_named(world: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server of the tests is logical, so its answer is changed."""
    from monolift.lift.movers.postgresql import obstacles

    before = obstacles._setting
    monkeypatch.setattr(
        obstacles,
        "_setting",
        lambda session, name: "replica" if name == "wal_level" else before(session, name),
    )
    world.sealed()
    found = world.mover().obstacles()
    assert len([one for one in found if "wal_level = replica: ALTER SYSTEM" in one]) == 2


@pytest.mark.parametrize(
    ("plant", "expected"),
    [
        (setting("stock", USER="postgres"), "has the USER of the default alias"),
        (setting("stock", NAME="elsewhere"), "is another database than"),
        (setting("stock", ENGINE="django.db.backends.postgresql"), "has no fence"),
        (own("stock", module="sales"), "is not for stock"),
    ],
    ids=["the owner's user", "another database", "no fence", "another module's"],
)
def test_what_is_in_the_way_of_a_seal_is_named(world: Places, plant: Plant, expected: str) -> None:
    plant(world)
    with pytest.raises(Blocked, match=expected):
        world.seal().apply(to("stock"))
    assert world.ask("SELECT * FROM monolift_truth") == []
