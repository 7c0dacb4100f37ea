"""Where the modules of the map stand: callers above what they call, few crossings, straight edges.

The method of Sugiyama, Tagawa and Toda (1981): layers by the longest path, an order within layers
by barycentres, and places by isotonic regression. Nothing in it is random, so equal landscapes
have equal pictures.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from monolift.boundaries.order import path
from monolift.documents.facts import Pair

_SWEEPS = 24
_SETTLING = 40
_BEND_WIDTH = 26.0
"""Room for an edge that passes a layer."""


@dataclass(frozen=True)
class Node:
    """A module, or the place where an edge passes a layer."""

    name: str
    bend: Pair | None = None


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Layers from top to bottom, each from left to right, and the centre of everything in them."""

    layers: list[list[Node]]
    x: dict[Node, float]
    ways: dict[Pair, list[Node]]
    """What an edge passes, from the upper module to the lower one, both included."""


def heights(
    names: Sequence[str], *, strong: Iterable[Pair], weak: Iterable[Pair]
) -> dict[str, int]:
    """How high each stands, 0 at the bottom: the first of a pair above the second.

    A pair that would close a circle is left out: of calls (`strong`) the last by name, and of
    subscriptions (`weak`) each that goes against the calls.
    """
    above: dict[str, set[str]] = {name: set() for name in names}
    for upper, lower in (*sorted(strong), *sorted(weak)):
        if upper != lower and lower not in above[upper] and not path(above, lower, upper):
            above[upper].add(lower)
    found: dict[str, int] = {}
    for start in names:
        pending = [start]
        while pending:
            name = pending[-1]
            missing = sorted(above[name] - found.keys())
            if missing:
                pending += missing
            else:
                found[name] = 1 + max((found[one] for one in above[name]), default=-1)
                pending.pop()
    return found


def arrange(
    height: Mapping[str, int], pairs: Iterable[Pair], *, width: float, gap: float
) -> Layout:
    """Places for modules of these heights; each pair is joined by one way, whatever it carries."""
    top = max(height.values(), default=0)
    layers: list[list[Node]] = [[] for _ in range(top + 1)]
    for name in sorted(height):
        layers[top - height[name]].append(Node(name))
    ways: dict[Pair, list[Node]] = {}
    for one, other in sorted(pairs):
        upper, lower = (one, other) if height[one] > height[other] else (other, one)
        if (upper, lower) in ways:
            continue
        bends = [
            Node(f"{upper}>{lower}@{level}", (upper, lower))
            for level in range(height[upper] - 1, height[lower], -1)
        ]
        for level, bend in zip(range(height[upper] - 1, height[lower], -1), bends, strict=True):
            layers[top - level].append(bend)
        ways[upper, lower] = [Node(upper), *bends, Node(lower)]
    over, under = _joined(ways)
    layers = _ordered(layers, over, under)
    return Layout(layers=layers, x=_placed(layers, over, under, width, gap), ways=ways)


type _Joined = dict[Node, list[Node]]


def _joined(ways: Mapping[Pair, list[Node]]) -> tuple[_Joined, _Joined]:
    """What each node is joined to in the layer over it, and in the layer under it."""
    over: defaultdict[Node, list[Node]] = defaultdict(list)
    under: defaultdict[Node, list[Node]] = defaultdict(list)
    for way in ways.values():
        for upper, lower in pairwise(way):
            over[lower].append(upper)
            under[upper].append(lower)
    return dict(over), dict(under)


def _ordered(layers: list[list[Node]], over: _Joined, under: _Joined) -> list[list[Node]]:
    """The order with the fewest crossings among those that sweeps down and up come by."""
    best, fewest = [list(layer) for layer in layers], _crossings(layers, under)
    current = [list(layer) for layer in layers]
    size = sum(map(len, layers))
    for sweep in range(max(4, min(_SWEEPS, 20_000 // max(size, 1)))):
        down = sweep % 2 == 0
        joined = over if down else under
        indices = range(1, len(current)) if down else range(len(current) - 2, -1, -1)
        for index in indices:
            beside = current[index - 1 if down else index + 1]
            place = {node: position for position, node in enumerate(beside)}
            own = {node: position for position, node in enumerate(current[index])}

            def centre(
                node: Node,
                joined: _Joined = joined,
                place: dict[Node, int] = place,
                own: dict[Node, int] = own,
            ) -> tuple[float, int]:
                near = [place[one] for one in joined.get(node, ())]
                return (sum(near) / len(near) if near else float(own[node])), own[node]

            current[index].sort(key=centre)
        _swap(current, over, under)
        crossings = _crossings(current, under)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in current], crossings
    return best


def _swap(layers: list[list[Node]], over: _Joined, under: _Joined) -> None:
    """Let neighbours change places where that takes crossings away."""
    for index, layer in enumerate(layers):
        sides = [
            (joined, {node: at for at, node in enumerate(layers[beside])})
            for joined, beside in ((over, index - 1), (under, index + 1))
            if 0 <= beside < len(layers)
        ]
        for at in range(len(layer) - 1):
            left, right = layer[at], layer[at + 1]
            now = sum(_between(left, right, *side) for side in sides)
            then = sum(_between(right, left, *side) for side in sides)
            if then < now:
                layer[at], layer[at + 1] = right, left


def _between(left: Node, right: Node, joined: _Joined, place: Mapping[Node, int]) -> int:
    """How often the edges of two neighbours cross."""
    return sum(place[a] > place[b] for a in joined.get(left, ()) for b in joined.get(right, ()))


def _crossings(layers: Sequence[Sequence[Node]], under: _Joined) -> int:
    """All crossings: inversions of the lower ends, taken in order of the upper ones."""
    total = 0
    for layer, below in pairwise(layers):
        place = {node: position for position, node in enumerate(below)}
        ends = [end for node in layer for end in sorted(place[one] for one in under.get(node, ()))]
        tree = [0] * (len(below) + 1)  # counts by end, a binary indexed tree
        for seen, end in enumerate(ends):
            at, smaller = end + 1, 0
            while at:
                smaller += tree[at]
                at &= at - 1
            total += seen - smaller
            at = end + 1
            while at < len(tree):
                tree[at] += 1
                at += at & -at
    return total


def _placed(
    layers: Sequence[Sequence[Node]], over: _Joined, under: _Joined, width: float, gap: float
) -> dict[Node, float]:
    """Each near the middle of what it is joined to, in its order, no closer than there is room."""
    x: dict[Node, float] = {}
    offsets: list[list[float]] = []
    for layer in layers:
        at, found = 0.0, list[float]()
        for left, right in pairwise(layer):
            found.append(at)
            at += _distance(left, right, width, gap)
        found.append(at)
        offsets.append(found)
        x.update({node: place - at / 2 for node, place in zip(layer, found, strict=False)})
    for step in range(_SETTLING):
        down = step % 2 == 0
        indices = range(len(layers)) if down else range(len(layers) - 1, -1, -1)
        for index in indices:
            layer = layers[index]
            wanted, weights = [], []
            for node in layer:
                # A long edge is told by its bends: they pull harder, so that it runs straight.
                near = [
                    (x[one], 12.0 if one.bend and node.bend else 1.0)
                    for one in (*over.get(node, ()), *under.get(node, ()))
                ]
                total = sum(weight for _, weight in near)
                wanted.append(sum(at * w for at, w in near) / total if total else x[node])
                weights.append(total or 0.1)
            free = [at - offset for at, offset in zip(wanted, offsets[index], strict=False)]
            for node, at, offset in zip(
                layer, _rising(free, weights), offsets[index], strict=False
            ):
                x[node] = at + offset
    return x


def _distance(left: Node, right: Node, width: float, gap: float) -> float:
    room = [_BEND_WIDTH if node.bend else width + gap for node in (left, right)]
    return sum(room) / 2


def _rising(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The nearest values that never fall (pool adjacent violators)."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        pool = (value, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            before = pools.pop()
            total = before[1] + pool[1]
            mean = (before[0] * before[1] + pool[0] * pool[1]) / total
            pool = (mean, total, before[2] + pool[2])
        pools.append(pool)
    return [value for value, _, count in pools for _ in range(count)]
