"""Whatever happens in whatever order, no stock appears or disappears."""

from collections import Counter
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modules.inventory import models
from modules.inventory.interface import (
    AdjustmentReason,
    HoldExpired,
    InsufficientStock,
    Inventory,
    Line,
    Sku,
)
from modules.inventory.tasks import expire_hold
from monolift import use
from tests.holds import taken_by_holds

REFERENCES = [uuid4() for _ in range(4)]
SKUS = st.sampled_from(["A", "B", "C"])
LINES = st.dictionaries(SKUS, st.integers(1, 6), min_size=1)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("receive"), st.just(REFERENCES[0]), LINES),
        st.tuples(st.just("reserve"), st.sampled_from(REFERENCES), LINES),
        st.tuples(
            st.sampled_from(["take", "release", "expire"]),
            st.sampled_from(REFERENCES),
            st.just({}),
        ),
        st.tuples(
            st.just("adjust"),
            st.just(REFERENCES[0]),
            st.dictionaries(SKUS, st.integers(-6, 6).filter(bool), min_size=1, max_size=1),
        ),
    ),
    max_size=25,
)
inventory = use(Inventory)


def act(action: str, reference: UUID, wanted: dict[str, int]) -> None:
    """Do one thing; refusals are part of life."""
    lines = [Line(sku=Sku(sku), quantity=quantity) for sku, quantity in wanted.items()]
    try:
        match action:
            case "receive":
                inventory.receive(reference=uuid4(), lines=lines)
            case "reserve":
                inventory.reserve(reference=reference, lines=lines)
            case "take":
                inventory.take(reference=reference)
            case "release":
                inventory.release(reference=reference)
            case "adjust":
                [(sku, by)] = wanted.items()
                counted = AdjustmentReason.COUNTED
                inventory.adjust(sku=Sku(sku), by=by, reason=counted, reference=uuid4())
            case "expire":
                for hold in models.Hold.objects.filter(reference=reference):
                    expire_hold(hold_id=hold.id)
    except (InsufficientStock, HoldExpired):
        pass


@pytest.mark.django_db(databases="__all__")
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_received_is_available_and_held_and_taken(
    steps: list[tuple[str, UUID, dict[str, int]]],
) -> None:
    models.Hold.objects.all().delete()
    models.Stock.objects.all().delete()
    # Something to begin with, so that most reservations find what they ask for.
    for step in [("receive", REFERENCES[0], dict.fromkeys("ABC", 12)), *steps]:
        act(*step)
        taken = taken_by_holds() or Counter()
        for count in inventory.count():
            assert count.available >= 0
            assert count.received == count.available + count.held + count.taken, (step, count)
            assert count.taken == taken[count.sku], (step, count)
