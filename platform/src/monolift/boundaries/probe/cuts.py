"""The lightest edges to cut so that no circle is left: the minimum feedback arc set.

Every order of the modules gives such a set: the edges that lead against it. Up to EXACT modules the
best order of all is found by dynamic programming over subsets (Lawler); above that an order from
the greedy rule of Eades, Lin and Smyth is improved by moving single modules until none helps.
"""

from collections.abc import Sequence

import msgspec

from monolift.boundaries.probe.graph import Pair, Weights, circles

EXACT = 15
"""The largest circle whose answer is proven to be the lightest: half a second, 4 MB."""


class Cycle(msgspec.Struct, frozen=True, kw_only=True):
    """Modules that all depend on each other, and the edges that would end it."""

    modules: tuple[str, ...]
    cuts: tuple[Pair, ...]
    """Heaviest first."""
    weight: int
    """Of all cuts together."""
    exact: bool
    """No lighter set exists; otherwise none was found."""


def cycles(nodes: Sequence[str], edges: Weights) -> list[Cycle]:
    """Every circle with its cuts, the largest first."""
    found: list[Cycle] = []
    for members in circles(nodes, edges):
        order = best_order(members, edges)
        cut = _needed(members, _against(order, edges), edges)
        found.append(
            Cycle(
                modules=tuple(members),
                cuts=tuple(sorted(cut, key=lambda pair: (-edges[pair], pair))),
                weight=sum(edges[pair] for pair in cut),
                exact=len(members) <= EXACT,
            )
        )
    return found


def best_order(members: Sequence[str], edges: Weights) -> list[str]:
    """An order of the modules with as little weight against it as was found."""
    if len(members) <= EXACT:
        return _exact(sorted(members), edges)
    starts = (_greedy(sorted(members), edges), sorted(members), sorted(members, reverse=True))
    tried = [_moved(list(start), edges) for start in starts]
    return min(tried, key=lambda order: sum(edges[pair] for pair in _against(order, edges)))


def _against(order: Sequence[str], edges: Weights) -> list[Pair]:
    place = {name: index for index, name in enumerate(order)}
    return [
        (source, target)
        for source, target in edges
        if source in place and target in place and place[source] > place[target]
    ]


def _exact(members: list[str], edges: Weights) -> list[str]:
    count = len(members)
    weight = [[edges.get((a, b), 0) for b in members] for a in members]
    best = [0] * (1 << count)
    last = [0] * (1 << count)
    for chosen in range(1, 1 << count):
        cheapest = -1
        for index in range(count):
            if not chosen >> index & 1:
                continue
            rest = chosen & ~(1 << index)
            row = weight[index]
            cost = best[rest]
            before = rest
            while before:
                low = before & -before
                cost += row[low.bit_length() - 1]
                before ^= low
            if cheapest < 0 or cost < cheapest:
                cheapest, last[chosen] = cost, index
        best[chosen] = cheapest
    order: list[str] = []
    chosen = (1 << count) - 1
    while chosen:
        order.append(members[last[chosen]])
        chosen &= ~(1 << last[chosen])
    return order[::-1]


def _greedy(members: list[str], edges: Weights) -> list[str]:
    """Sinks to the end, sources to the front, then who depends most and is depended on least."""
    left = list(members)
    front: list[str] = []
    back: list[str] = []
    while left:
        inside = set(left)
        out = dict.fromkeys(left, 0)
        into = dict.fromkeys(left, 0)
        for (source, target), weight in edges.items():
            if source in inside and target in inside:
                out[source] += weight
                into[target] += weight
        sink = next((name for name in left if not out[name]), None)
        source_name = next((name for name in left if not into[name]), None)
        if sink is not None:
            back.append(sink)
            left.remove(sink)
        else:
            chosen = source_name or max(left, key=lambda name: out[name] - into[name])
            front.append(chosen)
            left.remove(chosen)
    return front + back[::-1]


def _moved(order: list[str], edges: Weights) -> list[str]:
    """Move one module at a time to where it is best, while that helps."""
    improved = True
    while improved:
        improved = False
        for name in sorted(order):
            place = order.index(name)
            others = order[:place] + order[place + 1 :]
            cost = sum(edges.get((other, name), 0) for other in others)
            costs = [cost]  # in front of all: every edge into it leads against the order
            for other in others:
                cost += edges.get((name, other), 0) - edges.get((other, name), 0)
                costs.append(cost)
            best = min(range(len(costs)), key=lambda index: costs[index])
            if costs[best] < costs[place]:
                order = [*others[:best], name, *others[best:]]
                improved = True
    return order


def _needed(members: Sequence[str], cut: list[Pair], edges: Weights) -> list[Pair]:
    """The cuts without those that can stay after all, the heaviest spared first."""
    inside = set(members)
    kept = {pair for pair in edges if inside.issuperset(pair)} - set(cut)
    needed: list[Pair] = []
    for pair in sorted(cut, key=lambda pair: (-edges[pair], pair)):
        if circles(members, kept | {pair}):
            needed.append(pair)
        else:
            kept.add(pair)
    return needed
