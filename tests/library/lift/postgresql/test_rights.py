"""The rights of a module's role: made beside others that work, and tried before they count."""

from contextlib import suppress

import psycopg
import pytest
from django.db import connections

from monolift import atomic, publish, use
from monolift.lift.moving import Blocked
from monolift.lift.sealing.postgresql import rights
from monolift.lift.sealing.postgresql.tables import PLATFORM
from tests.library.lift.postgresql.places import ROLE, Places, connect, to
from tests.library.world.sales.events import Sold
from tests.library.world.stock.interface import Stock


@pytest.mark.parametrize("module", ["cards", "stock"], ids=["another's", "its own, again"])
def test_rights_are_made_beside_a_module_that_is_sealed(world: Places, module: str) -> None:
    """Each statement is a commit, and the one after it may wait for its lock, or never come."""
    with atomic(module="sales"):
        publish(Sold(sale="1"))
    world.sealed()
    role = f"monolift_{module}"
    with suppress(psycopg.errors.DuplicateObject):
        world.do(f"CREATE ROLE {role} LOGIN")
    for number, statement in enumerate(rights.row_rights(module, role), start=1):
        world.do(statement)
        use(Stock).fill(sku="a")
        with connect(world.here, dbname=world.names[0], user=ROLE) as session:
            seen = session.execute("SELECT module, count(*) FROM monolift_outbox GROUP BY 1")
            assert seen.fetchall() == [("stock", number)], statement


def test_rights_that_are_there_wait_for_nobody(world: Places) -> None:
    world.sealed()
    with world.session() as reader, world.session() as session:
        reader.execute("BEGIN")
        for table in PLATFORM:
            reader.execute(f"SELECT FROM {table} LIMIT 0")
        session.execute("SET lock_timeout = '100ms'")
        for statement in rights.row_rights("stock", ROLE):
            session.execute(statement)


def test_a_role_that_cannot_come_in_is_not_sealed_to(world: Places) -> None:
    with suppress(psycopg.errors.DuplicateObject):
        world.do(f"CREATE ROLE {ROLE}")
    world.do(f"ALTER ROLE {ROLE} NOLOGIN")
    try:
        with pytest.raises(
            Blocked, match=rf"'{ROLE}' cannot connect to 'stock': .*not permitted to log in"
        ):
            world.seal().apply(to("stock"))
    finally:
        world.do(f"ALTER ROLE {ROLE} LOGIN")
    assert world.ask("SELECT * FROM monolift_truth") == []
    use(Stock).fill(sku="a")


def test_a_role_that_does_not_find_its_tables_is_not_sealed_to(world: Places) -> None:
    with suppress(psycopg.errors.DuplicateObject):
        world.do(f"CREATE ROLE {ROLE} LOGIN")
    world.do(f"ALTER ROLE {ROLE} IN DATABASE {world.names[0]} SET search_path = elsewhere")
    with pytest.raises(Blocked, match=rf"'{ROLE}' cannot work at 'stock': .*search_path"):
        world.seal().apply(to("stock"))
    assert world.ask("SELECT * FROM monolift_truth") == []
    world.do(f"ALTER ROLE {ROLE} IN DATABASE {world.names[0]} RESET search_path")
    world.sealed()
    use(Stock).fill(sku="a")


def test_what_the_public_may_not_the_role_may(world: Places) -> None:
    """A database where nothing is given to everybody, and tables in a schema of their own."""
    for statement in (
        f"REVOKE ALL ON DATABASE {world.names[0]} FROM PUBLIC",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
        "CREATE SCHEMA goods",
        "ALTER TABLE stock_hold SET SCHEMA goods",
        f"ALTER DATABASE {world.names[0]} SET search_path = public, goods",
    ):
        world.do(statement)
    connections["default"].close()
    world.sealed()
    use(Stock).fill(sku="a")
    hold = use(Stock).hold(sku="a", quantity=1)
    assert world.ask("SELECT count(*) FROM goods.stock_hold") == [(1,)], hold
