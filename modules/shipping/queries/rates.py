"""Rates, from a table in code."""

from collections.abc import Mapping

from modules.shipping.interface import NoSuchMethod, Rate
from monolift.kernel import Money

_ZONES: Mapping[str, str] = {
    **dict.fromkeys(
        "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split(),
        "near",
    ),
    **dict.fromkeys("CH GB NO".split(), "middle"),
    **dict.fromkeys("AU CA JP KW NZ US".split(), "far"),
}
_DAYS = {
    "standard": {"near": 5, "middle": 7, "far": 14},
    "express": {"near": 1, "middle": 2, "far": 4},
}
_EXPRESS = {
    "near": {"EUR": "9.00", "USD": "10.00", "JPY": "1480", "KWD": "3.000"},
    "middle": {"EUR": "14.00", "USD": "15.50", "JPY": "2310", "KWD": "4.700"},
    "far": {"EUR": "24.00", "USD": "26.50", "JPY": "3960", "KWD": "8.050"},
}


def rates(*, country: str, currency: str) -> tuple[Rate, ...]:
    """The ways of delivery, the cheapest first."""
    zone = _ZONES.get(country)
    if zone is None or currency not in _EXPRESS[zone]:
        return ()
    return (
        Rate(
            method="standard",
            title="Standard",
            price=Money.zero(currency),
            days=_DAYS["standard"][zone],
        ),
        Rate(
            method="express",
            title="Express",
            price=Money.of(_EXPRESS[zone][currency], currency),
            days=_DAYS["express"][zone],
        ),
    )


def rate(*, country: str, currency: str, method: str) -> Rate:
    """One way of delivery."""
    for found in rates(country=country, currency=currency):
        if found.method == method:
            return found
    raise NoSuchMethod(country=country, method=method)
