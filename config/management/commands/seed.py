"""`manage.py seed --products N --orders N`: a shop of any size, to look at and to measure."""

import time
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from config.seeding.filling import Filler, room_for_many
from modules.payments.seeding import NoBooks
from modules.payments.seeding import check as check_payments
from monolift import DomainError, Unavailable
from monolift.kernel import CallFailed

MOST_PRODUCTS = 1_000_000
MOST_ORDERS = 2_000_000
MOST_SEED = 65_535


class Command(BaseCommand):
    """Make products and past orders up. A second run adds what is missing to the number."""

    help = (
        "Fill the shop with made-up products and past orders, up to these numbers. The same --seed "
        "makes the same ones; running it again adds what is missing. Nothing is announced, so "
        "recommendations are counted afterwards: manage.py rebuild_recommendations."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """How many of what."""
        parser.add_argument(
            "--products",
            type=_upto(MOST_PRODUCTS),
            default=1000,
            help=f"how many there are to be, at most {MOST_PRODUCTS:,} (default: %(default)s)",
        )
        parser.add_argument(
            "--orders",
            type=_upto(MOST_ORDERS),
            default=0,
            help=f"how many there are to be, at most {MOST_ORDERS:,} (default: %(default)s)",
        )
        parser.add_argument(
            "--seed",
            type=_upto(MOST_SEED),
            default=1,
            help="another number makes other products and orders (default: %(default)s)",
        )

    def handle(self, *args: Any, products: int, orders: int, seed: int, **options: Any) -> None:
        """Fill it."""
        if orders and not products:
            raise CommandError("Orders are of products: give --products a number above 0.")
        filler = Filler(seed=seed)
        start = time.monotonic()
        try:
            if orders:
                check_payments()
            with room_for_many(), _bars() as bar:
                goods = filler.products_there(products)
                filler.add_products(goods, products, advance=bar("products", goods, products))
                between = time.monotonic()
                bought = filler.orders_there(orders)
                filler.add_orders(
                    bought, orders, products=products, advance=bar("orders", bought, orders)
                )
        except NoBooks as error:
            raise CommandError(str(error)) from None
        except (DomainError, Unavailable, CallFailed, DatabaseError) as error:
            problem = str(error).strip().rstrip(".")
            raise CommandError(
                f"{problem}. What was added before that is kept; run the command again."
            ) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped. What was added is kept; run the command again for the rest.",
                returncode=130,
            ) from None
        self.stdout.write(_said("products", goods, products, between - start))
        self.stdout.write(_said("orders", bought, orders, time.monotonic() - between))


def _said(what: str, before: int, wanted: int, seconds: float) -> str:
    new = wanted - before
    if not new:
        return f"{wanted:,} {what}: all were there."
    return f"{wanted:,} {what}: {new:,} new in {seconds:.0f} s ({new / seconds:,.0f} a second)."


def _upto(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        plain = text.replace("_", "").replace(",", "")
        if not (plain.isascii() and plain.isdecimal() and int(plain) <= most):
            raise ArgumentTypeError(f"{text!r} is not a whole number from 0 to {most:,}")
        return int(plain)

    return number


@contextmanager
def _bars() -> Iterator[Callable[[str, int, int], Callable[[int], object]]]:
    """Makes progress bars where somebody watches: (what, done before, wanted) to `advance`."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:

        def bar(what: str, done: int, wanted: int) -> Callable[[int], object]:
            task = progress.add_task(what, total=wanted, completed=done)
            return lambda count: progress.update(task, advance=count)

        yield bar
