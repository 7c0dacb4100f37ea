"""`manage.py reindex_search`: index every product anew, while the shop runs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from modules.search.models import Document, Word
from modules.search.services import indexing
from monolift import Unavailable


class Command(BaseCommand):
    """Ask catalog for every product and index it. Stopping it or running it again is harmless."""

    help = (
        "Index every product anew, drop what is not for sale any more. The shop may run meanwhile; "
        "running it again is harmless. Needed after categories were renamed."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it, with a bar where somebody watches."""
        console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            expected = {
                "products": Document.objects.filter(shown=True).count() or None,
                "entries": None,
                "words": Word.objects.count() or None,
            }
            rows = {what: bar.add_task(what, total=total) for what, total in expected.items()}
            try:
                found = indexing.reindex(
                    report=lambda what, count: bar.update(rows[what], advance=count)
                )
            except Unavailable as error:
                raise CommandError(
                    f"Catalog does not answer ({error}). What was indexed so far stays; run "
                    "reindex_search again when it is back."
                ) from None
        self.stdout.write(f"{found} products are indexed.")
