import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from django.conf import settings

from monolift import end_user, idempotency_key
from monolift.resilience.deadline import remaining
from tests.library.world.cards.interface import Cards, Declined
from tests.library.world.cards.network import Network
from tests.library.world.stock import faults


@cache
def network() -> Network:
    """The network of this test process (and of the children it forks)."""
    folder = Path(settings.DATA_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    return Network(folder / f"network-{os.getpid()}.sqlite")


class CardsService(Cards):
    def authorise(self, *, card: str, amount: int) -> str:
        faults.reach("cards.authorise")
        if card == "declined":
            raise Declined(card=card)
        reference = network().authorise(key=idempotency_key(), card=card, amount=amount)
        faults.reach("cards.authorise.after")
        return reference

    def pass_on(self) -> Sequence[tuple[str, str, float]]:
        user = end_user()
        return [("cards", str(user.user_id) if user else "nobody", remaining() or 0.0)]

    def void(self, *, reference: str) -> None:
        faults.reach("cards.void")
        network().move(reference=reference, state="voided")
        faults.reach("cards.void.after")

    def capture(self, *, reference: str) -> None:
        faults.reach("cards.capture")
        network().move(reference=reference, state="captured")
        faults.reach("cards.capture.after")
