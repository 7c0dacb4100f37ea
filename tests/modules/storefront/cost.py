"""What a page costs: the calls it makes, and the statements they run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monolift.observe import matrix
from monolift.testing.statements import statements
from tests.modules.storefront.shopper import Shopper


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """Calls by operation, those that modules make among themselves included."""

    calls: Mapping[str, int]
    statements: int


def cost(shopper: Shopper, path: str, **options: Any) -> Cost:
    """Open a page and count."""
    matrix.clear()
    with statements() as seen:
        response = shopper.get(path, **options)
    assert response.status_code == 200, path
    calls: dict[str, int] = {}
    for entry in matrix.matrix():
        calls[entry.operation] = calls.get(entry.operation, 0) + entry.calls
    return Cost(calls=calls, statements=len(seen))
