"""What the map and the diagrams draw, and where: layers, arrows, times."""

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from monolift.documents import layers, mermaid, svg
from monolift.documents.facts import Landscape, ModuleFacts


def test_callers_stand_above_and_circles_end() -> None:
    names = ["a", "b", "c", "d"]
    calls = [("a", "b"), ("b", "c"), ("c", "a")]
    height = layers.heights(names, strong=calls, weak=[("d", "a"), ("c", "d")])
    assert height == {"a": 3, "b": 2, "c": 1, "d": 0}


def landscape(*labels: str) -> Landscape:
    """Modules that declare nothing, for which a test says how they meet."""
    return Landscape(
        modules={
            label: ModuleFacts(
                label=label, owner="team", package=label, folder=Path(), about="", provides=(),
                requires=(), publishes=(), hears=(), tables=(), sagas=(), tasks=(), settings=(),
                compositions=(),
            )
            for label in labels
        }
    )  # fmt: skip


def test_what_goes_against_the_order_is_marked() -> None:
    circle = landscape("a", "b")
    vars(circle).update(calls={("a", "b"): ("x",), ("b", "a"): ("y",)}, events={})
    text = svg.draw(circle)
    assert text.count('<g class="call"><title>a calls b: x') == 1
    assert text.count('<g class="call against"><title>b calls a: y') == 1
    assert "against the order" in text
    vars(circle).update(calls={("a", "b"): ("x",)}, events={("b", "a"): ("E",)})
    assert "against the order" not in svg.draw(circle)


def test_a_module_elsewhere_is_shown_as_such() -> None:
    lifted = landscape("a")
    vars(lifted).update(calls={("a", "far"): ("x",)}, events={})
    assert 'id="m-far" class="module outside"' in svg.draw(lifted)
    assert 'm_far["far<br>not installed here"]' in str(mermaid.map_of(lifted))


def test_more_arrows_than_mermaid_draws_are_left_out() -> None:
    many = landscape("a")
    calls = {("a", f"m{index}"): ("x",) for index in range(mermaid.MOST_EDGES + 1)}
    vars(many).update(calls=calls, events={})
    assert mermaid.map_of(many) is None


def test_modules_do_not_lie_on_each_other() -> None:
    names = [f"m{index}" for index in range(40)]
    calls = [
        (names[a], names[b])
        for a in range(40)
        for b in range(a + 1, 40)
        if (a * 7 + b * 3) % 11 == 0
    ]
    height = layers.heights(names, strong=calls, weak=[])
    layout = layers.arrange(height, calls, width=100.0, gap=20.0)
    assert all(height[upper] > height[lower] for upper, lower in calls)
    for layer in layout.layers:
        modules = [layout.x[node] for node in layer if node.bend is None]
        assert all(right - left > 119.9 for left, right in pairwise(modules))
    assert all(
        layers.arrange(height, order, width=100.0, gap=20.0) == layout
        for order in (calls[::-1], [*calls, *calls])
    )


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (timedelta(days=14), "14 days"),
        (timedelta(hours=25), "25 hours"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(seconds=90.5), "90.5 seconds"),
    ],
)
def test_times_are_told_in_their_unit(time: timedelta, text: str) -> None:
    assert mermaid.duration(time) == text
