"""List sagas, show what happened to one, and decide about those that are stuck.

A stuck saga waits for an operator: `retry` tries again where it stopped, `skip` takes that step (or
undo) as done by other means, `abandon` leaves everything as it is, for good.
"""

import argparse
from typing import TYPE_CHECKING, Any

from monolift.management.errors import VerbError

if TYPE_CHECKING:
    from monolift.db.models import SagaRow

NEEDS_DJANGO = True

_DECISIONS = {
    "retry": "try again where it got stuck",
    "skip": "go on after the step that got stuck",
    "abandon": "leave it as it is, for good",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    from monolift.management.choices import add_format, add_selection, positive

    below = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = below.add_parser("list", help="sagas, those changed last in front")
    listing.add_argument(
        "--status",
        choices=("running", "undoing", "waiting", "stuck", "done", "undone", "abandoned"),
        help="of this status (default: any)",
    )
    add_selection(listing)
    add_format(listing)
    show = below.add_parser("show", help="the state of a saga, and its history step by step")
    show.add_argument("id", help="the saga's id, as `list` shows it")
    add_format(show)
    purge = below.add_parser("purge", help="take away what ended long ago; workers do it hourly")
    purge.add_argument(
        "--older-than",
        metavar="DAYS",
        type=positive,
        help="ended for so long (default: MONOLIFT['KEEP_SAGAS'])",
    )
    for action, help_text in _DECISIONS.items():
        decision = below.add_parser(action, help=help_text)
        decision.add_argument("ids", metavar="ID", nargs="*", help="as `list` shows it")
        if action == "retry":
            decision.add_argument(
                "--stuck", metavar="SAGA", help="every stuck one of this name (orders.checkout)"
            )


def run(options: argparse.Namespace) -> int:
    """Do it."""
    if options.action == "list":
        print(_list(options))
    elif options.action == "show":
        print(_show(options))
    elif options.action == "purge":
        print(_purge(options.older_than))
    else:
        return _decide_all(options)
    return 0


def _list(options: argparse.Namespace) -> str:
    from monolift.db.models import SagaRow
    from monolift.events.worker import aliases
    from monolift.management.choices import module_labels
    from monolift.management.output import as_json, columns, short

    labels = module_labels(options.modules)
    found: list[SagaRow] = []
    for alias in aliases():
        rows = SagaRow.objects.using(alias).filter(module__in=labels)
        if options.status:
            rows = rows.filter(status=options.status)
        found += rows.order_by("-updated_at")[: options.limit]
    found.sort(key=lambda row: row.updated_at, reverse=True)
    del found[options.limit :]
    if options.format == "json":
        return as_json([_summary(row) for row in found])
    if not found:
        return "No sagas." if not options.status else f"No sagas are {options.status}."
    return columns(
        ("id", "saga", "key", "status", "changed", "failure"),
        [
            (row.id, row.name, row.key, row.status, row.updated_at, short(row.failure))
            for row in found
        ],
    )


def _show(options: argparse.Namespace) -> str:
    import msgspec

    from monolift.management.output import as_json, pairs, without_secrets
    from monolift.sagas.record import Progress

    _, row = _find(options.id)
    state = without_secrets(msgspec.json.decode(row.state))
    progress = msgspec.json.decode(row.progress, type=Progress)
    if options.format == "json":
        history = [
            {"at": line.at, "step": line.step, "what": line.what, "note": line.note}
            for line in progress.history
        ]
        return as_json(
            {**_summary(row), "state": state, "steps": progress.marks, "history": history}
        )
    return "\n".join(
        (
            pairs(_summary(row)),
            "\nstate",
            _indented(pairs(state)),
            "\nhistory",
            _indented(_timeline(progress.history)),
        )
    )


def _timeline(history: list[Any]) -> str:
    """A line for each thing that happened: when, how long after the one before, what."""
    from datetime import datetime

    if not history:
        return "nothing happened yet"
    moments = [datetime.fromisoformat(line.at) for line in history]
    width = max(len(line.step) for line in history)
    lines = []
    for index, line in enumerate(history):
        since = (moments[index] - moments[max(index - 1, 0)]).total_seconds()
        text = (
            f"{moments[index]:%Y-%m-%d %H:%M:%S.%f}"[:-3]
            + f"  +{since:9.3f} s  {line.step.ljust(width)}  {line.what}"
        )
        lines.append(f"{text}: {line.note}" if line.note else text)
    return "\n".join(lines)


def _purge(days: int | None) -> str:
    from datetime import timedelta

    from monolift.events.worker import aliases
    from monolift.registry.settings import setting
    from monolift.sagas.retention import purge

    keep = setting("KEEP_SAGAS") if days is None else days
    gone = [purge(alias, older_than=timedelta(days=keep)) for alias in aliases()]
    return (
        f"Gone: {sum(one.sagas for one in gone)} sagas that ended and "
        f"{sum(one.arrivals for one in gone)} events that none took, older than {keep} days."
    )


def _decide_all(options: argparse.Namespace) -> int:
    ids = list(options.ids)
    if name := getattr(options, "stuck", None):
        ids += _stuck(name)
        if not ids:
            print(f"No {name} is stuck.")
    elif not ids:
        raise VerbError(
            f"Which saga? `monolift sagas {options.action} ID`, as `monolift sagas list --status "
            "stuck` shows it."
        )
    refused = []
    for identifier in ids:
        try:
            print(_decide(options.action, identifier))
        except VerbError as error:
            refused.append(str(error))
    if refused:
        raise VerbError("\n".join(refused))
    return 0


def _stuck(name: str) -> list[str]:
    from monolift.db.models import SagaRow
    from monolift.events.worker import aliases
    from monolift.kernel.saga import declared_sagas

    names = sorted({saga.saga_name for saga in declared_sagas()})
    if name not in names:
        raise VerbError(f"There is no saga called {name!r}. Installed: {', '.join(names)}.")
    return [
        identifier
        for alias in aliases()
        for identifier in SagaRow.objects.using(alias)
        .filter(name=name, status="stuck")
        .order_by("created_at")
        .values_list("id", flat=True)
    ]


def _decide(action: str, identifier: str) -> str:
    from monolift.sagas import operate

    alias, row = _find(identifier)
    decisions = {
        "retry": operate.retry,
        "skip": operate.skip,
        "abandon": operate.abandon,
    }
    try:
        record = decisions[action](alias, row.id)
    except operate.NotStuck as error:
        raise VerbError(f"{error} Only a stuck saga can be decided about.") from None
    except LookupError as error:
        raise VerbError(str(error)) from None
    return f"{row.name} {row.id} is {record.status}."


def _find(identifier: str) -> "tuple[str, SagaRow]":
    from monolift.db.models import SagaRow
    from monolift.events.worker import aliases

    for alias in aliases():
        row = SagaRow.objects.using(alias).filter(id=identifier).first()
        if row is not None:
            return alias, row
    raise VerbError(f"There is no saga {identifier!r}. `monolift sagas list` shows what there is.")


def _summary(row: "SagaRow") -> dict[str, Any]:
    return {
        "id": row.id,
        "saga": row.name,
        "version": row.version,
        "module": row.module,
        "key": row.key,
        "status": row.status,
        "waits_for": row.waits_for,
        "attempts": row.attempts,
        "failure": row.failure,
        "due": row.due_at if row.status in ("running", "undoing") else None,
        "held_until": row.lease_until,
        "started": row.created_at,
        "changed": row.updated_at,
        "trace": row.trace,
    }


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
