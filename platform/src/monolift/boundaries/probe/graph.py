"""Modules as a weighted graph, and the sets of them that depend on each other in circles."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from monolift.boundaries.probe.couplings import Coupling
from monolift.boundaries.probe.kinds import BY_NAME

type Pair = tuple[str, str]
type Weights = Mapping[Pair, int]
"""What it costs to undo all couplings from the first module to the second."""


def weights(couplings: Iterable[Coupling]) -> dict[Pair, int]:
    """The weight of every pair that is coupled."""
    found: defaultdict[Pair, int] = defaultdict(int)
    for coupling in couplings:
        if coupling.target:
            found[coupling.source, coupling.target] += BY_NAME[coupling.kind].cost
    return dict(sorted(found.items()))


def circles(nodes: Iterable[str], edges: Iterable[Pair]) -> list[list[str]]:
    """The strongly connected components of more than one node, the largest first."""
    return sorted(
        (sorted(found) for found in components(nodes, edges) if len(found) > 1),
        key=lambda found: (-len(found), found),
    )


def components(nodes: Iterable[str], edges: Iterable[Pair]) -> list[list[str]]:
    """All strongly connected components; what a component depends on comes before it."""
    following: defaultdict[str, list[str]] = defaultdict(list)
    for source, target in sorted(edges):
        following[source].append(target)
    return _tarjan(sorted(nodes), following)


def _tarjan(nodes: list[str], following: Mapping[str, list[str]]) -> list[list[str]]:
    """Tarjan's algorithm, with a list for a stack: a project may have long chains."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    open_nodes: list[str] = []
    is_open: set[str] = set()
    components: list[list[str]] = []
    for root in nodes:
        if root in index:
            continue
        work = [(root, 0)]
        while work:
            node, position = work.pop()
            if position == 0:
                index[node] = low[node] = len(index)
                open_nodes.append(node)
                is_open.add(node)
            following_nodes = following.get(node, [])
            while position < len(following_nodes):
                target = following_nodes[position]
                position += 1
                if target not in index:
                    work += [(node, position), (target, 0)]
                    break
                if target in is_open:
                    low[node] = min(low[node], index[target])
            else:
                if low[node] == index[node]:
                    component: list[str] = []
                    while not component or component[-1] != node:
                        component.append(open_nodes.pop())
                        is_open.discard(component[-1])
                    components.append(component)
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[node])
    return components
