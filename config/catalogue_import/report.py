"""What happened, line by line as it happens, and a summary."""

from collections import Counter
from collections.abc import Callable, Sequence
from io import StringIO

from rich.console import Console
from rich.table import Table

from config.catalogue_import.grouping import Problem

_MOST_SAID = 1000
"""Lines of remarks; the summary counts the rest."""


class Report:
    """Counts products and rows; `say` gets a line for each refusal and each remark."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._said = 0
        self.products = 0
        self.variants = 0
        self.not_for_sale = 0
        self.refused_products = 0
        self.refused_rows = 0
        self.refused_pictures = 0
        self.remarks: Counter[str] = Counter()

    @property
    def good(self) -> bool:
        """Whether nothing was refused."""
        return not (self.refused_products or self.refused_pictures)

    def refuse(self, handle: str, problems: Sequence[Problem]) -> None:
        """A product is not taken over, because of these rows."""
        self.refused_products += 1
        lines = {problem.line for problem in problems}
        self.refused_rows += len(lines)
        for problem in problems:
            self._line(problem.line, handle, problem.reason)

    def refuse_picture(self, line: int, handle: str, reason: str) -> None:
        """A picture is not taken over; the product is, without it."""
        self.refused_pictures += 1
        self._line(line, handle, reason + ".")

    def remark(self, line: int, handle: str, what: str, detail: str = "") -> None:
        """Something worth knowing; `what` is counted in the summary."""
        self.remarks[what] += 1
        if detail:
            self._line(line, handle, f"{what}: {detail}")

    def _line(self, line: int, handle: str, words: str) -> None:
        self._said += 1
        if self._said <= _MOST_SAID:
            self._say(
                f"line {line}: {printable(handle)}: {words}" if handle else f"line {line}: {words}"
            )
        elif self._said == _MOST_SAID + 1:
            self._say(f"There are more than {_MOST_SAID:,} such lines: the rest is counted.")

    def table(self, *, dry_run: bool) -> str:
        """The summary."""
        table = Table(show_header=False)
        table.add_column()
        table.add_column(justify="right")
        taken = "products that would be taken over" if dry_run else "products taken over"
        table.add_row(taken, f"{self.products:,}")
        table.add_row("their variants", f"{self.variants:,}")
        rest = {
            "products that are not for sale": self.not_for_sale,
            "products refused": self.refused_products,
            "rows refused": self.refused_rows,
            "pictures refused": self.refused_pictures,
            **dict(sorted(self.remarks.items())),
        }
        for what, count in rest.items():
            if count:
                table.add_row(what, f"{count:,}")
        out = StringIO()
        Console(file=out, width=100, color_system=None).print(table)
        return out.getvalue()


def printable(text: str, *, most: int = 60) -> str:
    """A given text for a terminal: no control characters, and not too long."""
    short = text if len(text) <= most else text[: most - 3] + "..."
    return short if short.isprintable() else repr(short)
