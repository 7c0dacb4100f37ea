"""A report for people at a terminal, 100 columns wide."""

from collections import Counter
from io import StringIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from monolift.boundaries.probe.blockers import Blocker, blockers
from monolift.boundaries.probe.kinds import BY_NAME, KINDS, several
from monolift.boundaries.probe.report import Edge, Module, Report

_WIDTH = 100
_COLUMNS = 16
"""How many modules the matrix has room for."""
_NEAREST = 3


def text(report: Report, *, module: str | None = None, colours: bool = False) -> str:
    """The report; with `module`, only what blocks that module, all of it."""
    console = Console(
        file=StringIO(),
        width=_WIDTH,
        force_terminal=colours,
        no_color=not colours,
        highlight=False,
        emoji=False,
        markup=False,
    )
    with console.capture() as captured:
        if module is not None:
            _blocked(console, report, _find(report, module), every=True)
        else:
            _whole(console, report)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def _whole(console: Console, report: Report) -> None:
    files = sum(module.files for module in report.modules)
    lines = sum(module.lines for module in report.modules)
    console.print(
        Text(
            f"{report.settings}: {len(report.modules)} modules, {files:,} files, {lines:,} lines, "
            f"{len(report.couplings):,} couplings (Django {report.django})",
            style="bold",
        )
    )
    for note in report.notes:
        console.print(Text(f"Note: {note}", style="yellow"))
    _kinds(console, report)
    _matrix(console, report)
    _edges(console, report)
    _cycles(console, report)
    _ranking(console, report)
    for module in [module for module in report.modules if module.cost][:_NEAREST]:
        _blocked(console, report, module, every=False)


def _title(console: Console, title: str, below: str = "") -> None:
    console.print()
    console.print(Text(title, style="bold underline"))
    if below:
        console.print(Text(below, style="dim"))


def _table(*columns: tuple[str, bool]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, is_number in columns:
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    return table


def _kinds(console: Console, report: Report) -> None:
    _title(console, "Couplings by kind")
    counted = Counter(coupling.kind for coupling in report.couplings)
    table = _table(("kind", False), ("found", True), ("cost each", True), ("cost", True))
    for kind in KINDS:
        if count := counted[kind.name]:
            table.add_row(kind.title, f"{count:,}", str(kind.cost), f"{count * kind.cost:,}")
    console.print(table)


def _matrix(console: Console, report: Report) -> None:
    shown = sorted(report.modules, key=lambda module: (-module.cost, module.label))[:_COLUMNS]
    shown.sort(key=lambda module: module.label)
    left = len(report.modules) - len(shown)
    more = f"; the {left} least coupled are left out" if left else ""
    _title(
        console,
        "Matrix",
        f"A row depends on a column; the number is the cost of undoing that{more}.",
    )
    weight = {(edge.source, edge.target): edge for edge in report.edges}
    table = _table(
        ("", True), ("", False), *((str(index), True) for index in range(1, len(shown) + 1))
    )
    for index, row in enumerate(shown, start=1):
        cells = [_cell(weight.get((row.label, column.label)), row, column) for column in shown]
        table.add_row(str(index), _short(row.label, 18), *cells)
    console.print(table)


def _cell(edge: Edge | None, row: Module, column: Module) -> Text:
    if row is column:
        return Text("-", style="dim")
    if edge is None:
        return Text("")
    return Text(str(edge.weight), style="bold red" if edge.cut else "")


def _edges(console: Console, report: Report, most: int = 15) -> None:
    shown = sorted(report.edges, key=lambda edge: (-edge.weight, edge.source, edge.target))[:most]
    of = f" ({most} of {len(report.edges)})" if len(report.edges) > most else ""
    _title(console, f"Heaviest dependencies{of}")
    table = _table(("from", False), ("to", False), ("cost", True), ("of", False))
    for edge in shown:
        table.add_row(edge.source, edge.target, f"{edge.weight:,}", _spelled(edge.kinds))
    console.print(table)


def _cycles(console: Console, report: Report) -> None:
    if not report.cycles:
        _title(console, "Cycles", "None: the modules depend on each other in one direction.")
        return
    _title(console, "Cycles")
    between = {(edge.source, edge.target): edge for edge in report.edges}
    for number, cycle in enumerate(report.cycles, start=1):
        proof = "the lightest set there is" if cycle.exact else "the lightest set found"
        edges = "1 edge" if len(cycle.cuts) == 1 else f"{len(cycle.cuts)} edges"
        console.print(
            Text(
                f"{number}. {len(cycle.modules)} modules: {', '.join(cycle.modules)}\n"
                f"   Cut {edges} of cost "
                f"{cycle.weight:,} ({proof}):"
            )
        )
        table = _table(("  ", False), ("from", False), ("to", False), ("cost", True), ("of", False))
        for pair in cycle.cuts:
            edge = between[pair]
            table.add_row("", edge.source, edge.target, f"{edge.weight:,}", _spelled(edge.kinds))
        console.print(table)


def _ranking(console: Console, report: Report) -> None:
    _title(
        console,
        "Nearest to being liftable",
        "Cost of all couplings from the module (out) and to it (in); the cheapest first.",
    )
    table = _table(
        ("", True), ("module", False), ("lines", True), ("out", True), ("in", True), ("cost", True),
        ("cycle", True), ("what weighs most", False),
    )  # fmt: skip
    for module in report.modules:
        table.add_row(
            str(module.rank),
            _short(module.label, 24),
            f"{module.lines:,}",
            f"{module.outgoing:,}",
            f"{module.incoming:,}",
            f"{module.cost:,}",
            "" if module.cycle is None else str(module.cycle + 1),
            "; ".join(_summary(blocker) for blocker in blockers(report, module.label)[:2]),
        )
    console.print(table)


def _blocked(console: Console, report: Report, module: Module, *, every: bool) -> None:
    found = blockers(report, module.label)
    _title(console, f"What blocks {module.label}", "" if found else "Nothing that was found.")
    shown = found if every else found[:6]
    for blocker in shown:
        console.print(Text(f"{_summary(blocker)}, cost {blocker.cost}", style="bold"))
        places = blocker.couplings if every else blocker.couplings[:2]
        for coupling in places:
            place = f"{coupling.path}:{coupling.line}: {coupling.message}"
            console.print(_indented(place))
        if left := len(blocker.couplings) - len(places):
            console.print(_indented(f"and {left} more", "dim"))
        console.print(_indented(f"Way out: {BY_NAME[blocker.kind].way_out}", "green"))
    if left := len(found) - len(shown):
        console.print(
            Text(f"And {left} more groups: monolift probe --module {module.label}", style="dim")
        )


def _indented(line: str, style: str = "") -> Padding:
    return Padding(Text(line, style=style), (0, 0, 0, 4))


def _summary(blocker: Blocker) -> str:
    count = len(blocker.couplings)
    other = blocker.other or "any module"
    way = f"to {other}" if blocker.outgoing else f"from {other}"
    return f"{several(blocker.kind, count)} {way}"


def _spelled(kinds: dict[str, int]) -> str:
    return ", ".join(several(name, count) for name, count in kinds.items())


def _find(report: Report, label: str) -> Module:
    return next(module for module in report.modules if module.label == label)


def _short(label: str, width: int) -> str:
    return label if len(label) <= width else f"{label[: width - 1]}…"
