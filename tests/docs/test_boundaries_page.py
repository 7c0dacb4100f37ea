"""The table of rules on the page about boundaries is the rules' own."""

from pathlib import Path

import monolift.boundaries.booted
import monolift.boundaries.registry.rules
import monolift.boundaries.sql.rules
import monolift.boundaries.static_rules  # noqa: F401 - each declares its rules
from monolift.boundaries.rules import rules

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "boundaries.md"
START, END = "<!-- rules -->\n", "<!-- /rules -->\n"


def table() -> str:
    """A row for each rule."""
    rows = [f"| `{rule.name}` | {rule.title} | {rule.fix} |\n" for rule in rules().values()]
    return "| rule | what is forbidden | instead |\n|---|---|---|\n" + "".join(rows)


def test_the_table_is_current() -> None:
    text = PAGE.read_text(encoding="utf-8")
    present = text.partition(START)[2].partition(END)[0]
    assert present == table(), f"Put this table on the page:\n{table()}"
