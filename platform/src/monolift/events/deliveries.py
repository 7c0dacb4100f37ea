"""The states of a delivery, and the statements that lead from one to the other.

    waiting -> pending -> done, or pending again after a pause, or failed -> pending or done

A claim takes a batch of what is pending and due: a lease with a fencing token on each row.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from monolift.events.lanes import Lane, go_on, promote
from monolift.kernel import Unavailable, uuid7
from monolift.observe.logs import logger
from monolift.registry.settings import setting
from monolift.registry.sql import (
    after,
    execute,
    fetch,
    fetch_by_index,
    now,
    place,
    placed,
    vendor,
)
from monolift.registry.troubles import out_of_order
from monolift.resilience.backoff import delay, until_it_works

log = logger("monolift.events")

SHARE = 100
"""Deliveries of one module in a batch."""
_CRASHED = "!"
_BEHIND = 37
"""Where in a token the mark is, behind the id."""
_FOUND_A_LEASE = f"(substr(token, {_BEHIND}) = '{_CRASHED}' OR token = '{_CRASHED}')"
"""Of what is claimed, or was and is given back."""
# The conditions of the two indexes on what is due, by whether it goes elsewhere.
_TARGET = {False: "target = ''", True: "target > ''"}

_ADDRESS = "@module:"


def address(module: str) -> str:
    """The target of what is handed over to a module, wherever that is by then."""
    return _ADDRESS + module


class Announced(NamedTuple):
    """An event as it travels between databases."""

    module: str
    event: str
    name: str
    key: str
    """Its own id when it has none."""
    number: int
    body: str
    trace: str
    to: tuple[str, ...] = ()
    """The subscribing modules that it is for; empty for all."""


class Claimed(NamedTuple):
    """A delivery that this worker holds until its lease ends."""

    module: str
    event: str
    subscriber: str
    publisher: str
    key: str | None
    target: str
    number: int
    name: str
    body: str
    trace: str
    attempts: int
    token: str

    @property
    def lane(self) -> Lane | None:
        """What it holds up until it is done; None without a key."""
        if self.key is None:
            return None
        return Lane(self.module, self.publisher, self.key, self.target)

    @property
    def addressee(self) -> str | None:
        """The module that it is handed over to; None for what an older release addressed."""
        if self.target.startswith(_ADDRESS):
            return self.target.removeprefix(_ADDRESS)
        return None

    def announced(self, *, to: Iterable[str]) -> Announced:
        """The event that it delivers, for some modules."""
        key = self.key or self.event
        return Announced(
            self.publisher,
            self.event,
            self.name,
            key,
            self.number,
            self.body,
            self.trace,
            tuple(to),
        )

    @property
    def crashed(self) -> bool:
        """Its last worker neither ended it nor gave it back: it may be what ended that worker."""
        return self.token.endswith(_CRASHED)


_DUE = (
    "SELECT {columns} FROM monolift_delivery WHERE state = 'pending' AND {target} "
    "AND module = m.module AND due_at <= {now} AND (lease_until IS NULL OR lease_until <= {now}) "
    "ORDER BY due_at LIMIT {limit}"
)
# A share for each module: what is due for one never keeps a claim from what is due for another.
_SHARES = {
    "postgresql": "SELECT due.ctid FROM ({labels}) m "
    "CROSS JOIN LATERAL ({due} FOR UPDATE SKIP LOCKED) due",
    "sqlite": "SELECT d.rowid FROM ({labels}) m JOIN monolift_delivery d ON d.rowid IN ({due})",
}
HELD = ", ".join(Claimed._fields)
"""The columns of what is claimed."""
_GIVEN = {
    "postgresql": "json_array_elements(%s::json) AS given(value)",
    "sqlite": "json_each(%s)",
}
_LABELS = {
    "postgresql": f"SELECT value #>> '{{}}' AS module FROM {_GIVEN['postgresql']}",
    "sqlite": f"SELECT value AS module FROM {_GIVEN['sqlite']}",
}
_CHOSEN = (
    "SELECT (SELECT d.{place} FROM monolift_delivery d WHERE d.module = c.module "
    "AND d.event = c.event AND d.subscriber = c.subscriber AND d.token {held} c.token) FROM "
    "(SELECT value ->> 0 AS module, value ->> 1 AS event, value ->> 2 AS subscriber, "
    "value ->> 3 AS token FROM {given}) c"
)
PENDING = "state || '' = 'pending'"
"""A condition on a row that is looked up by its key: by an expression, or the planner may take an
index of all that is pending instead, where it knows nothing of the table yet.
"""


def waiting_modules(alias: str, modules: Sequence[str]) -> list[str]:
    """Those of the modules that have a delivery which could be claimed now."""
    due = _DUE.format(columns="1", target=_TARGET[False], now=now(alias), limit=1)
    names = ", ".join(["(%s)"] * len(modules))
    rows = fetch(
        alias,
        f"WITH m(module) AS (VALUES {names}) SELECT m.module FROM m WHERE ({due}) IS NOT NULL",
        modules,
    )
    return [module for (module,) in rows]


def claim(
    alias: str, *, modules: Sequence[str], away: bool = False, share: int = SHARE
) -> list[Claimed]:
    """Take what is due for these modules: for handlers and tasks, or (`away`) to be handed over.

    Of each module at most a `share`, longest due first. Attempts are counted before they run: a
    crash counts.
    """
    if vendor(alias) == "sqlite" and not _any_due(alias, modules, away=away):
        return []  # a statement that finds nothing to write would still wait for the write lock
    kind = vendor(alias)
    due = _DUE.format(columns=place(alias), target=_TARGET[away], now=now(alias), limit=share)
    shares = _SHARES[kind].format(labels=_LABELS[kind], due=due)
    rows = fetch_by_index(
        alias,
        "UPDATE monolift_delivery SET attempts = attempts + 1, "
        f"lease_until = {after(alias, setting('LEASE'))}, token = %s || "
        f"CASE WHEN lease_until IS NULL THEN '' ELSE '{_CRASHED}' END "
        f"WHERE {placed(alias, shares)} RETURNING {HELD}",
        (new_token(), msgspec.json.encode(list(modules)).decode()),
    )
    return sorted((Claimed(*row) for row in rows), key=lambda claimed: claimed.number)


def _any_due(alias: str, modules: Sequence[str], *, away: bool) -> bool:
    due = _DUE.format(columns="1", target=_TARGET[away], now=now(alias), limit=1)
    return bool(
        fetch(
            alias,
            f"SELECT 1 FROM (SELECT value AS module FROM {_GIVEN['sqlite']}) m "
            f"WHERE ({due}) IS NOT NULL LIMIT 1",
            (msgspec.json.encode(list(modules)).decode(),),
        )
    )


# Each by the index of its state; no index is of both.
_AWAY = (
    "(SELECT 1 FROM monolift_delivery WHERE state = '{state}' "
    f"AND {_TARGET[True]} AND module = m.module LIMIT 1) IS NOT NULL"
)


def any_away(alias: str, *, modules: Sequence[str]) -> bool:
    """Whether anything of these modules is still to be handed over, due or not, or has failed."""
    return bool(
        fetch(
            alias,
            f"SELECT 1 FROM ({_LABELS[vendor(alias)]}) m WHERE {_AWAY.format(state='pending')} "
            f"OR {_AWAY.format(state='failed')} LIMIT 1",
            (msgspec.json.encode(list(modules)).decode(),),
        )
    )


def new_token() -> str:
    """What tells a claim from those before and after it."""
    return str(uuid7())


def done(alias: str, batch: Sequence[Claimed], *, ended: Sequence[Claimed] = ()) -> None:
    """Mark a batch as done in one statement; its lanes go on, and those of what `ended` itself.

    A lane that cannot go on now is found by a sweep.
    """
    if batch:
        missing = len(batch) - _end(alias, batch)
        if missing:  # one whose attempts somebody takes off at the same moment is found now
            missing -= _end(alias, batch)
        if missing:
            log.warning("deliveries were taken over", count=missing)
    go_on(alias, (claimed.lane for claimed in (*batch, *ended) if claimed.lane))


def _end(alias: str, batch: Sequence[Claimed]) -> int:
    statement = (
        f"UPDATE monolift_delivery SET state = 'done', done_at = {now(alias)}, failure = '' "
        f"WHERE {_held(alias, batch)} RETURNING 1"
    )
    return len(fetch_by_index(alias, statement, _parameters(batch)))


def give_back(alias: str, batch: Sequence[Claimed]) -> None:
    """Let others run what was not begun; the attempt that was counted ahead did not happen.

    What its last worker crashed with keeps a lease, one that is over, and so stays suspect. What
    is recorded as failed holds no lease and stays as it is. The token is gone after it, so that it
    may be tried again when nobody knows whether it has happened.
    """
    if batch:
        fetch_by_index(
            alias,
            "UPDATE monolift_delivery SET attempts = attempts - 1, "
            f"token = substr(token, {_BEHIND}), lease_until = "
            f"CASE WHEN substr(token, {_BEHIND}) = '{_CRASHED}' THEN {now(alias)} END "
            f"WHERE {_held(alias, batch)} AND lease_until IS NOT NULL RETURNING 1",
            _parameters(batch),
        )


def take_off(alias: str, batch: Sequence[Claimed]) -> None:
    """Take off the attempt of what others have claimed since, because a lease ended in peace.

    Only a claim that found a lease over has counted one: any other one is left as it is.
    """
    if batch:
        fetch_by_index(
            alias,
            "UPDATE monolift_delivery SET attempts = attempts - 1 "
            f"WHERE {_held(alias, batch, by_others=True)} AND {_FOUND_A_LEASE} AND attempts > 0 "
            "RETURNING 1",
            _parameters(batch),
        )


def _held(alias: str, batch: Sequence[Claimed], *, by_others: bool = False) -> str:
    """A condition: one of the batch, under way, and held as it says; or `by_others` meanwhile."""
    given = _GIVEN[vendor(alias)]
    chosen = _CHOSEN.format(place=place(alias), held="<>" if by_others else "=", given=given)
    tokens = ", ".join(["%s"] * len(_tokens(batch)))
    among = "NOT IN" if by_others else "IN"
    return f"{placed(alias, chosen)} AND {PENDING} AND token {among} ({tokens})"


def _parameters(batch: Sequence[Claimed]) -> list[str]:
    names = [(*claimed[:3], claimed.token) for claimed in batch]
    return [msgspec.json.encode(names).decode(), *_tokens(batch)]


def _tokens(batch: Iterable[Claimed]) -> list[str]:
    return sorted({claimed.token for claimed in batch})


def failed(
    alias: str,
    claimed: Claimed,
    error: Exception,
    *,
    final: bool | None = None,
    calm: str = "",
) -> None:
    """Record an attempt that failed: it is repeated after a pause, or rests with its reason.

    One that failed because the database does not work was none: nothing is wrong with the event.
    `calm` is what to say when nothing is wrong at all.
    """
    waits = final is None and out_of_order(error)
    if final is None:
        final = claimed.attempts >= setting("ATTEMPTS") and not waits
    state = "failed" if final else "pending"
    pause = until_it_works() if waits else delay(attempt=claimed.attempts)
    due = now(alias) if final else after(alias, pause)
    changed = execute(
        alias,
        f"UPDATE monolift_delivery SET state = %s, failure = %s, lease_until = NULL, "
        f"attempts = attempts - %s, due_at = {due} "
        "WHERE module = %s AND event = %s AND subscriber = %s AND token = %s "
        f"AND {PENDING}",
        (state, _reason(error), int(waits), *claimed[:3], claimed.token),
    )
    if not changed:  # its commit was not heard of, or somebody's hook failed after it
        go_on(alias, [claimed.lane] if claimed.lane else [])
        log.error(
            "delivery failed after it had ended or was taken over",
            event_id=claimed.event,
            exc_info=error,
        )
        return
    if calm:
        log.info(calm, event_id=claimed.event, reason=str(error))
        return
    report = log.error if final else log.warning
    # Where somebody does not answer, a traceback tells no more than the reason.
    away = isinstance(error, Unavailable)
    report(
        "delivery failed" if final else "delivery will be repeated",
        event_id=claimed.event,
        attempt=claimed.attempts,
        **({"reason": str(error)} if away else {"exc_info": error}),
    )


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:2000]


def resubmit(alias: str, *, module: str, event: str, subscriber: str) -> bool:
    """Run a failed delivery again, its attempts counted anew; False when there is none."""
    return bool(
        execute(
            alias,
            f"UPDATE monolift_delivery SET state = 'pending', attempts = 0, due_at = {now(alias)} "
            "WHERE module = %s AND event = %s AND subscriber = %s AND state = 'failed'",
            (module, event, subscriber),
        )
    )


def skip(alias: str, *, module: str, event: str, subscriber: str) -> bool:
    """Give a failed delivery up, so that its lane goes on; False when there is none."""
    rows = fetch(
        alias,
        f"UPDATE monolift_delivery SET state = 'done', done_at = {now(alias)}, "
        "failure = 'skipped: ' || failure "
        "WHERE module = %s AND event = %s AND subscriber = %s AND state = 'failed' "
        "RETURNING module, publisher, key, target",
        (module, event, subscriber),
    )
    promote(alias, (Lane(*row) for row in rows if row[2] is not None))
    return bool(rows)
