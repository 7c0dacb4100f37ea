"""Taking out of a project's own code what belongs to modules that stay behind.

What names a file that does not travel goes, and what cannot be without it: the import, the names
that it binds, the statement or the element of a list that uses them. Everything else stays as it
is written, comments included.
"""

import ast
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from monolift.lift.service.eject.source import imported_from, parsed


@dataclass(frozen=True, kw_only=True)
class Absent:
    """What is not there any more."""

    name: Callable[[str], bool]
    """Whether a dotted name leads to something that stays behind."""
    labels: Collection[str]
    """The labels of modules that are not installed there."""
    settings: Collection[str]
    """How the settings of modules that do not run there begin: `PAYMENTS`."""
    known: Collection[str]
    """The labels of all modules of the project."""


def pruned(text: str, path: Path, absent: Absent) -> str:
    """The text without them. Raises ServiceError for a file that cannot be parsed."""
    tree = parsed(text, path)
    pruning = _Pruning(tree, path, absent)
    while pruning.look():
        pass
    return _without(text, pruning)


class _Pruning:
    """Finds what goes, until nothing more does."""

    def __init__(self, tree: ast.Module, path: Path, absent: Absent) -> None:
        self._tree = tree
        self._path = path
        self._absent = absent
        self.gone: dict[ast.AST, ast.AST | None] = {}
        """Statements, and elements with the collection that they are taken out of."""
        self._dead: set[str] = set()
        self._lost: defaultdict[ast.stmt, set[str]] = defaultdict(set)
        """The names of entries that went as a whole, by the statement that they were in."""

    def look(self) -> bool:
        before = len(self.gone), len(self._dead)
        self._block(self._tree.body)
        return before != (len(self.gone), len(self._dead))

    def _block(self, body: list[ast.stmt]) -> None:
        for statement in body:
            if statement not in self.gone:
                self._statement(statement)

    def _statement(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Import(names=names) if any(self._absent.name(one.name) for one in names):
                self._drop(statement, (one.asname or one.name.partition(".")[0] for one in names))
            case ast.ImportFrom(names=names) if self._is_from_absent(statement):
                self._drop(statement, (one.asname or one.name for one in names))
            case ast.If(body=body, orelse=orelse) | ast.Try(body=body, orelse=orelse):
                self._block(body)
                self._block(orelse)
                tested = isinstance(statement, ast.If) and self._expression(statement.test)
                if tested or all(one in self.gone for one in (*body, *orelse)):
                    self._drop(statement, ())
            case ast.Assign() | ast.AnnAssign():
                targets = (
                    statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                )
                named = [name for target in targets for name in _names(target)]
                bound = {name.id for name in named if isinstance(name.ctx, ast.Store)}
                changed = {name.id for name in named} - bound
                if (
                    self._is_setting(bound)
                    or any(self._is_dead(name) for name in changed)
                    or (
                        statement.value is not None
                        # SCHEDULE["settle"] = {...} is an entry.
                        and self._expression(statement.value, of=statement, entry=not bound)
                    )
                ):
                    self._drop(statement, bound)
            case ast.Expr(value=ast.Constant()):
                pass  # a docstring
            case ast.Expr(value=value) | ast.AugAssign(value=value):
                if self._expression(value, of=statement) or (
                    isinstance(statement, ast.AugAssign)
                    and any(self._is_dead(name.id) for name in _names(statement.target))
                ):
                    self._drop(statement, ())
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                if any(one.id in self._dead for one in _names(statement)):
                    self._drop(statement, (name,))
            case _:
                pass

    def _is_from_absent(self, statement: ast.ImportFrom) -> bool:
        base = imported_from(statement, self._path)
        named = (base, *(f"{base}.{one.name}" for one in statement.names))
        return any(self._absent.name(name) for name in named)

    def _drop(self, statement: ast.stmt, names: Iterable[str]) -> None:
        self.gone[statement] = None
        self._dead.update(names)

    def _is_setting(self, names: Collection[str]) -> bool:
        return any(
            name == beginning or name.startswith(f"{beginning}_")
            for name in names
            for beginning in self._absent.settings
        )

    def _is_dead(self, name: str) -> bool:
        """Whether a name is bound nowhere any more: here, or in settings that this file extends."""
        return name in self._dead or self._is_setting((name,))

    def _expression(
        self, node: ast.AST, *, of: ast.stmt | None = None, entry: bool = False
    ) -> bool:
        """Whether the whole expression goes; elements of collections in it go by themselves.

        As an `entry` of a collection a dictionary goes that has lost what it cannot be without.
        """
        if node in self.gone:
            return False
        match node:
            case ast.Name(id=name):
                return self._is_dead(name)
            case ast.Constant(value=str() as text):
                return self._absent.name(text)
            case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
                labels = self._are_labels(elements)
                for element in elements:
                    if element not in self.gone and (
                        self._expression(element, of=of, entry=True)
                        or self._is_lost(element, of)
                        or (labels and ast.literal_eval(element) in self._absent.labels)
                    ):
                        self.gone[element] = node
                return False
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if value in self.gone:
                        continue
                    if self._expression(value, of=of, entry=True):
                        if of is not None and isinstance(key, ast.Constant):
                            self._lost[of].add(str(key.value))
                    elif not (_is_formatter(key) and self._is_lost(value, of)):
                        continue
                    self.gone[value] = node
                return entry and self._is_half(node, of)
            case _:
                goes = False
                for child in ast.iter_child_nodes(node):
                    # Every one is looked at: elements of collections in it may go by themselves.
                    goes = self._expression(child, of=of) or goes
                return goes

    def _is_lost(self, node: ast.AST, of: ast.stmt | None) -> bool:
        """Whether it names an entry that went: how LOGGING's parts name each other."""
        return of is not None and isinstance(node, ast.Constant) and node.value in self._lost[of]

    def _is_half(self, node: ast.Dict, of: ast.stmt | None) -> bool:
        """Whether a dictionary has lost a part: {"task": ..., "schedule": 60}, without its task.

        One that only lists what there is, entry by entry or name by name, has just become shorter.
        """
        gone = [one for one in node.values if one in self.gone and not self._is_lost(one, of)]
        if not gone or all(isinstance(one, ast.Dict) for one in gone):
            return False
        return len(gone) == len(node.values) or not all(_is_path(one) for one in node.values)

    def _are_labels(self, elements: list[ast.expr]) -> bool:
        return len(elements) > 1 and all(
            isinstance(one, ast.Constant) and one.value in self._absent.known for one in elements
        )


def _is_formatter(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and key.value == "formatter"


def _is_path(node: ast.expr) -> bool:
    """Whether it is the name of something that could be imported."""
    if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return False
    top, _, rest = node.value.partition(".")
    return bool(rest) and top.isidentifier() and find_spec(top) is not None


def _names(node: ast.AST) -> Iterator[ast.Name]:
    return (one for one in ast.walk(node) if isinstance(one, ast.Name))


def _without(text: str, pruning: _Pruning) -> str:
    """The text without the nodes, each with the comma behind it and the lines it had to itself."""
    source = text.encode()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    cuts: list[tuple[int, int]] = []
    lonely: dict[ast.Tuple, tuple[int, int]] = {}
    for node, collection in pruning.gone.items():
        key = _key(node, collection)
        first = key or node
        begin = starts[_line(first) - 1] + int(getattr(first, "col_offset", 0))
        if isinstance(collection, ast.Dict) and key is None:
            begin = source.rindex(b"**", 0, begin)
        if collection is None:
            begin = starts[_line(first) - 1] + _indentation(source, starts[_line(first) - 1])
        end = _end(node, starts)
        if collection is not None:
            begin, end = _with_comma(source, begin, end)
        cuts.append(_whole_lines(source, begin, end))
        if isinstance(collection, ast.Tuple):
            left = [one for one in collection.elts if one not in pruning.gone]
            if len(left) == 1:
                lonely[collection] = _end(left[0], starts), _end(collection, starts)
    merged = _merged(cuts)
    commas = []
    for after, end in lonely.values():
        if any(start < after <= stop for start, stop in merged):
            continue  # the whole tuple goes
        kept = b"".join(
            source[at : at + 1]
            for at in range(after, end)
            if not any(start <= at < stop for start, stop in merged)
        )
        if b"," not in kept:
            commas.append((after, after))
    for begin, end in sorted([*merged, *commas], reverse=True):
        source = source[:begin] + (b"," if begin == end else b"") + source[end:]
    return source.decode()


def _key(value: ast.AST, collection: ast.AST | None) -> ast.expr | None:
    """What stands before a value in a dictionary, unless it is spread there."""
    if not isinstance(collection, ast.Dict):
        return None
    return next(
        key for key, one in zip(collection.keys, collection.values, strict=True) if one is value
    )


def _merged(cuts: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those that overlap or lie in others as one."""
    found: list[tuple[int, int]] = []
    for begin, end in sorted(cuts):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((begin, end))
    return found


def _end(node: ast.AST, starts: list[int]) -> int:
    line, column = getattr(node, "end_lineno", 1), getattr(node, "end_col_offset", 0)
    return starts[int(line) - 1] + int(column)


def _indentation(source: bytes, start: int) -> int:
    line = source[start:].partition(b"\n")[0]
    return len(line) - len(line.lstrip())


def _line(node: ast.AST) -> int:
    written = [node, *getattr(node, "decorator_list", [])]
    return min(int(one.lineno) for one in written)


def _with_comma(source: bytes, begin: int, end: int) -> tuple[int, int]:
    """Together with the comma behind it; for the last one without, the one before it."""
    behind = end
    while behind < len(source) and source[behind : behind + 1].isspace():
        behind += 1
    if source[behind : behind + 1] == b",":
        behind += 1
        while source[behind : behind + 1] == b" ":
            behind += 1
        return begin, behind
    before = begin
    while source[before - 1 : before].isspace():
        before -= 1
    return (before - 1, end) if source[before - 1 : before] == b"," else (begin, end)


def _whole_lines(source: bytes, begin: int, end: int) -> tuple[int, int]:
    """With the indentation and the end of the line, where nothing else stands."""
    line = source.rfind(b"\n", 0, begin) + 1
    stop = source.find(b"\n", end)
    stop = len(source) if stop < 0 else stop
    rest = source[end:stop].strip()
    if not source[line:begin].strip() and (not rest or rest.startswith(b"#")):
        return line, min(stop + 1, len(source))
    return begin, end
