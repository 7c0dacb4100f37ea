"""A server loses its power around a cut-over: what it had not written down is not missed."""

import subprocess

from django.db import connections

from monolift import use
from monolift.lift.plan import state
from scripts.with_postgresql import program, server_account
from tests.library.lift.postgresql.load import seed
from tests.library.lift.postgresql.places import Places, connect, to
from tests.library.running import eventually
from tests.library.world.stock.interface import Stock


def crash(url: str) -> None:
    """Stop a server without its writing anything any more, and start it again."""
    with connect(url) as session:
        [(folder,)] = session.execute("SHOW data_directory").fetchall()
    done = subprocess.run(
        [program("pg_ctl"), "-D", folder, "-m", "immediate", "-l", f"{folder}/../log", "-w",
         "restart"],
        user=server_account(),
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_feed_back_begins_where_it_was_to_begin(apart: Places) -> None:
    """The position of a slot is written down at the next checkpoint, and this one never came."""
    seed(apart)
    apart.sealed()
    apart.mover().copy(lambda _: None)

    def meanwhile(step: str) -> None:
        if step == "P1":
            for number in range(20):
                use(Stock).fill(sku=f"before-{number}")

    apart.mover(reach=meanwhile).cut_over(to("stock_away"))
    crash(apart.there)
    use(Stock).fill(sku="after")
    back = apart.mover("stock_away", "stock")
    back.cut_over(to("stock"))
    assert back.verify()["differences"] == []


def test_who_works_on_a_lift_keeps_it_through_a_crash(apart: Places) -> None:
    """The control database starts again, and the lease is renewed as before."""
    lease = "SELECT lease_until FROM monolift_lift"
    with state.held(state.begin("stock")):
        apart.do("CHECKPOINT")  # the server of the tests commits without writing
        crash(apart.here)
        connections["default"].close()
        before = apart.ask(lease)
        eventually(lambda: apart.ask(lease) > before, what="the lease is renewed")
