"""What the calls between services show: chains, chatter, retries, two writes and a hope."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise

from monolift.lift.advice.material import Material
from monolift.lift.advice.shares import counted, percent, percentile, share
from monolift.lift.advice.smells.smell import Smell, State, state
from monolift.observe.seen import Hop
from monolift.registry.topology import topology

_NOTHING = "no request was weighed: let the system run (MONOLIFT['WEIGH'] is above 0)"


def chain(material: Material) -> Smell:
    """Remote calls that wait for remote calls."""
    limit = material.limits.CHAIN
    depths: dict[int, int] = {}
    circles: set[tuple[str, ...]] = set()
    traces: defaultdict[str, list[Hop]] = defaultdict(list)
    for hop in material.seen.hops:
        traces[hop.trace].append(hop)
    for hops in traces.values():
        depth, circle = longest(hops)
        depths[depth] = depths.get(depth, 0) + 1
        if circle:
            circles.add(circle)
    deep = percentile(depths, 0.95)
    value = f"{counted(deep, 'hop')} (p95 of {counted(len(traces), 'trace')} with remote calls)"
    value += f", {counted(len(circles), 'circle')}" if circles else ""
    return Smell(
        name="Sync chain",
        state=state(deep > limit or bool(circles)) if material.seen.requests else State.UNKNOWN,
        value=value if material.seen.requests else _NOTHING,
        alarm=f"p95 > {limit:g}, or any circle",
        source="traces that were weighed",
        found=tuple(" -> ".join(circle) for circle in sorted(circles)),
    )


def longest(hops: Iterable[Hop]) -> tuple[int, tuple[str, ...]]:
    """Remote hops one after another in one trace, at most, and a circle of deployables or ()."""
    below: dict[str, set[str]] = {}
    places: dict[str, str] = {}
    for hop in hops:
        below.setdefault(hop.entry, set()).update(hop.calls)
        places[hop.entry] = hop.deployable
    best = 0
    circle: tuple[str, ...] = ()

    def walk(entry: str, path: tuple[str, ...]) -> None:
        nonlocal best, circle
        best = max(best, len(path))
        if entry in path:
            circle = circle or (*path[path.index(entry) :], entry)
            return
        for operation in sorted(below.get(entry, ())):
            walk(operation, (*path, entry))

    for entry in sorted(below):
        walk(entry, ())
    if not circle:
        circle = _circle(below, places)
    return best, circle


def _circle(below: Mapping[str, set[str]], places: Mapping[str, str]) -> tuple[str, ...]:
    """Deployables that wait for each other, though by other operations."""
    edges: defaultdict[str, set[str]] = defaultdict(set)
    for entry, operations in below.items():
        for operation in operations:
            place = places.get(operation)
            if place is not None and place != places[entry]:
                edges[places[entry]].add(place)

    def back(name: str, path: tuple[str, ...]) -> tuple[str, ...]:
        if name in path:
            return (*path[path.index(name) :], name)
        for other in sorted(edges.get(name, ())):
            if found := back(other, (*path, name)):
                return found
        return ()

    return next((found for name in sorted(edges) if (found := back(name, ()))), ())


def availability(material: Material) -> Smell:
    """The product of the success rates of all that a deployable depends on."""
    goal = material.limits.OBJECTIVE
    calls: dict[tuple[str, str], list[int]] = {}
    for entry in material.seen.counted:
        if entry.remote and entry.caller != "-":
            edge = (_place(entry.caller), _place(entry.operation.partition(".")[0]))
            known = calls.setdefault(edge, [0, 0])
            known[0] += entry.remote
            known[1] += entry.unavailable
    rates = {edge: 1 - share(failed, total) for edge, (total, failed) in calls.items()}
    products = {name: product(rates, name) for name in sorted({first for first, _ in rates})}
    worst = min(products, key=lambda name: products[name], default="")
    value = f"{percent(products[worst])} of {worst}" if worst else "no remote call"
    if worst:
        value = f"{products[worst] * 100:.2f} % of {worst}"
    return Smell(
        name="Availability product",
        state=state(bool(worst) and products[worst] < goal)
        if material.seen.counted
        else State.UNKNOWN,
        value=value if material.seen.counted else _NOTHING,
        alarm=f"< {goal * 100:g} %",
        source="the call matrix: calls that got no answer",
        found=tuple(
            f"{first} -> {second}: {rate * 100:.2f} %"
            for (first, second), rate in sorted(rates.items())
            if rate < goal
        ),
    )


def product(rates: Mapping[tuple[str, str], float], name: str) -> float:
    """How often all that a deployable depends on, directly or not, answers at once."""
    reached, left, result = {name}, [name], 1.0
    while left:
        here = left.pop()
        for (first, second), rate in rates.items():
            if first == here and second not in reached:
                reached.add(second)
                left.append(second)
                result *= rate
    return result


def chatty(material: Material) -> Smell:
    """One operation of another deployable, asked many times in one request."""
    limit = material.limits.SAME_METHOD
    seen = material.seen
    many = percentile(seen.remote, 0.95)
    worst = {
        name: talk.remote_at_once
        for name, talk in sorted(seen.talk.items())
        if talk.remote_at_once > limit
    }
    return Smell(
        name="Chatty",
        state=state(bool(worst)) if seen.requests else State.UNKNOWN,
        value=f"{counted(many, 'remote call')} a request (p95), {len(worst)} repeated"
        if seen.requests
        else _NOTHING,
        alarm=f"an operation called > {limit:g} times in one request",
        source="requests that were weighed",
        found=tuple(f"{name}: {count} times" for name, count in worst.items()),
    )


def hope(material: Material) -> Smell:
    """Commands to several modules in one request, and nothing that undoes the first."""
    seen = material.seen
    return Smell(
        name="Distributed transaction by hope",
        state=state(bool(seen.hopes)) if seen.requests else State.UNKNOWN,
        value=f"{sum(one.requests for one in seen.hopes)} of {counted(seen.requests, 'request')}"
        if seen.requests
        else _NOTHING,
        alarm="any request with commands to two modules outside a saga",
        source="requests that were weighed",
        found=tuple(f"{one.example}: {', '.join(one.modules)}" for one in seen.hopes),
    )


def storm(material: Material) -> Smell:
    """Calls that are repeated so often that they are the load, or that nobody limits."""
    limit = material.limits.RETRIES
    edges: dict[tuple[str, str], list[int]] = {}
    undated = []
    for entry in material.seen.counted:
        known = edges.setdefault((entry.caller, entry.operation.partition(".")[0]), [0, 0])
        known[0] += entry.remote
        known[1] += entry.retries
        if entry.undated:
            undated.append(
                f"{entry.operation}: {counted(entry.undated, 'call')} without a deadline"
            )
    rates = {edge: share(retries, calls) for edge, (calls, retries) in edges.items()}
    worst = max(rates.values(), default=0.0)
    stormy = [
        f"{caller} -> {module}: {percent(rate)} repeated"
        for (caller, module), rate in sorted(rates.items())
        if rate > limit
    ]
    return Smell(
        name="Retry storm",
        state=state(bool(stormy or undated)) if material.seen.counted else State.UNKNOWN,
        value=f"{percent(worst)} repeated at most, {len(undated)} without a deadline"
        if material.seen.counted
        else _NOTHING,
        alarm=f"> {percent(limit)} of the calls of one module to another, any without a deadline",
        source="the call matrix",
        found=(*stormy, *undated),
    )


def drift(material: Material) -> Smell:
    """Deployables that speak by different versions of what they share."""
    versions: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for deployable, packages in material.seen.versions.items():
        for package, version in packages.items():
            versions[package][deployable] = version
    apart = {
        package: of for package, of in sorted(versions.items()) if spread(list(of.values())) > 1
    }
    widest = max((spread(list(of.values())) for of in versions.values()), default=0)
    return Smell(
        name="Shared-library drift",
        state=state(bool(apart)) if versions else State.UNKNOWN,
        value=f"{counted(widest, 'minor version')} apart, {counted(len(versions), 'package')}"
        if versions
        else _NOTHING,
        alarm="> 1 minor version",
        source="MONOLIFT['CONTRACT_PACKAGES'] in each deployable's newest process",
        found=tuple(
            f"{package}: {', '.join(f'{name} {version}' for name, version in sorted(of.items()))}"
            for package, of in apart.items()
        ),
    )


def spread(versions: Iterable[str]) -> int:
    """Minor versions between the oldest and the newest; 1000 for each major one."""
    numbers = sorted(_numbers(version) for version in versions)
    steps = [
        (after[0] - before[0]) * 1000 if after[0] != before[0] else after[1] - before[1]
        for before, after in pairwise(numbers)
    ]
    return sum(steps)


def _numbers(version: str) -> tuple[int, int]:
    parts = [int("".join(filter(str.isdigit, part)) or 0) for part in version.split(".")]
    major, minor, *_ = *parts, 0, 0
    return major, minor


def _place(label: str) -> str:
    return topology().place(label).deployable
