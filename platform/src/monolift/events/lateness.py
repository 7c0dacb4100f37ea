"""What should have been done by now: the alarm for workers and relays that stand still."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from monolift.kernel import clock
from monolift.observe.logs import logger
from monolift.registry.modules import modules
from monolift.registry.settings import setting
from monolift.registry.sql import fetch, moment
from monolift.registry.topology import modules_on

log = logger("monolift.events")

# Each is the condition of an index.
_HERE, _AWAY = "target = ''", "target > ''"


class Lag(NamedTuple):
    """What one module has before it in one database."""

    module: str
    owner: str
    due: int
    """Deliveries that a worker could take now."""
    since: datetime | None
    """How long the one that waits longest could have been taken."""
    waiting: int
    """Deliveries behind another one of their lane."""
    failed: int
    unrelayed: int
    """Events that no relay took yet."""
    announced: datetime | None
    """When the oldest of those was announced."""

    def late(self, *, by: timedelta) -> bool:
        """Whether something should have been done so long ago."""
        limit = clock.now() - by
        return any(at is not None and at < limit for at in (self.since, self.announced))


def lags(alias: str) -> list[Lag]:
    """The modules that have anything before them, by name. Reads indexes, not what is done.

    Not those that are installed and run elsewhere: that is told there, or was left behind.
    """
    due = _by_module(
        alias,
        "SELECT module, COUNT(*), MIN(due_at) FROM monolift_delivery "
        "WHERE state = 'pending' AND {target} AND due_at <= %s GROUP BY module",
        (moment(alias, clock.now()),),
    )
    waiting = dict(
        fetch(
            alias,
            "SELECT module, COUNT(*) FROM monolift_delivery WHERE state = 'waiting' "
            "GROUP BY module",
        )
    )
    failed = dict(
        fetch(
            alias,
            "SELECT module, COUNT(*) FROM monolift_delivery WHERE state = 'failed' GROUP BY module",
        )
    )
    unrelayed = {
        module: (count, datetime.fromtimestamp(number / 1e6, UTC))
        for module, count, number in fetch(
            alias,
            "SELECT module, COUNT(*), MIN(number) FROM monolift_outbox WHERE relayed_at IS NULL "
            "GROUP BY module",
        )
    }
    known = modules()
    found = []
    others = known.keys() - set(modules_on(alias))
    for module in sorted({*due, *waiting, *failed, *unrelayed} - others):
        count, since = due.get(module, (0, None))
        events, announced = unrelayed.get(module, (0, None))
        found.append(
            Lag(
                module=module,
                owner=known[module].owner if module in known else "",
                due=count,
                since=since,
                waiting=waiting.get(module, 0),
                failed=failed.get(module, 0),
                unrelayed=events,
                announced=announced,
            )
        )
    return found


def _by_module(
    alias: str, sql: str, parameters: Sequence[object]
) -> dict[str, tuple[int, datetime]]:
    found: dict[str, tuple[int, datetime]] = {}
    for target in (_HERE, _AWAY):
        for module, count, since in fetch(alias, sql.format(target=target), parameters):
            at = since if isinstance(since, datetime) else datetime.fromisoformat(since)
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
            before = found.get(module, (0, at))
            found[module] = (before[0] + count, min(before[1], at))
    return found


def tell(alias: str) -> list[Lag]:
    """Log each module that is late by `MONOLIFT["LATE"]` seconds, as an error; those modules."""
    limit = timedelta(seconds=setting("LATE"))
    if not _anything_late(alias, clock.now() - limit):
        return []
    late = [lag for lag in lags(alias) if lag.late(by=limit)]
    for lag in late:
        log.error(
            "deliveries are late",
            late_module=lag.module,
            late_owner=lag.owner,
            due=lag.due,
            since=lag.since and lag.since.isoformat(),
            unrelayed=lag.unrelayed,
            announced=lag.announced and lag.announced.isoformat(),
            waiting=lag.waiting,
            failed=lag.failed,
        )
    return late


def _anything_late(alias: str, limit: datetime) -> bool:
    """By the first entries of the indexes: nothing is counted while all is well."""
    due = "SELECT 1 FROM monolift_delivery WHERE state = 'pending' AND {target} AND due_at < %s"
    rows = fetch(
        alias,
        "SELECT 1 FROM monolift_outbox WHERE relayed_at IS NULL AND number < %s "
        f"UNION ALL {due.format(target=_HERE)} UNION ALL {due.format(target=_AWAY)} LIMIT 1",
        (int(limit.timestamp() * 1e6), *[moment(alias, limit)] * 2),
    )
    return bool(rows)
