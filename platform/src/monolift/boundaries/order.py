"""The order of calls between modules, and the subscriptions that go against it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from monolift.boundaries import static_rules
from monolift.boundaries.judge import Edge
from monolift.boundaries.project import Project
from monolift.boundaries.violations import Violation

Graph = Mapping[str, set[str]]


def graph_of(edges: Iterable[Edge], *kinds: str) -> dict[str, set[str]]:
    """Who reaches whom, of the given kinds of edges."""
    graph: defaultdict[str, set[str]] = defaultdict(set)
    for edge in edges:
        if edge.kind in kinds:
            graph[edge.source].add(edge.target)
    return dict(graph)


def circles(graph: Graph) -> list[list[str]]:
    """The groups of nodes that reach each other, the nodes of each in order (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(root: str) -> None:
        pending: list[tuple[str, Iterator[str]]] = [(root, iter(sorted(graph.get(root, ()))))]
        index[root] = low[root] = len(index)
        stack.append(root)
        while pending:
            node, below = pending[-1]
            for child in below:
                if child not in index:
                    index[child] = low[child] = len(index)
                    stack.append(child)
                    pending.append((child, iter(sorted(graph.get(child, ())))))
                    break
                if child in stack:
                    low[node] = min(low[node], index[child])
            else:
                pending.pop()
                if pending:
                    low[pending[-1][0]] = min(low[pending[-1][0]], low[node])
                if low[node] == index[node]:
                    at = stack.index(node)
                    group = stack[at:]
                    del stack[at:]
                    if len(group) > 1 or node in graph.get(node, ()):
                        found.append(sorted(group))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return sorted(found)


def path(graph: Graph, start: str, end: str) -> list[str]:
    """The shortest way from one node to another, both included; empty when there is none."""
    came: dict[str, str] = {}
    pending = [start]
    while pending:
        following = []
        for node in pending:
            for child in sorted(graph.get(node, ())):
                if child == end:
                    way = [end, node]
                    while way[-1] != start:
                        way.append(came[way[-1]])
                    return way[::-1]
                if child not in came and child != start:
                    came[child] = node
                    following.append(child)
        pending = following
    return []


def out_of_order(project: Project, edges: Sequence[Edge]) -> Iterator[Violation]:
    """Calls in a circle, unlisted subscriptions against the order, and stale listings."""
    calls = graph_of(edges, "call")
    together = {label: group for group in circles(calls) for label in group}
    seen: set[tuple[str, str]] = set()
    against: set[tuple[str, str]] = set()
    for edge in sorted(edges):
        pair = (edge.source, edge.target)
        if edge.kind == "call" and edge.target in together.get(edge.source, ()):
            if pair not in seen:
                seen.add(pair)
                yield _circle(project, edge, [edge.source, *path(calls, edge.target, edge.source)])
        elif edge.kind == "subscription" and (way := path(calls, edge.target, edge.source)):
            against.add(pair)
            if edge.target not in project.against.get(edge.source, {}):
                yield _against(project, edge, way)
    for subscriber, publishers in project.against.items():
        for publisher in publishers:
            if (subscriber, publisher) not in against:
                yield _stale(project, subscriber, publisher)


def _circle(project: Project, edge: Edge, way: Sequence[str]) -> Violation:
    return Violation(
        module=edge.source,
        owner=project.by_label[edge.source].owner,
        rule=static_rules.CALL_CYCLE,
        source=edge.source,
        target=edge.target,
        path=edge.path,
        line=edge.line,
        message=f"{edge.source} calls {edge.target}, which leads back: {' -> '.join(way)}.",
        way_out=(
            f"Let {edge.target} publish what {edge.source} needs to know, or give it along in the "
            "call."
        ),
    )


def _against(project: Project, edge: Edge, way: Sequence[str]) -> Violation:
    return Violation(
        module=edge.source,
        owner=project.by_label[edge.source].owner,
        rule=static_rules.AGAINST_THE_ORDER,
        source=edge.source,
        target=f"{edge.target}.{edge.name}",
        path=edge.path,
        line=edge.line,
        message=(
            f"{edge.source} hears {edge.name} of {edge.target}, which calls {edge.source} "
            f"({' -> '.join(way)})."
        ),
        way_out=(
            f"Let {edge.target} call a command of {edge.source} instead, or list it with its "
            f'reason in pyproject.toml: [tool.monolift.against.{edge.source}] {edge.target} = "..."'
        ),
    )


def _stale(project: Project, subscriber: str, publisher: str) -> Violation:
    return Violation(
        module=subscriber,
        owner=project.by_label[subscriber].owner,
        rule=static_rules.AGAINST_THE_ORDER,
        source=subscriber,
        target=publisher,
        path="pyproject.toml",
        line=1,
        message=(
            f"[tool.monolift.against.{subscriber}] lists {publisher}, but {subscriber} hears "
            f"nothing of {publisher} against the order of calls."
        ),
        way_out="Remove the line.",
    )
