"""The port to whoever carries the parcels. One carrier is configured: `SHIPPING["CARRIER"]`.

Every operation names the order, and repeating it has no second effect and gives the first answer
again. Any may raise `Unavailable`: then the effect may have happened.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string


class Carrier(Protocol):
    """Carries parcels."""

    name: str

    def hand_over(
        self, *, order_id: UUID, method: str, recipient: Mapping[str, Any], parcel: Sequence[Any]
    ) -> str:
        """Take a parcel; its tracking number."""
        ...

    def recall(self, *, order_id: UUID) -> None:
        """Bring a parcel back; one that was never handed over is harmless."""
        ...


def carrier() -> Carrier:
    """The configured carrier."""
    return _made(settings.SHIPPING["CARRIER"])


@cache
def _made(path: str) -> Carrier:
    made: Carrier = import_string(path)()
    return made
