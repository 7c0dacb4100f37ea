"""The rights of a module's role: made beside others that are at work, and tried before they count."""

from contextlib import suppress

import psycopg
import pytest

from monolift import atomic, publish, use
from monolift.lift.sealing.postgresql import rights
from monolift.lift.sealing.postgresql.tables import PLATFORM
from tests.library.lift.postgresql.places import ROLE, Places, connect
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
