"""The edges to cut: proven on small circles, sound on large ones; and the picture's layout."""

import itertools
import math
import random

import pytest

from monolift.boundaries.probe import cuts
from monolift.boundaries.probe.graph import Pair, circles, components
from monolift.boundaries.probe.layout import dependency_order, picture


def made(*, seed: int, nodes: int, share: float) -> tuple[list[str], dict[Pair, int]]:
    """A random weighted graph."""
    chance = random.Random(seed)
    names = [f"m{index:02}" for index in range(nodes)]
    edges = {
        pair: chance.randint(1, 20)
        for pair in itertools.permutations(names, 2)
        if chance.random() < share
    }
    return names, edges


def lightest(names: list[str], edges: dict[Pair, int]) -> int:
    """The least weight against any order, by trying them all."""
    best = sum(edges.values())
    for order in itertools.permutations(names):
        place = {name: index for index, name in enumerate(order)}
        best = min(best, sum(w for (a, b), w in edges.items() if place[a] > place[b]))
    return best


@pytest.mark.parametrize("seed", range(12))
def test_small_circles_are_cut_as_light_as_can_be(seed: int) -> None:
    names, edges = made(seed=seed, nodes=6, share=0.5)
    found = cuts.cycles(names, edges)
    assert all(cycle.exact for cycle in found)
    assert sum(cycle.weight for cycle in found) == lightest(names, edges)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("nodes", [8, 14, 30])
def test_after_the_cuts_no_circle_is_left(seed: int, nodes: int) -> None:
    names, edges = made(seed=seed, nodes=nodes, share=0.3)
    cut = {pair for cycle in cuts.cycles(names, edges) for pair in cycle.cuts}
    assert circles(names, set(edges) - cut) == []
    for pair in cut:
        assert circles(names, (set(edges) - cut) | {pair}), f"{pair} was cut for nothing"


@pytest.mark.parametrize("seed", range(8))
def test_what_is_found_for_large_circles_is_near_the_best(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    names, edges = made(seed=seed, nodes=11, share=0.4)
    best = sum(cycle.weight for cycle in cuts.cycles(names, edges))
    monkeypatch.setattr(cuts, "EXACT", 1)
    quick = cuts.cycles(names, edges)
    assert not any(cycle.exact for cycle in quick)
    assert sum(cycle.weight for cycle in quick) <= 1.15 * best


def test_long_chains_are_no_problem() -> None:
    names = [f"m{index:05}" for index in range(5000)]
    chain = dict.fromkeys(itertools.pairwise(names), 1)
    assert cuts.cycles(names, chain) == []
    assert [names[0]] == components(names, chain)[-1]


def test_who_depends_comes_first() -> None:
    edges = {("shop", "stock"): 5, ("stock", "prices"): 2, ("prices", "stock"): 1}
    assert dependency_order(["prices", "shop", "stock"], edges) == ["shop", "stock", "prices"]


def test_no_two_modules_lie_on_each_other() -> None:
    names, edges = made(seed=1, nodes=40, share=0.1)
    lines = {name: 100 * (index + 1) for index, name in enumerate(names)}
    placed = picture(lines, edges)
    assert placed == picture(lines, edges)
    for a, b in itertools.combinations(placed.spots.values(), 2):
        assert math.hypot(a.x - b.x, a.y - b.y) > 0.9 * max(a.r, b.r)
    for spot in placed.spots.values():
        assert spot.r <= spot.x <= placed.width - spot.r
        assert spot.r <= spot.y <= placed.height - spot.r


def test_modules_without_couplings_have_a_place() -> None:
    placed = picture({"one": 10, "other": 0}, {})
    assert set(placed.spots) == {"one", "other"}
    assert placed.spots["one"] != placed.spots["other"]
