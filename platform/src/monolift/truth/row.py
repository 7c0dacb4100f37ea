"""The truth row itself: the highest epoch in the control deployable's default database.

A new epoch is a new row, so that what was is there to look at, and two who change it at once cannot
both succeed.
"""

from pathlib import Path
from typing import Any

from django.db import DatabaseError, IntegrityError, connections

from monolift.kernel import clock
from monolift.kernel.errors import MonoliftError
from monolift.registry.places import DEFAULT_ALIAS, Rehearsal
from monolift.truth.document import Document, Stay, decode, encode

_LATEST = "SELECT document FROM monolift_truth ORDER BY epoch DESC LIMIT 1"
_EPOCH = "SELECT MAX(epoch) FROM monolift_truth"
_ADD = "INSERT INTO monolift_truth (epoch, document, created_at) VALUES (%s, %s, %s)"

NOTHING = Document(epoch=0, places={})
"""Before anything was moved: the file says it all."""


class Overtaken(MonoliftError):
    """Somebody else changed the topology at the same time. Look at it, then decide anew."""


def latest(connection: Any) -> Document:
    """What is in force. Raises DatabaseError, also when the table is not there yet."""
    with connection.cursor() as cursor:
        cursor.execute(_LATEST)
        found = cursor.fetchone()
    return decode(found[0]) if found else NOTHING


def epoch(connection: Any) -> int:
    """That of what is in force."""
    with connection.cursor() as cursor:
        cursor.execute(_EPOCH)
        return cursor.fetchone()[0] or 0


def apart() -> Document | None:
    """What is in force, read on a connection of its own; None when it cannot be read.

    Of its own, because who asks may be inside a transaction.
    """
    connection: Any = connections.create_connection(DEFAULT_ALIAS)
    name = connection.settings_dict.get("NAME")
    if connection.vendor == "sqlite" and not _exists(str(name)):
        return None  # to open it would make it
    try:
        return latest(connection)
    except DatabaseError:
        return None
    finally:
        connection.close()


def change(
    places: dict[str, Stay], *, rehearsal: Rehearsal | None = None, above: int = 0
) -> Document:
    """Put modules somewhere else, begin a rehearsal or end the one there is: the next epoch.

    Its number is above the row's, and `above` one that somebody knows although the row was lost.
    It is part of the transaction that is open, if one is.

    Only in the control deployable. What other processes know follows (`monolift.truth.spread`).
    Raises Overtaken.
    """
    connection: Any = connections[DEFAULT_ALIAS]
    before = latest(connection)
    after = Document(
        epoch=max(before.epoch, above) + 1,
        places={**before.places, **places},
        rehearsal=rehearsal,
    )
    try:
        with connection.cursor() as cursor:
            moment = connection.ops.adapt_datetimefield_value(clock.now())
            cursor.execute(_ADD, [after.epoch, encode(after), moment])
    except IntegrityError:
        raise Overtaken(
            f"Epoch {after.epoch} of the topology has just been given by somebody else. Look at "
            "`monolift topology show`, then try again."
        ) from None
    return after


def again(*, above: int) -> Document:
    """What is in force already, under an epoch that all take who know no later one than `above`.

    For a row that was restored from a backup. Raises Overtaken.
    """
    return change({}, rehearsal=latest(connections[DEFAULT_ALIAS]).rehearsal, above=above)


def lost(known: int) -> str:
    """Why a deployable that knows this epoch ignores what the row says; empty if it does not."""
    document = apart()
    if document is None or document.epoch >= known:
        return ""
    return (
        f"it knows epoch {known} of the topology, and the truth row says {document.epoch}: was the "
        "control deployable's database restored from a backup? See that the row is right "
        "(`monolift topology show`, `monolift lift MODULE status`), then put it in force with "
        f"`monolift topology raise --above {known}`."
    )


def _exists(name: str) -> bool:
    return name.startswith("file:") or Path(name).exists()
