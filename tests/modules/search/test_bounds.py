"""Searches over very many products do bounded work."""

import pytest

from modules.search.interface import Search
from modules.search.models import Document
from modules.search.provider import filters
from modules.search.queries import facets
from monolift import use
from monolift.testing.statements import statements

pytestmark = pytest.mark.django_db(databases="__all__")
search = use(Search)


def shelve(count: int) -> None:
    """Documents called oak box, every second of them red, every third large."""
    Document.objects.bulk_create(
        Document(
            slug=f"box-{number:04}",
            title=f"Oak box {number:04}",
            title_key=f"oak box {number:04}",
            title_words=f"oak box {number:04}",
            category="boxes",
            choices=_choices(number),
            filter_words=" ".join(
                (
                    filters.category("boxes"),
                    filters.option("Colour", _colour(number)),
                    filters.option("Size", _size(number)),
                )
            ),
            shown=True,
        )
        for number in range(count)
    )


def _colour(number: int) -> str:
    return "blue" if number % 2 else "red"


def _size(number: int) -> str:
    return "small" if number % 3 else "large"


def _choices(number: int) -> str:
    return f'[["Colour","{_colour(number)}"],["Size","{_size(number)}"]]'


@pytest.mark.parametrize("text", ["", "oak", "box"])
def test_counting_stops_and_says_so(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facets, "MOST_COUNTED", 12)
    shelve(30)
    found = search.search(text=text, category="boxes", limit=5)
    assert found.slugs == tuple(f"box-{number:04}" for number in range(5))
    assert (found.total, found.more) == (12, True)
    colour = next(one for one in found.facets if one.name == "Colour")
    assert sum(value.count for value in colour.values) == 12
    chosen = search.search(text=text, options={"Size": ["large"], "Colour": ["red"]})
    assert (chosen.total, chosen.more) == (5, False)
    assert chosen.slugs == tuple(f"box-{number:04}" for number in range(0, 30, 6))


def test_narrowing_adds_no_statement_but_the_facets_own() -> None:
    shelve(30)
    with statements() as plain:
        search.search(text="oak")
    with statements() as narrowed:
        search.search(text="oak", options={"Colour": ["red"], "Size": ["large", "small"]})
    assert len(narrowed) == len(plain) + 2


def test_values_that_look_alike_are_told_apart() -> None:
    assert filters.option("a", "bc") != filters.option("ab", "c")
    assert filters.option("a", "b") != filters.option("b", "a")
    assert filters.category("a") != filters.option("a", "")
    assert filters.option("\udc80", "\udc80").isascii()
