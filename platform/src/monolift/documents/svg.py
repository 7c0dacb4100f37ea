"""The module map as one SVG: no script, no font, no file besides it; in light and in dark.

Calls run down from the bottom of the caller, events run up from the top of the publisher. Opened
by itself, the picture shows what a module meets while the pointer is on it.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple
from xml.sax.saxutils import escape

from monolift.documents.facts import Landscape, Pair
from monolift.documents.layers import Layout, Node, arrange, heights

MARK = "<!-- Written by `monolift docs`. Do not edit. -->"
_HEIGHT, _GAP, _BETWEEN = 64.0, 28.0, 92.0
_MARGIN, _LEGEND = 28.0, 44.0
_LETTER = 9.8
_LANE = 11.0
_ALONE_PER_ROW = 8
_COLOURS = ("#2f6fd0", "#c2571a", "#2a8a57", "#9147b8", "#b8860b", "#c0396b", "#1b8a9c", "#6b6f2a",
            "#7a5c44", "#5a5fd6")  # fmt: skip
_STYLE = """
  svg { font: 13px system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif }
  .ground { fill: #fbfbfa; stroke: #deded9 }
  .box { fill: #fff; stroke: #c9c9c2 }
  .outside .box { stroke-dasharray: 5 4 }
  .name { font-size: 15px; font-weight: 600; fill: #1d1d1b }
  .small { font-size: 11.5px; fill: #65655f }
  .edge path { fill: none }
  .halo { stroke: #fbfbfa; stroke-width: 6 }
  .call .line { stroke: #50504b }
  .event .line { stroke: #1f7a8c; stroke-dasharray: 7 5; stroke-width: 1.8 }
  .against .line { stroke: #c0392b }
  .call-end { fill: #50504b }
  .event-end { fill: #1f7a8c }
  .against-end { fill: #c0392b }
  .module, .edge { transition: opacity .15s }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #16181c; stroke: #2d3138 }
    .box { fill: #21252b; stroke: #434a54 }
    .name { fill: #eceff3 }
    .small { fill: #a3abb6 }
    .halo { stroke: #16181c }
    .call .line { stroke: #a9b1bc }
    .event .line { stroke: #5cc2d6 }
    .against .line { stroke: #ff7b6b }
    .call-end { fill: #a9b1bc }
    .event-end { fill: #5cc2d6 }
    .against-end { fill: #ff7b6b }
  }
"""


class _Line(NamedTuple):
    """One arrow: from the upper module down, or from the lower one up."""

    kind: str
    source: str
    target: str
    names: Sequence[str]


def draw(landscape: Landscape) -> str:
    """The picture as the text of an SVG file."""
    return _Drawing(landscape).text()


class _Drawing:
    def __init__(self, landscape: Landscape) -> None:
        self._landscape = landscape
        self._width = max(132.0, *(_LETTER * len(one) + 40 for one in self._shown_texts()))
        joined = {label for pair in (*landscape.calls, *landscape.events) for label in pair}
        self._alone = sorted(set(landscape.labels) - joined)
        names = sorted(joined)
        # A subscriber stands above its publisher, as far as calls allow.
        weak = [(subscriber, publisher) for publisher, subscriber in landscape.events]
        height = heights(names, strong=landscape.calls, weak=weak) if names else {}
        self._height = height
        self._lines = self._lines_by_way()
        self._layout: Layout = arrange(
            height, (*landscape.calls, *landscape.events), width=self._width, gap=_GAP
        )
        owners = sorted({module.owner for module in landscape.modules.values()})
        self._colour = {owner: _COLOURS[i % len(_COLOURS)] for i, owner in enumerate(owners)}
        self._place()

    def _shown_texts(self) -> list[str]:
        labels = self._landscape.labels
        owners = [module.owner for module in self._landscape.modules.values()]
        return [*labels, *(owner[: int(len(owner) * 0.72)] for owner in owners)]

    def _lines_by_way(self) -> dict[Pair, list[_Line]]:
        found: defaultdict[Pair, list[_Line]] = defaultdict(list)
        for (caller, provider), names in self._landscape.calls.items():
            against = self._height[caller] < self._height[provider]
            kind = "call against" if against else "call"
            found[self._way(caller, provider)].append(_Line(kind, caller, provider, names))
        for (publisher, subscriber), names in self._landscape.events.items():
            against = self._height[publisher] > self._height[subscriber]
            kind = "event against" if against else "event"
            found[self._way(publisher, subscriber)].append(
                _Line(kind, publisher, subscriber, names)
            )
        return dict(found)

    def _way(self, one: str, other: str) -> Pair:
        return (one, other) if self._height[one] > self._height[other] else (other, one)

    def _place(self) -> None:
        x, layers = self._layout.x, self._layout.layers
        half = self._width / 2
        left = min((at - (8 if node.bend else half) for node, at in x.items()), default=0.0)
        right = max((at + (8 if node.bend else half) for node, at in x.items()), default=0.0)
        columns = min(len(self._alone), _ALONE_PER_ROW)
        row = columns * (self._width + _GAP) - _GAP
        inner = max(right - left, row, 420.0)
        shift = _MARGIN - left + (inner - (right - left)) / 2
        self._x = {node: at + shift for node, at in x.items()}
        self._y = {
            node: _MARGIN + index * (_HEIGHT + _BETWEEN)
            for index, layer in enumerate(layers)
            for node in layer
        }
        used = bool(self._x)
        bottom = _MARGIN + (len(layers) * (_HEIGHT + _BETWEEN) - _BETWEEN if used else -_GAP)
        for index, name in enumerate(self._alone):
            down, across = divmod(index, _ALONE_PER_ROW)
            node = Node(name)
            start = _MARGIN + (inner - row) / 2 + half
            self._x[node] = start + across * (self._width + _GAP)
            self._y[node] = bottom + _GAP + down * (_HEIGHT + _GAP)
        if self._alone:
            bottom += -(-len(self._alone) // _ALONE_PER_ROW) * (_HEIGHT + _GAP)
        self._size = inner + 2 * _MARGIN, bottom + _MARGIN + _LEGEND

    def text(self) -> str:
        width, height = self._size
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}"',
            f'  width="{width:.0f}" height="{height:.0f}"',
            '  role="img" aria-labelledby="title about">',
            MARK,
            '<title id="title">Module map</title>',
            f'<desc id="about">{escape(self._told())}</desc>',
            f"<style>{_STYLE}{self._hover()}</style>",
            f"<defs>{_heads()}</defs>",
            f'<rect class="ground" x=".5" y=".5" width="{width - 1:.0f}"',
            f'  height="{height - 1:.0f}" rx="12"/>',
            *self._edges(),
            *(self._module(label) for label in self._landscape.labels),
            self._legend(),
            "</svg>",
        ]
        return "\n".join(parts) + "\n"

    def _told(self) -> str:
        calls = [f"{a} calls {b}" for a, b in self._landscape.calls]
        events = [f"{b} hears {a}" for a, b in self._landscape.events]
        return "; ".join((*calls, *events)) + "." if calls or events else "No module meets another."

    def _hover(self) -> str:
        rules = []
        for label in self._landscape.labels:
            near = {b if a == label else a for a, b in self._layout.ways if label in (a, b)}
            kept = "".join(f":not(#m-{one})" for one in sorted({label, *near}))
            rules.append(
                f"  svg:has(#m-{label}:hover) .edge:not(.of-{label}),"
                f" svg:has(#m-{label}:hover) .module{kept} {{ opacity: .12 }}\n"
            )
        return "".join(rules)

    # --- modules --------------------------------------------------------------------------------

    def _module(self, label: str) -> str:
        node = Node(label)
        left, top = self._x[node] - self._width / 2, self._y[node]
        module = self._landscape.modules.get(label)
        owner = module.owner if module else "not installed here"
        colour = self._colour[module.owner] if module else "#8a8a85"
        return (
            f'<g id="m-{label}" class="module{"" if module else " outside"}" '
            f'transform="translate({left:.1f} {top:.1f})">'
            f"<title>{escape(self._about(label))}</title>"
            f'<rect class="box" width="{self._width:.1f}" height="{_HEIGHT:.0f}" rx="8"/>'
            f'<path d="M8 0h-0a8 8 0 0 0 -8 8v{_HEIGHT - 16:.0f}a8 8 0 0 0 8 8z" fill="{colour}"/>'
            f'<text class="name" x="20" y="27">{escape(label)}</text>'
            f'<text class="small" x="20" y="47">{escape(owner)}</text></g>'
        )

    def _about(self, label: str) -> str:
        module = self._landscape.modules.get(label)
        if module is None:
            return f"{label} is called or heard, and not installed here."
        counts = (
            (len(module.publishes), "event"),
            (len(module.tables), "table"),
            (len(module.sagas), "saga"),
            (len(module.tasks), "task"),
        )
        told = ", ".join(f"{count} {what}{'' if count == 1 else 's'}" for count, what in counts)
        return f"{label}: {told}"

    # --- arrows ---------------------------------------------------------------------------------

    def _edges(self) -> list[str]:
        ports = self._ports()
        found = []
        for way, lines in self._lines.items():
            nodes = self._layout.ways[way]
            asides = [(lane - (len(lines) - 1) / 2) * _LANE for lane in range(len(lines))]
            shapes = [
                self._shape(line, nodes, ports, aside)
                for line, aside in zip(lines, asides, strict=True)
            ]
            # A way that crosses another one passes over it; its own lines do not cut each other.
            halos = "".join(f'<path class="halo" d="{shape}"/>' for shape in shapes)
            found.append(
                f'<g class="edge of-{way[0]} of-{way[1]}">{halos}'
                + "".join(_drawn(line, shape) for line, shape in zip(lines, shapes, strict=True))
                + "</g>"
            )
        return found

    def _ports(self) -> dict[tuple[Pair, str], float]:
        """Where ways meet the bottom of their upper module and the top of their lower one."""
        bottoms: defaultdict[str, list[tuple[float, Pair]]] = defaultdict(list)
        tops: defaultdict[str, list[tuple[float, Pair]]] = defaultdict(list)
        for way, nodes in self._layout.ways.items():
            bottoms[way[0]].append((self._x[nodes[1]], way))
            tops[way[1]].append((self._x[nodes[-2]], way))
        found = {}
        for side, ends in (("bottom", bottoms), ("top", tops)):
            for label, ways in ends.items():
                step = min(26.0, (self._width - 36.0) / max(len(ways), 1))
                start = self._x[Node(label)] - step * (len(ways) - 1) / 2
                for index, (_, way) in enumerate(sorted(ways)):
                    found[way, side] = start + index * step
        return found

    def _shape(
        self, line: _Line, nodes: list[Node], ports: dict[tuple[Pair, str], float], aside: float
    ) -> str:
        way = nodes[0].name, nodes[-1].name
        x, y = ports[way, "bottom"] + aside, self._y[nodes[0]] + _HEIGHT
        down = line.source == way[0]
        start = y if down else y + 9
        shape = [(x, start)]
        end = ports[way, "top"] + aside, self._y[nodes[-1]] - (9 if down else 0)
        for bend in nodes[1:-1]:
            shape += [(self._x[bend] + aside, self._y[bend])]
            shape += [(self._x[bend] + aside, self._y[bend] + _HEIGHT)]
        shape.append(end)
        return _path(shape if down else shape[::-1])

    def _legend(self) -> str:
        y = self._size[1] - _MARGIN + 2
        items = [("call", "calls"), ("event", "events, to who hears them")]
        if any("against" in line.kind for lines in self._lines.values() for line in lines):
            items.append(("against", "against the order"))
        parts, x = [], _MARGIN
        for kind, text in items:
            parts.append(
                f'<g class="{kind}"><path class="line" fill="none" d="M{x:.0f} {y - 4:.0f}h30" '
                f'stroke-width="1.8" marker-end="url(#{kind})"/></g>'
                f'<text class="small" x="{x + 48:.0f}" y="{y:.0f}">{text}</text>'
            )
            x += 48 + 6.2 * len(text) + 26
        return "".join(parts)


def _drawn(line: _Line, shape: str) -> str:
    calls = line.kind.startswith("call")
    names = ", ".join(line.names) or "nothing by name"
    told = escape(f"{line.source} {'calls' if calls else 'tells'} {line.target}: {names}")
    weight = f' stroke-width="{1.3 + min(len(line.names), 6) * 0.25:.2f}"' if calls else ""
    return (
        f'<g class="{line.kind}"><title>{told}</title>'
        f'<path class="line" d="{shape}"{weight} '
        f'marker-end="url(#{line.kind.rpartition(" ")[2]})"/></g>'
    )


def _path(points: list[tuple[float, float]]) -> str:
    """Curves from layer to layer, straight lines past the layers between."""
    first = points[0]
    parts = [f"M{first[0]:.1f} {first[1]:.1f}"]
    for (ax, ay), (bx, by) in pairwise(points):
        if abs(ax - bx) < 0.05:
            parts.append(f"L{bx:.1f} {by:.1f}")
        else:
            middle = (by - ay) * 0.5
            parts.append(
                f"C{ax:.1f} {ay + middle:.1f} {bx:.1f} {by - middle:.1f} {bx:.1f} {by:.1f}"
            )
    return "".join(parts)


def _heads() -> str:
    return "".join(
        f'<marker id="{kind}" viewBox="0 0 10 10" refX="1" refY="5" markerWidth="9" '
        f'markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">'
        f'<path class="{kind}-end" d="M0 0.8L10 5L0 9.2z"/></marker>'
        for kind in ("call", "event", "against")
    )
