"""Requests that are looked at more closely: what they call, from where, and what it costs.

One trace in `MONOLIFT["WEIGH"]` is weighed, chosen by its id, so that all deployables weigh the
same ones. Within it every call takes the longer path and is counted with its CPU
(`time.thread_time`), its bytes and the line that makes it. All other requests pay nothing.
"""

from collections import Counter, defaultdict
from threading import get_ident
from time import thread_time
from typing import TYPE_CHECKING
from zlib import crc32

from monolift.observe import ledger
from monolift.registry.scope import Scope, current, entered
from monolift.registry.settings import setting

if TYPE_CHECKING:
    from monolift.kernel import Operation

MOST = 1000
"""Calls in one request that are told apart; more are as many."""


class Unit:
    """A request, handler, task or step that nobody of this process caused, and what it calls."""

    def __init__(self, entry: str, trace: str) -> None:
        self.entry = entry
        self.trace = trace
        self.cpu: defaultdict[str, float] = defaultdict(float)
        self.modules: set[str] = set()
        self.calls: Counter[str] = Counter()
        self.lines: Counter[tuple[str, str]] = Counter()
        self.remote: Counter[str] = Counter()
        self.commands: dict[str, str] = {}


class Node:
    """One running operation of a unit. `inner` is the CPU that is not its own."""

    __slots__ = ("begun", "in_step", "inner", "module", "thread", "unit")

    def __init__(self, unit: Unit, module: str, *, in_step: bool) -> None:
        self.unit = unit
        self.module = module
        self.in_step = in_step
        self.inner = 0.0
        self.thread = get_ident()
        self.begun = thread_time()

    def below(self, module: str, *, in_step: bool = False) -> "Node":
        """What begins inside it."""
        return Node(self.unit, module, in_step=self.in_step or in_step)

    def end(self, above: "Node | None") -> float:
        """It is over; seconds of CPU in its own code."""
        spent = thread_time() - self.begun
        own = max(spent - self.inner, 0.0)
        self.unit.cpu[self.module] += own
        self.unit.modules.add(self.module)
        if above is not None and above.thread == self.thread:
            above.inner += spent
        return own

    def answers(self, operation: "Operation", *, module: str) -> None:
        """The unit is a call of another deployable."""
        self.module = module
        self.unit.entry = operation.name

    def called(
        self, operation: "Operation", *, module: str, line: str, size: int, own: float, remote: bool
    ) -> None:
        """A call that it made is over."""
        unit, name = self.unit, operation.name
        unit.calls[module] += 1
        unit.lines[name, line] += 1
        if remote:
            unit.remote[name] += 1
        if operation.kind == "command" and not self.in_step:
            unit.commands.setdefault(module, name)
        ledger.told(name, size=size, cpu=own)


class weighed(entered):  # noqa: N801 - used like a function, as `entered` is
    """Run a block in the scope of a request, handler, task or step, and weigh it now and then."""

    __slots__ = ("above", "node")

    def __enter__(self) -> Scope:
        scope = self.scope
        self.above: Node | None = current().weighing
        self.node: Node | None = None
        if self.above is not None:
            self.node = self.above.below(scope.module or "", in_step=scope.kind == "step")
        elif _chosen(scope):
            unit = Unit(scope.operation, scope.trace.trace_id)
            self.node = Node(unit, scope.module or "", in_step=scope.kind == "step")
        if self.node is not None:
            scope.weighing = self.node
            scope.plain = False
        return super().__enter__()

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        if self.node is not None:
            self.node.end(self.above)
            if self.above is None:
                ledger.settle(self.node.unit)


def _chosen(scope: Scope) -> bool:
    every: int = setting("WEIGH")
    if every <= 1:
        return every == 1
    return not crc32(scope.trace.trace_id.encode()) % every
