"""What `publish` adds to a transaction of one ORM insert, and to a whole checkout."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from django.conf import settings

from benchmarks import goods
from benchmarks.context import Context
from benchmarks.figures.calls import in_a_request
from benchmarks.paired import Case, Comparison, compare, once
from benchmarks.probe.events import NoteTaken
from benchmarks.probe.models import Note
from benchmarks.results import Result
from benchmarks.run import POSTGRESQL
from modules.orders.interface import BasketId, Orders
from monolift import Money, atomic, publish, use
from monolift.transport.pipes import Mailbox

GOALS = {"SQLite": 1.15, POSTGRESQL: 1.20}
GOAL_CHECKOUT = 1.05
_TOTAL = Money(1250, "EUR")


def run(context: Context) -> Iterator[Result]:
    """An insert with and without an event; a checkout with and without its events."""
    with a_listening_worker():
        yield Result.ratio(
            compare(_notes(announced=True), _notes(announced=False), pairs=context.pairs(401)),
            figure="publish",
            what="transaction of one ORM insert and publish / the same without publish",
            database=context.database,
            goal=GOALS[context.database],
        )
        yield Result.ratio(
            _checkouts(context),
            figure="publish",
            what="checkout / the same without its publish calls",
            database=context.database,
            goal=GOAL_CHECKOUT,
        )


def _notes(*, announced: bool, times: int = 5) -> Case:
    def case() -> float:
        return once(write) / times

    def write() -> None:
        for _ in range(times):
            note = Note(id=uuid.uuid4(), text="a note", total=1250)
            with atomic(module="probe"):
                note.save(force_insert=True)
                if announced:
                    publish(NoteTaken(note_id=note.id, text=note.text, total=_TOTAL))

    return case


def _checkouts(context: Context) -> Comparison:
    pairs = context.pairs(151)
    goods.shelve()
    waiting = goods.baskets(2 * pairs + 8, lines=3)
    orders = use(Orders)
    total = goods.total(3)

    def check_out() -> float:
        basket = BasketId(waiting.pop())
        return once(
            lambda: orders.check_out(basket_id=basket, expected_total=total, card_token=goods.CARD)
        )

    def silent() -> float:
        with (
            patch("modules.orders.sagas.publish", _nothing),
            patch("modules.payments.services.publish", _nothing),
        ):
            return check_out()

    with in_a_request():
        return compare(check_out, silent, pairs=pairs)


def _nothing(event: object) -> None:
    """In place of publish."""


@contextmanager
def a_listening_worker() -> Iterator[None]:
    """A pipe in the folder of wake-ups, so that a commit really knocks."""
    mailbox = Mailbox(settings.DATA_DIR / "wake")
    try:
        yield
    finally:
        mailbox.close()
