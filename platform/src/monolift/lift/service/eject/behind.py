"""What stays in the monolith when a module has a repository of its own, and what may go."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from monolift.events.subscriptions import all_subscriptions
from monolift.lift.service.eject.contracts import PARTS, handlers_elsewhere
from monolift.lift.service.eject.plan import Plan
from monolift.lift.service.eject.source import imports, parsed
from monolift.lift.service.filling import filled


@dataclass(frozen=True, kw_only=True)
class Behind:
    """The monolith afterwards; paths are relative to its folder."""

    stays: tuple[Path, ...]
    replaced: dict[Path, str]
    """Files that say something else then."""
    may_go: tuple[Path, ...]
    still_named: dict[Path, str]
    """Files of the monolith that import what may go, and what: they change first."""

    def page(self, *, module: str, name: str) -> str:
        """The same for a person."""
        return filled(
            "repository/MONOLITH.md.txt",
            {
                "module": module,
                "name": name,
                "stays": _listed(self.stays),
                "replaced": "\n".join(
                    f"`{path.as_posix()}` becomes\n\n```python\n{text}```\n"
                    for path, text in self.replaced.items()
                )
                or "Nothing.\n",
                "may_go": "\n".join(path.as_posix() for path in self.may_go),
                "still_named": "".join(
                    f"- `{path.as_posix()}` imports `{what}`\n"
                    for path, what in self.still_named.items()
                )
                or "Nothing does.\n",
            },
        )


def behind(made: Plan, *, skipped: Collection[str] = ()) -> Behind:
    """What of the module and of its tests the monolith still needs.

    `skipped` are names of folders whose files are nobody's code: assets of tests.
    """
    source, package = made.source, made.module.name
    own = Path(*package.split("."))
    stays = _needed(made, own)
    replaced = {}
    heard = {one.event for one in all_subscriptions() if one.module == made.module.label}
    heard = {event for event in heard if event.event_owner != made.module.label}
    if heard:
        replaced[own / "handlers.py"] = handlers_elsewhere(made.module.label, heard)
    inside = set(source.below(own)) | set(source.below(made.tests))
    may_go = tuple(sorted(inside - stays - replaced.keys()))
    return Behind(
        stays=tuple(sorted(stays)),
        replaced=replaced,
        may_go=may_go,
        still_named=_still_named(made, set(may_go), {*replaced}, skipped),
    )


def _needed(made: Plan, own: Path) -> set[Path]:
    """The contract, the REST that stays at the edge, and what these import of the module."""
    source = made.source
    pending = [own / f"{part}.py" for part in (*PARTS, "api", "urls")]
    found: set[Path] = set()
    while pending:
        path = pending.pop()
        if path in found or not (source.root / path).is_file():
            continue
        found |= {path, *(init for init in source.packages(path) if init.is_relative_to(own))}
        for dotted in imports(parsed(source.text(path), path), path, everywhere=True):
            named = source.file(dotted)
            if named is not None and named.is_relative_to(own):
                pending.append(named)
    return found


def _still_named(
    made: Plan, may_go: set[Path], replaced: set[Path], skipped: Collection[str]
) -> dict[Path, str]:
    """Who imports what may go, in the whole project."""
    source, package = made.source, made.module.name
    found = {}
    for folder in sorted(path for path in source.root.iterdir() if path.is_dir()):
        if folder.name.startswith(".") or not any(folder.glob("*.py")):
            continue
        for path in source.below(folder.relative_to(source.root)):
            passed = path in may_go or path in replaced or not {*skipped}.isdisjoint(path.parts)
            if path.suffix != ".py" or passed:
                continue
            text = source.text(path)
            if package.rpartition(".")[2] not in text:  # a relative import names no more
                continue
            for dotted in imports(parsed(text, path), path, everywhere=True):
                if source.file(dotted) in may_go:
                    found[path] = dotted
                    break
    return found


def _listed(paths: tuple[Path, ...]) -> str:
    return "".join(f"- `{path.as_posix()}`\n" for path in paths)
