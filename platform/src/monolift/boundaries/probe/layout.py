"""Where the modules stand in the picture: the same project gives the same picture.

Who depends stands above what it depends on, as far as circles allow; coupled modules stand near
each other. A spring model with a fixed start and a fixed number of steps decides the rest.
"""

import math
from collections.abc import Mapping, Sequence

import msgspec

from monolift.boundaries.probe.cuts import best_order
from monolift.boundaries.probe.graph import Weights, components

WIDTH = 1200.0
_STEPS = 300
_LETTER = 8.6
"""Width of a letter of a name, on average."""
_SMALLEST, _LARGEST = 9.0, 40.0


class Spot(msgspec.Struct, kw_only=True):
    """A circle: its centre and radius, from the top left corner."""

    x: float
    y: float
    r: float


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """All modules in their places."""

    width: float
    height: float
    spots: dict[str, Spot]


def dependency_order(nodes: Sequence[str], edges: Weights) -> list[str]:
    """Who depends before what it depends on; inside a circle, in the order that cuts least."""
    ordered: list[str] = []
    for component in reversed(components(nodes, edges)):
        ordered += best_order(component, edges) if len(component) > 1 else component
    return ordered


def picture(lines: Mapping[str, int], edges: Weights) -> Picture:
    """Places for modules of these sizes with these dependencies."""
    order = dependency_order(list(lines), edges)
    coupled = {name for pair in edges for name in pair}
    inner = [name for name in order if name in coupled]
    alone = sorted(set(lines) - coupled)
    height = min(900.0, 380.0 + 26.0 * len(inner)) if inner else 0.0
    most = max(lines.values(), default=0) or 1
    radius = {
        name: _SMALLEST + (_LARGEST - _SMALLEST) * math.sqrt(lines[name] / most) for name in lines
    }
    spots = _start(inner, radius, height)
    _settle(spots, edges, height)
    _fit(spots, height)
    _spread(spots, height)
    _part(spots)
    _fit(spots, height)
    place = height + (60.0 if alone else 0.0)
    x = 30.0
    for name in alone:
        wide = max(2 * radius[name], _LETTER * len(name)) + 24.0
        if x + wide > WIDTH:
            x, place = 30.0, place + 2 * _LARGEST + 24.0
        spots[name] = Spot(x=x + wide / 2, y=place, r=radius[name])
        x += wide
    for spot in spots.values():
        spot.x, spot.y, spot.r = round(spot.x, 1), round(spot.y, 1), round(spot.r, 1)
    return Picture(width=WIDTH, height=round(place + (60.0 if alone else 0.0)), spots=spots)


def _start(order: Sequence[str], radius: Mapping[str, float], height: float) -> dict[str, Spot]:
    """From top to bottom in their order, swung from side to side by the golden angle."""
    last = max(len(order) - 1, 1)
    return {
        name: Spot(
            x=WIDTH / 2 + WIDTH * 0.36 * math.cos(2.399963 * index + 0.6),
            y=40.0 + (height - 80.0) * index / last,
            r=radius[name],
        )
        for index, name in enumerate(order)
    }


def _settle(spots: dict[str, Spot], edges: Weights, height: float) -> None:
    names = list(spots)
    home = {name: spots[name].y for name in names}
    most = max(edges.values(), default=1)
    pulls = [
        (a, b, 0.3 + 0.7 * math.log1p(weight) / math.log1p(most))
        for (a, b), weight in edges.items()
    ]
    ideal = math.sqrt(WIDTH * max(height, 1.0) / max(len(names), 1)) * 0.9
    density = max(len(pulls) / max(len(names), 1), 1.0)
    for step in range(_STEPS):
        force = {name: [0.0, 0.0] for name in names}
        for index, a in enumerate(names):
            for b in names[index + 1 :]:
                dx, dy = spots[a].x - spots[b].x, spots[a].y - spots[b].y
                distance = max(math.hypot(dx, dy), 1.0)
                push = (ideal * ideal) / (distance * distance)
                force[a][0] += dx * push
                force[a][1] += dy * push
                force[b][0] -= dx * push
                force[b][1] -= dy * push
        for a, b, strength in pulls:
            dx, dy = spots[b].x - spots[a].x, spots[b].y - spots[a].y
            pull = strength * math.hypot(dx, dy) / ideal / density
            force[a][0] += dx * pull
            force[a][1] += dy * pull
            force[b][0] -= dx * pull
            force[b][1] -= dy * pull
        limit = 40.0 * (1.0 - step / _STEPS) + 0.5
        for name in names:
            x, y = force[name]
            x += (WIDTH / 2 - spots[name].x) * 0.04
            y += (home[name] - spots[name].y) * 1.2
            length = math.hypot(x, y) or 1.0
            moved = min(length * 0.1, limit)
            spots[name].x += x / length * moved
            spots[name].y += y / length * moved


def _spread(spots: dict[str, Spot], height: float) -> None:
    """Half way to even gaps, so that the middle is not crowded and the rim not empty."""
    last = max(len(spots) - 1, 1)
    for index, spot in enumerate(sorted(spots.values(), key=lambda spot: spot.x)):
        spot.x = (spot.x + WIDTH * index / last) / 2
    for index, spot in enumerate(sorted(spots.values(), key=lambda spot: spot.y)):
        spot.y = (spot.y + height * index / last) / 2


def _part(spots: dict[str, Spot]) -> None:
    """Push circles and their names apart until none lie on each other."""
    names = sorted(spots)
    for _ in range(200):
        touching = False
        for index, a in enumerate(names):
            for b in names[index + 1 :]:
                one, other = spots[a], spots[b]
                dx, dy = other.x - one.x, other.y - one.y
                wide = max(one.r + other.r, _LETTER * (len(a) + len(b)) / 2) + 10.0
                tall = one.r + other.r + 26.0
                if abs(dx) >= wide or abs(dy) >= tall:
                    continue
                touching = True
                if (wide - abs(dx)) / wide < (tall - abs(dy)) / tall:
                    by = (wide - abs(dx)) / 2 * (1 if dx >= 0 else -1)
                    one.x, other.x = one.x - by, other.x + by
                else:
                    by = (tall - abs(dy)) / 2 * (1 if dy >= 0 else -1)
                    one.y, other.y = one.y - by, other.y + by
        if not touching:
            return


def _fit(spots: dict[str, Spot], height: float) -> None:
    """Stretch to the picture's edges, each way by itself."""
    if not spots:
        return
    reach = {name: max(spot.r, _LETTER * len(name) / 2) + 8.0 for name, spot in spots.items()}
    left = min(spot.x - reach[name] for name, spot in spots.items())
    right = max(spot.x + reach[name] for name, spot in spots.items())
    top = min(spot.y - spot.r - 8.0 for spot in spots.values())
    bottom = max(spot.y + spot.r + 26.0 for spot in spots.values())
    across = WIDTH / max(right - left, 1.0)
    down = height / max(bottom - top, 1.0)
    for spot in spots.values():
        spot.x = (spot.x - left) * across
        spot.y = (spot.y - top) * down
    for name, spot in spots.items():
        spot.x = min(max(spot.x, reach[name]), WIDTH - reach[name])
        spot.y = min(max(spot.y, spot.r + 8.0), height - spot.r - 26.0)
