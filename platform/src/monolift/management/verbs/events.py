"""List deliveries, show the way of an event, tell what is late, and decide about what failed.

A delivery is one event for one subscriber, or a task. One that failed at its last attempt holds its
lane until `resubmit` runs it again or `skip` gives it up.
"""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from monolift.management.errors import VerbError

if TYPE_CHECKING:
    from monolift.db.models import Delivery, Outbox

NEEDS_DJANGO = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    from monolift.management.choices import add_format, add_selection, positive

    below = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = below.add_parser("list", help="deliveries, those that wait longest in front")
    listing.add_argument(
        "--state",
        choices=("failed", "pending", "waiting", "done"),
        default="failed",
        help="in this state (default: %(default)s)",
    )
    add_selection(listing)
    add_format(listing)
    lag = below.add_parser("lag", help="what each module has before it; status 1 when it is late")
    add_format(lag)
    purge = below.add_parser("purge", help="take away what is done and old; workers do it hourly")
    purge.add_argument(
        "--older-than",
        metavar="DAYS",
        type=positive,
        help="relayed events and deliveries done for so long (default: MONOLIFT['KEEP'])",
    )
    show = below.add_parser("show", help="an event or a task, and each of its deliveries")
    show.add_argument("id", help="the event's id, as `list` shows it")
    add_format(show)
    for action, help_text in (
        ("resubmit", "run failed deliveries again, their attempts counted anew"),
        ("skip", "give failed deliveries up, so that their lanes go on"),
    ):
        decision = below.add_parser(action, help=help_text)
        decision.add_argument("id", help="the event's id, as `list` shows it")
        decision.add_argument("--subscriber", help="of this subscriber only (default: of all)")


def run(options: argparse.Namespace) -> int:
    """Do it."""
    if options.action == "list":
        print(_list(options))
    elif options.action == "lag":
        return _lag(options)
    elif options.action == "purge":
        print(_purge(options.older_than))
    elif options.action == "show":
        print(_show(options))
    else:
        print(_decide(options.action, options.id, options.subscriber))
    return 0


def _list(options: argparse.Namespace) -> str:
    from monolift.db.models import Delivery
    from monolift.events.worker import aliases
    from monolift.management.choices import module_labels
    from monolift.management.output import as_json, columns, short

    labels = module_labels(options.modules)
    found: list[Delivery] = []
    for alias in aliases():
        rows = Delivery.objects.using(alias).filter(module__in=labels, state=options.state)
        found += rows.order_by("created_at", "event")[: options.limit]
    found.sort(key=lambda row: (row.created_at, row.event))
    del found[options.limit :]
    if options.format == "json":
        return as_json([_summary(row) for row in found])
    if not found:
        return f"No deliveries are {options.state}."
    return columns(
        ("id", "subscriber", "event", "key", "attempts", "since", "failure"),
        [
            (
                row.event,
                row.subscriber,
                row.name,
                row.key,
                row.attempts,
                row.created_at,
                short(row.failure),
            )
            for row in found
        ],
    )


def _lag(options: argparse.Namespace) -> int:
    from datetime import timedelta

    from monolift.events.lateness import lags
    from monolift.events.worker import aliases
    from monolift.management.output import as_json, columns
    from monolift.registry.settings import setting

    limit = timedelta(seconds=setting("LATE"))
    found = [lag for alias in aliases() for lag in lags(alias)]
    late = [lag for lag in found if lag.late(by=limit)]
    if options.format == "json":
        print(as_json([{**lag._asdict(), "late": lag in late} for lag in found]))
    elif found:
        titles = ("module", "owner", "due", "since", "waiting", "failed", "unrelayed", "announced")
        print(columns((*titles, ""), [(*lag, "late" if lag in late else "") for lag in found]))
    else:
        print("Everything is done.")
    return 1 if late else 0


def _purge(days: int | None) -> str:
    from datetime import timedelta

    from monolift.events.retention import purge
    from monolift.events.worker import aliases
    from monolift.registry.settings import setting

    keep = setting("KEEP") if days is None else days
    keys = setting("KEEP_KEYS")
    gone = [
        purge(
            alias,
            older_than=timedelta(days=keep),
            keys_older_than=timedelta(days=keys),
        )
        for alias in aliases()
    ]
    return (
        f"Gone: {sum(one.events for one in gone)} events and "
        f"{sum(one.deliveries for one in gone)} deliveries older than {keep} days, "
        f"{sum(one.keys for one in gone)} keys older than {keys} days."
    )


def _show(options: argparse.Namespace) -> str:
    from monolift.management.output import as_json, pairs

    source = _source(options.id)
    deliveries = [_summary(row) for _, row in _deliveries(options.id)]
    if source is None and not deliveries:
        raise _unknown(options.id)
    announced = _announced(source) if source is not None else None
    if options.format == "json":
        return as_json({"id": options.id, "published": announced, "deliveries": deliveries})
    parts = [pairs({"id": options.id, **(announced or {})})]
    parts += ["\n" + pairs({**row, "id": None}) for row in deliveries]
    if not deliveries:
        relayed = source is not None and source.relayed_at is not None
        parts.append("\nNobody subscribes to it." if relayed else "\nIt is not relayed yet.")
    return "\n".join(parts)


def _decide(action: str, identifier: str, subscriber: str | None) -> str:
    from monolift.events.deliveries import resubmit, skip
    from monolift.events.wake import wake

    known = list(_deliveries(identifier))
    if not known:
        raise _unknown(identifier)
    if subscriber is not None:
        names = ", ".join(sorted(row.subscriber for _, row in known))
        known = [(alias, row) for alias, row in known if row.subscriber == subscriber]
        if not known:
            raise VerbError(f"{identifier} has no delivery for {subscriber!r}. It has: {names}.")
    decide = {"resubmit": resubmit, "skip": skip}[action]
    decided = []
    for alias, row in known:
        if decide(alias, module=row.module, event=row.event, subscriber=row.subscriber):
            decided.append(row.subscriber)
            wake(alias)
    if not decided:
        states = ", ".join(f"{row.subscriber} is {row.state}" for _, row in known)
        raise VerbError(f"No delivery of {identifier} has failed: {states}.")
    past = {"resubmit": "runs again", "skip": "is given up"}[action]
    return "\n".join(f"The delivery for {name} {past}." for name in decided)


def _source(identifier: str) -> "Outbox | None":
    from monolift.db.models import Outbox
    from monolift.events.worker import aliases

    for alias in aliases():
        row = Outbox.objects.using(alias).filter(event=identifier).first()
        if row is not None:
            return row
    return None


def _deliveries(identifier: str) -> "Iterator[tuple[str, Delivery]]":
    from monolift.db.models import Delivery
    from monolift.events.worker import aliases

    for alias in aliases():
        for row in Delivery.objects.using(alias).filter(event=identifier).order_by("subscriber"):
            yield alias, row


def _unknown(identifier: str) -> VerbError:
    return VerbError(
        f"There is no event or task {identifier!r}. `monolift events list` shows what there is."
    )


def _announced(row: "Outbox") -> dict[str, Any]:
    return {
        "event": row.name,
        "module": row.module,
        "key": None if row.key == row.event else row.key,
        "number": row.number,
        "body": _body(row.body),
        "cause": row.cause,
        "trace": row.trace,
        "published": row.published_at,
        "relayed": row.relayed_at,
    }


def _summary(row: "Delivery") -> dict[str, Any]:
    return {
        "id": row.event,
        "subscriber": row.subscriber,
        "event": row.name,
        "module": row.module,
        "key": row.key,
        "state": row.state,
        "attempts": row.attempts,
        "failure": row.failure,
        "due": row.due_at if row.state == "pending" else None,
        "created": row.created_at,
        "done": row.done_at,
    }


def _body(text: str) -> dict[str, Any]:
    import json

    from monolift.management.output import without_secrets

    return without_secrets(json.loads(text))
