"""What a check found, for people, programs, code scanning and pull requests."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from monolift.boundaries.baseline import Compared, Entry
from monolift.boundaries.rules import rules
from monolift.boundaries.violations import Violation

_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def show(console: Console, compared: Compared, *, modules: int, baseline: str) -> None:
    """A group for each module that must act, and what the baseline holds."""
    parts = list(_parts(compared, modules, baseline))
    if console.is_terminal:
        console.print(Text.assemble(*parts), soft_wrap=True, end="")
    else:  # a log: no styles to work out for thousands of lines
        console.file.write("".join(text for text, _ in parts))


def _parts(compared: Compared, modules: int, baseline: str) -> Iterator[tuple[str, str]]:
    """The report, piece by piece, each with its style."""
    groups: defaultdict[tuple[str, str], list[Violation]] = defaultdict(list)
    for violation in compared.new:
        groups[violation.module, violation.owner].append(violation)
    for (module, owner), violations in sorted(groups.items()):
        yield module or "The project", "bold"
        yield (f"  {owner}" if owner else ""), "dim"
        yield f"  {len(violations)}\n", "red"
        for violation in violations:
            yield f"  {violation.position}", "cyan"
            yield f"  {violation.id}\n", "yellow"
            yield f"    {violation.message}\n", ""
            yield f"    {violation.way_out}\n", "green"
        yield "\n", ""
    yield from _list(
        compared.stale,
        f"No longer there, but in {baseline}. `monolift check --baseline` takes them out:",
    )
    yield from _list(
        compared.grown,
        f"Added to {baseline} since this branch left the trunk. It may only shrink: mend them, "
        "and take them out:",
    )
    yield from _summary(compared, modules)
    if compared.new:
        yield "`monolift check --explain ID` says why a rule exists.\n", "dim"


def as_json(compared: Compared) -> str:
    """One JSON document: `violations`, `accepted`, `stale`, `grown`."""
    document = {
        "violations": [_plain(one) for one in compared.new],
        "accepted": [_plain(one) for one in compared.accepted],
        "stale": [_entry(one) for one in compared.stale],
        "grown": [_entry(one) for one in compared.grown],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def as_sarif(compared: Compared) -> str:
    """SARIF 2.1.0, as code scanning reads it; accepted violations are suppressed results."""
    from importlib.metadata import version  # slow to load, and not needed for people

    used = sorted({one.rule for one in (*compared.new, *compared.accepted)})
    known = rules()
    driver = {
        "name": "monolift",
        "version": version("monolift"),
        "rules": [
            {
                "id": name,
                "shortDescription": {"text": known[name].title},
                "fullDescription": {"text": known[name].why},
                "help": {"text": known[name].fix},
            }
            for name in used
            if name in known
        ],
    }
    results = [_result(one) for one in compared.new]
    results += [
        _result(one) | {"suppressions": [{"kind": "external"}]} for one in compared.accepted
    ]
    document = {
        "$schema": _SARIF,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def as_github(compared: Compared, *, baseline: str) -> str:
    """Workflow commands: an annotation at each line of a pull request."""
    lines = [
        _command(one.path, one.line, one.id, f"{one.message} {one.way_out}") for one in compared.new
    ]
    lines += [
        _command(baseline, 1, one.id, f"{one.source} -> {one.target} is mended: take it out.")
        for one in compared.stale
    ]
    lines += [
        _command(baseline, 1, one.id, f"{one.source} -> {one.target} was added; mend it.")
        for one in compared.grown
    ]
    return "\n".join(lines)


def _summary(compared: Compared, modules: int) -> Iterator[tuple[str, str]]:
    count = len(compared.new)
    if count or compared.stale or compared.grown:
        yield f"{_number(count, 'violation')} in {_number(modules, 'module')}", "red"
    else:
        yield f"{_number(modules, 'module')} keep the boundaries", "green"
    if compared.accepted:
        yield f"; {len(compared.accepted)} more in the baseline", "dim"
    yield ".\n", ""


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _list(entries: Sequence[Entry], heading: str) -> Iterator[tuple[str, str]]:
    if entries:
        yield f"{heading}\n", "bold red"
        for entry in entries:
            yield f"  {entry.id}", "yellow"
            yield f"  {entry.source} -> {entry.target}\n", ""
        yield "\n", ""


def _plain(violation: Violation) -> dict[str, Any]:
    fields = violation.__struct_fields__
    return {"id": violation.id, **{name: getattr(violation, name) for name in fields}}


def _entry(entry: Entry) -> dict[str, Any]:
    return {"id": entry.id, **{name: getattr(entry, name) for name in entry.__struct_fields__}}


def _result(violation: Violation) -> dict[str, Any]:
    return {
        "ruleId": violation.rule,
        "level": "error",
        "message": {"text": f"{violation.message} {violation.way_out}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": violation.path, "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": violation.line},
                }
            }
        ],
        "partialFingerprints": {"monolift/v1": violation.id},
        "properties": {"module": violation.module, "owner": violation.owner},
    }


def _command(path: str, line: int, title: str, message: str) -> str:
    return f"::error file={_property(path)},line={line},title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def explained(name: str, violations: Iterable[Violation]) -> str | None:
    """Why a rule exists and how to mend it; for a violation's id, that one too. None: unknown."""
    found = next((one for one in violations if one.id == name), None)
    rule = rules().get(found.rule if found else name.partition(":")[0])
    if rule is None or (found is None and ":" in name):
        return None
    parts = [f"{rule.name}: {rule.title}.", rule.why, f"Instead: {rule.fix}"]
    if found is not None:
        parts.append(f"{found.position}\n{found.message}\n{found.way_out}")
    return "\n\n".join(parts)
