"""`manage.py import_catalog FILE.csv`: a catalogue from Shopify's product export."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from config.catalogue_import.grouping import groups
from config.catalogue_import.loading import Loader
from config.catalogue_import.pictures import Pictures
from config.catalogue_import.products import ProductReader, Refused
from config.catalogue_import.report import Report
from config.catalogue_import.rows import Reader, UnreadableFile
from config.catalogue_import.seen import Seen
from monolift import Unavailable
from monolift.kernel import CallFailed

CURRENCIES = ("EUR", "USD", "JPY", "KWD")


class Command(BaseCommand):
    """Import products, prices and opening stock. Running it again changes nothing."""

    help = (
        "Import the products of a Shopify product export (CSV). A product goes in whole or not at "
        "all; rows that cannot be taken over are listed by line. Running it again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, and how to read it."""
        parser.add_argument("file", type=Path, help="the CSV file that Shopify exported")
        parser.add_argument(
            "--currency",
            choices=CURRENCIES,
            default=CURRENCIES[0],
            help="what its prices are in (default: %(default)s)",
        )
        parser.add_argument(
            "--images",
            type=Path,
            metavar="FOLDER",
            help="where copies of its pictures are, named like the last part of their address",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="check everything and write nothing"
        )

    def handle(
        self,
        *args: Any,
        file: Path,
        currency: str,
        images: Path | None,
        dry_run: bool,
        **options: Any,
    ) -> None:
        """Import the file."""
        if images is not None and not images.is_dir():
            raise CommandError(f"{images} is not a folder. Give the one with the pictures.")
        target = None if dry_run else Path(settings.IMPORTED_IMAGES)
        pictures = Pictures(images, target=target)
        try:
            with _opened(file) as opened, _progress(opened, self.stderr.write) as (say, advance):
                report = Report(say)
                with contextlib.closing(Seen()) as seen:
                    reader = Reader(opened, path=file)
                    products = ProductReader(
                        currency=currency, seen=seen, pictures=pictures, report=report
                    )
                    loader = Loader(report=report, dry_run=dry_run)
                    for group in groups(reader, seen=seen):
                        try:
                            loader.add(products.read(group))
                        except Refused as refused:
                            report.refuse(group.handle, refused.problems)
                        advance(reader.consumed)
                    loader.flush()
        except UnreadableFile as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{error.filename or file}: {error.strerror or error}.") from None
        except (Unavailable, CallFailed) as error:
            raise CommandError(
                f"{error} What was imported before that is kept; run the command again."
            ) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped. What was imported is kept; run the command again for the rest.",
                returncode=130,
            ) from None
        self.stdout.write(report.table(dry_run=dry_run))
        if not report.good:
            raise CommandError("Not everything was imported: correct what is listed, run it again.")


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if file.is_dir():
        raise UnreadableFile(f"{file} is a folder. Give the CSV file in it.")
    try:
        with file.open("rb") as opened:
            yield opened
    except FileNotFoundError:
        raise UnreadableFile(f"{file} is not there. Give the path of the CSV file.") from None
    except PermissionError:
        raise UnreadableFile(f"{file} may not be read. Change its permissions.") from None


@contextlib.contextmanager
def _progress(
    file: BinaryIO, write: Callable[[str], object]
) -> Iterator[tuple[Callable[[str], object], Callable[[int], object]]]:
    """How to say a line, and how to say how far we are: a bar on a terminal, else nothing."""
    if not sys.stderr.isatty():
        yield write, lambda consumed: None
        return
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[products]} products"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        size = Path(str(file.name)).stat().st_size
        task = progress.add_task("Importing", total=size, products=0)
        count = 0

        def advance(consumed: int) -> None:
            nonlocal count
            count += 1
            progress.update(task, completed=consumed, products=f"{count:,}")

        def say(line: str) -> None:
            console.print(line, markup=False, highlight=False, soft_wrap=True)

        yield say, advance
