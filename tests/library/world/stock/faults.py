"""Faults that tests switch on: what happens at a named place, once per entry."""

from collections.abc import Callable

planned: dict[str, list[Callable[[], None]]] = {}


def reach(place: str) -> None:
    """Do what the test planned for this place, if anything."""
    if planned.get(place):
        planned[place].pop(0)()
