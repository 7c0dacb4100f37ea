"""The differences between two states of all contracts."""

from collections.abc import Callable
from typing import Any

from monolift.contracts.compare_types import TypeComparison, Where
from monolift.contracts.rules import RULES, Change, Verdict
from monolift.contracts.snapshots import Snapshot, Snapshots

ACCEPTED = "accepted.toml"

# A task has neither a version nor a class statement.
_NO_VERSION = ("Declare version {next} beside version {version}.", "Add another task beside it.")
_OF_TASKS = {"contract renamed": "Give the task its old name back: what is stored names it."}

# What names a contract and not what it says.
_NAMING = ("name", "version", "owner")


def compare(*, old: Snapshots, new: Snapshots) -> list[Change]:
    """Every difference, in order of contract; what breaks comes first in each.

    A contract is found by its wire name, not by its path.
    """
    before = {_identity(one): (path, one) for path, one in old.items()}
    after = {_identity(one): (path, one) for path, one in new.items()}
    added = {name: after[name] for name in after.keys() - before.keys()}
    changes = [_gone(*before[name], added=added) for name in before.keys() - after.keys()]
    changes += [
        _change(path, "contract added", f"{_called(one)} was added", one, one)
        for path, one in added.values()
    ]
    for name in before.keys() & after.keys():
        changes += _compare(after[name][0], before[name][1], after[name][1])
    return sorted(changes, key=lambda one: (one.contract, one.verdict is Verdict.SAFE, one.words))


def _compare(path: str, old: Snapshot, new: Snapshot) -> list[Change]:
    changes: list[Change] = []

    def report(rule: str, words: str, **more: str) -> None:
        changes.append(_change(path, rule, words, old, new, **more))

    types = TypeComparison(old=old.get("$defs", {}), new=new.get("$defs", {}), report=report)
    for rule in ("owner", "version"):
        if old.get(rule) != new.get(rule):
            report(rule, f"the {rule} was {old.get(rule)} and is {new.get(rule)}")
    match old["contract"]:
        case "interface":
            _operations(old, new, types, report)
        case "event":
            if old["key"] != new["key"]:
                report("key", f"the key was {old['key']} and is {new['key']}")
            types.fields(old["body"], new["body"], Where("the body", "field "))
        case "saga":
            if old["attempts"] != new["attempts"]:
                report("attempts", f"attempts was {old['attempts']} and is {new['attempts']}")
            types.fields(old["state"], new["state"], Where("the state", "field "))
            _steps(old["steps"], new["steps"], report)
        case "task":
            types.fields(old["arguments"], new["arguments"], Where("the task", "argument "))
    return changes


def _operations(
    old: Snapshot, new: Snapshot, types: TypeComparison, report: Callable[..., None]
) -> None:
    before, after = old["operations"], new["operations"]
    for name in before.keys() - after.keys():
        report("operation removed", f"{name} was removed")
    for name in after.keys() - before.keys():
        report("operation added", f"{name} was added")
    for name in before.keys() & after.keys():
        _operation(name, before[name], after[name], types, report)
    for code in old["errors"].keys() & new["errors"].keys():
        was, now = old["errors"][code], new["errors"][code]
        if was["status"] != now["status"]:
            report("status", f"the status of {code} was {was['status']} and is {now['status']}")
        types.fields(was["fields"], now["fields"], Where(f"error {code}"))


def _operation(
    name: str,
    old: dict[str, Any],
    new: dict[str, Any],
    types: TypeComparison,
    report: Callable[..., None],
) -> None:
    if old["kind"] != new["kind"]:
        report("kind", f"{name} was a {old['kind']} and is a {new['kind']}")
    if old["external"] != new["external"]:
        is_now = "is external now" if new["external"] else "is no longer external"
        report("external", f"{name} {is_now}")
    if old["timeout"] != new["timeout"]:
        report(
            "timeout", f"the timeout of {name} was {old['timeout']:g} s and is {new['timeout']:g} s"
        )
    types.fields(old["arguments"], new["arguments"], Where(name, f"{name}: argument "))
    types.compare(old["answer"], new["answer"], Where(f"{name}: the answer"))
    for code in set(old["errors"]) - set(new["errors"]):
        report("error removed", f"{name} no longer raises {code}", code=code)
    for code in set(new["errors"]) - set(old["errors"]):
        report("error added", f"{name} raises {code} now")


def _steps(
    old: list[dict[str, Any]], new: list[dict[str, Any]], report: Callable[..., None]
) -> None:
    before, after = [one["name"] for one in old], [one["name"] for one in new]
    if before != after:
        report("steps", f"the steps were {', '.join(before)} and are {', '.join(after)}")
    now = {one["name"]: one for one in new}
    for was in old:
        if was["name"] in now:
            _step(was, now[was["name"]], report)


def _step(old: dict[str, Any], new: dict[str, Any], report: Callable[..., None]) -> None:
    step = f"step {old['name']}"
    for part in ("kind", "pivot", "awaits", "match"):
        if old[part] != new[part]:
            report("step kind", f"{step}: {part} was {old[part]} and is {new[part]}")
    for part in ("commands", "queries"):
        if old[part] != new[part]:
            was, now = (", ".join(one[part]) or "none" for one in (old, new))
            report(f"step {part}", f"{step}: its {part} were {was} and are {now}")
    if old["undo"] != new["undo"]:
        if new["undo"]:
            report("undo added", f"{step} has an undo now")
        else:
            report("undo removed", f"{step} no longer has an undo")
    if old["within"] != new["within"]:
        report("within", f"{step}: within was {old['within']} s and is {new['within']} s")


def _gone(path: str, old: Snapshot, *, added: dict[Any, tuple[str, Snapshot]]) -> Change:
    """A contract that is not there any more: renamed, replaced by another version, or removed."""
    for _, new in sorted(added.values(), key=lambda pair: pair[0]):
        same = all(new.get(part) == old.get(part) for part in ("contract", "version"))
        if same and _content(new) == _content(old):
            keep = f'name="{old["name"]}"'
            words = f"{_called(old)} is called {new['name']} now"
            return _change(path, "contract renamed", words, old, new, keep=keep)
    return _change(path, "contract removed", f"{_called(old)} was removed", old, old)


def _change(path: str, rule: str, words: str, old: Snapshot, new: Snapshot, **more: str) -> Change:
    version = old.get("version", 1)
    way_out = (_OF_TASKS if old["contract"] == "task" else {}).get(rule, RULES[rule].way_out)
    way_out = way_out.replace(*_NO_VERSION) if old["contract"] == "task" else way_out
    values = {"accepted": ACCEPTED, "version": f"{version}", "next": f"{version + 1}", **more}
    return Change(path, rule, words, way_out.format(**values))


def _identity(one: Snapshot) -> tuple[str, str, int]:
    version = one["version"] if one["contract"] == "saga" else 0
    return one["contract"], one["name"], version


def _called(one: Snapshot) -> str:
    version = f" version {one['version']}" if one["contract"] == "saga" else ""
    return f"the {one['contract']} {one['name']}{version}"


def _content(one: Snapshot) -> Snapshot:
    return {part: value for part, value in one.items() if part not in _NAMING}
