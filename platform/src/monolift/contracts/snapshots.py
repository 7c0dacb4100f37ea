"""Snapshots: each contract as plain data, and as a file that says the same every time.

One file for each interface, event, saga and task. Sagas and tasks never cross a boundary, yet they
outlive a deploy as others do: a saga that waits and a timer that is set were written by the old
code and are read by the new. So what is stored of them is pinned in the same way.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from monolift.contracts.schema import Components, ContractError
from monolift.events.tasks import Task
from monolift.kernel import Event, Operation, Saga, Step, operations_of

type Snapshot = dict[str, Any]
type Snapshots = dict[str, Snapshot]
"""Snapshots by their path below the folder of contracts."""

_FOLDERS = {"interface": "", "event": "events", "saga": "sagas", "task": "tasks"}


def of_interface(interface: type[Any]) -> Snapshot:
    """An interface: its operations, and the errors that they declare."""
    types = Components()
    operations = operations_of(interface)
    errors = {code: e for one in operations.values() for code, e in one.errors.items()}
    return _whole(
        types,
        contract="interface",
        name=interface.interface_name,
        version=interface.interface_version,
        owner=interface.interface_owner,
        operations={name: _operation(one, types) for name, one in operations.items()},
        errors={
            code: {"status": error.status, "fields": types.fields(error.payload_type())}
            for code, error in errors.items()
        },
    )


def of_event(event: type[Event]) -> Snapshot:
    """An event: its key and its body."""
    types = Components()
    return _whole(
        types,
        contract="event",
        name=event.event_name,
        version=event.event_version,
        owner=event.event_owner,
        key=event.event_key,
        body=types.fields(event),
    )


def of_saga(saga: type[Saga]) -> Snapshot:
    """A saga: the fields that are stored, and the steps in their order."""
    types = Components()
    return _whole(
        types,
        contract="saga",
        name=saga.saga_name,
        version=saga.saga_version,
        owner=saga.saga_owner,
        attempts=saga.saga_attempts,
        state=types.fields(saga),
        steps=[_step(step) for step in saga.saga_steps],
    )


def of_task(task: Task[Any]) -> Snapshot:
    """A task: the arguments that are stored until it runs."""
    types = Components()
    return _whole(
        types,
        contract="task",
        name=task.name,
        owner=task.module,
        arguments=types.fields(task.arguments),
    )


def path_of(snapshot: Snapshot) -> str:
    """Where a snapshot is, below the folder: `orders/events/order_placed.v1.json`."""
    owner, name = snapshot["owner"], snapshot["name"]
    short = re.sub(r"[^\w.-]", "_", name.removeprefix(f"{owner}."))
    if snapshot["contract"] == "saga":
        short += f".v{snapshot['version']}"
    return str(PurePosixPath(owner, _FOLDERS[snapshot["contract"]], f"{short}.json"))


def by_path(snapshots: Iterable[Snapshot]) -> Snapshots:
    """Snapshots by their paths; ContractError when two contracts have one name."""
    found: Snapshots = {}
    for snapshot in snapshots:
        path = path_of(snapshot)
        if path in found:
            raise ContractError(
                f"Two contracts are called {snapshot['name']!r}. Give one of them another name or "
                "version: on the wire they would be the same."
            )
        found[path] = snapshot
    return dict(sorted(found.items()))


def text_of(snapshot: Snapshot) -> str:
    """The text of a snapshot's file. Equal snapshots have equal texts."""
    return json.dumps(snapshot, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def parse(texts: Mapping[str, str], *, where: str) -> Snapshots:
    """The snapshots among files given by their paths; other files are left out.

    Raises ContractError for a JSON file that cannot be read.
    """
    found: Snapshots = {}
    for path, text in texts.items():
        if not path.endswith(".json"):
            continue
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            raise ContractError(
                f"{where}/{path}, line {error.lineno}, is not JSON: {error.msg}. Bring it back "
                "from version control, or delete it and write the snapshots anew."
            ) from None
        if isinstance(content, dict) and content.get("contract") in _FOLDERS:
            found[path] = content
    return dict(sorted(found.items()))


def read(folder: Path) -> Snapshots:
    """The snapshots in a folder; none when there is no folder."""
    files = {
        file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8")
        for file in folder.glob("**/*.json")
    }
    return parse(files, where=folder.name)


def write(snapshots: Snapshots, *, folder: Path) -> list[str]:
    """Bring a folder up to date; the paths that were written or deleted.

    Only files that are snapshots are deleted.
    """
    changed = []
    present = read(folder)
    for path, snapshot in snapshots.items():
        file, text = folder / path, text_of(snapshot)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            changed.append(path)
    for path in present.keys() - snapshots.keys():
        (folder / path).unlink()
        changed.append(path)
    return sorted(changed)


def _whole(types: Components, /, **content: Any) -> Snapshot:
    if types.schemas:
        content["$defs"] = types.schemas
    # Through JSON once, so that what is compared in memory is what a file would hold.
    plain: Snapshot = json.loads(json.dumps(content))
    return plain


def _operation(operation: Operation, types: Components) -> dict[str, Any]:
    return {
        "kind": operation.kind,
        "timeout": operation.timeout,
        "external": operation.external,
        "arguments": types.fields(operation.arguments),
        "answer": types.schema(operation.returns),
        "errors": sorted(operation.errors),
    }


def _step(step: Step[Any]) -> dict[str, Any]:
    kind = "waits" if step.awaits else "calls" if step.declared_calls else "own"
    # An interface in `calls=` stands for itself: what it gains later is no change of the saga.
    calls = {"command": set[str](), "query": set[str]()}
    for target in step.declared_calls:
        declared = getattr(target, "interface_name", "")
        for operation in step.calls:
            if declared and operation.interface is target:
                calls[operation.kind].add(declared)
            elif not declared and operation.function is target:
                calls[operation.kind].add(operation.name)
    return {
        "name": step.name,
        "kind": kind,
        "commands": sorted(calls["command"]),
        "queries": sorted(calls["query"]),
        "pivot": step.pivot,
        "undo": step.undo_action is not None,
        "awaits": "|".join(sorted(event.event_name for event in step.awaits)) or None,
        "match": step.match,
        "within": step.within.total_seconds() if step.within else None,
    }
