"""`manage.py rebuild_recommendations`: count all orders anew, while the shop runs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from modules.recommendations.models import CountedOrder, Generation
from modules.recommendations.services.rebuilding import TakenOver, rebuild
from monolift import Unavailable


class Command(BaseCommand):
    """Count all orders anew; until it ends the old numbers are read."""

    help = (
        "Count all orders anew and let the new numbers take over at once. The shop may run "
        "meanwhile; stopping it leaves the old numbers, running it again begins anew."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """How much at a time."""
        parser.add_argument(
            "--page", type=int, default=500, help="orders to read at a time, 1 to 1000 (500)"
        )

    def handle(self, *args: Any, page: int, **options: Any) -> None:
        """Run it, with a bar where somebody watches."""
        if not 1 <= page <= 1000:
            raise CommandError(f"--page {page} is not a number from 1 to 1000.")
        console = Console(stderr=True)
        columns = (
            TextColumn("orders"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        known = CountedOrder.objects.filter(generation=Generation.objects.now().current).count()
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            row = bar.add_task("orders", total=known or None)
            try:
                total = rebuild(page=page, report=lambda count: bar.update(row, advance=count))
            except TakenOver:
                raise CommandError(
                    "Another rebuild began meanwhile and goes on; this one was given up."
                ) from None
            except Unavailable as error:
                raise CommandError(
                    f"Orders does not answer ({error}). The numbers are as before; run "
                    "rebuild_recommendations again when it is back."
                ) from None
        self.stdout.write(f"{total} orders are counted.")
