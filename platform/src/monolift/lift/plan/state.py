"""Where a lift stands, in the control deployable's database: one row, and one who works on it."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, IntegrityError, connections

from monolift.kernel import clock, uuid7
from monolift.lift.moving import Blocked
from monolift.registry.places import DEFAULT_ALIAS
from monolift.registry.sql import after, execute, fetch, moment, now

LEASE = 1.0
"""Seconds after which a lift belongs to nobody, when who worked on it was killed."""
_COLUMNS = "id, module, stage, doing, evidence, ended_at IS NOT NULL"


@dataclass(kw_only=True, slots=True)
class Standing:
    """A lift as it is recorded."""

    id: str
    module: str
    stage: str
    """The last stage that is done; empty before the first."""
    doing: str
    """A stage that was begun: `seal` on the way out, `-seal` on the way back; else empty."""
    evidence: dict[str, Any]
    ended: bool

    @property
    def way_back(self) -> bool:
        """Whether the stage that was begun is being taken back."""
        return self.doing.startswith("-")


def current(module: str) -> Standing | None:
    """The open lift of a module; None without one."""
    rows = fetch(
        DEFAULT_ALIAS,
        f"SELECT {_COLUMNS} FROM monolift_lift WHERE module = %s AND ended_at IS NULL",
        (module,),
    )
    return _standing(rows[0]) if rows else None


def of_module(module: str) -> list[Standing]:
    """All lifts of a module, the first one in front."""
    rows = fetch(
        DEFAULT_ALIAS,
        f"SELECT {_COLUMNS} FROM monolift_lift WHERE module = %s ORDER BY created_at",
        (module,),
    )
    return [_standing(row) for row in rows]


def latest() -> list[Standing]:
    """The last lift of each module, open or ended."""
    rows = fetch(DEFAULT_ALIAS, f"SELECT {_COLUMNS} FROM monolift_lift ORDER BY created_at")
    return list({row[1]: _standing(row) for row in rows}.values())


def interrupted() -> list[str]:
    """Modules whose lift was left in the middle of a stage by somebody who was killed."""
    rows = fetch(
        DEFAULT_ALIAS,
        "SELECT module FROM monolift_lift WHERE ended_at IS NULL AND doing <> '' "
        f"AND lease_until <= {now(DEFAULT_ALIAS)}",
    )
    return [module for (module,) in rows]


def begin(module: str, *, stage: str = "") -> Standing:
    """Open a lift, with the stages up to that one done. Blocked when one is open."""
    moment_now = moment(DEFAULT_ALIAS, clock.now())
    identifier = str(uuid7())
    try:
        execute(
            DEFAULT_ALIAS,
            "INSERT INTO monolift_lift (id, module, stage, doing, evidence, token, created_at, "
            "updated_at) VALUES (%s, %s, %s, '', '{}', '', %s, %s)",
            (identifier, module, stage, moment_now, moment_now),
        )
    except IntegrityError:
        raise Blocked(
            f"A lift of {module} is open: `monolift lift {module} status` shows where it stands."
        ) from None
    return Standing(id=identifier, module=module, stage=stage, doing="", evidence={}, ended=False)


class Held:
    """The right to work on one lift, while the block runs."""

    def __init__(self, standing: Standing, token: str) -> None:
        self.standing = standing
        self._token = token
        self._lost = threading.Event()

    def starts(self, doing: str) -> None:
        """Record that a stage is begun, before anything of it is done."""
        self._write("doing = %s", (doing,))
        self.standing.doing = doing

    def done(self, stage: str, evidence: Mapping[str, Any], *, of: str) -> None:
        """Record that a stage is done or (`-stage`) taken back, with what was measured.

        `stage` is the last one that is done now.
        """
        known = self.standing.evidence
        known[of] = {**evidence, "at": clock.now().isoformat()}
        self._write("doing = '', stage = %s, evidence = %s", (stage, json.dumps(known)))
        self.standing.doing, self.standing.stage = "", stage

    def notes(self, name: str, evidence: Mapping[str, Any]) -> None:
        """Record what was found in the middle of a stage."""
        known = self.standing.evidence
        known[name] = {**evidence, "at": clock.now().isoformat()}
        self._write("evidence = %s", (json.dumps(known),))

    def ends(self) -> None:
        """Close the lift."""
        self._write("doing = '', ended_at = %s", (moment(DEFAULT_ALIAS, clock.now()),))
        self.standing.ended = True

    def check(self) -> None:
        """Blocked when somebody else has taken the lift over; part of the open transaction."""
        self._write("token = token", ())

    def _write(self, columns: str, values: tuple[Any, ...]) -> None:
        changed = execute(
            DEFAULT_ALIAS,
            f"UPDATE monolift_lift SET {columns}, updated_at = {now(DEFAULT_ALIAS)} "
            "WHERE id = %s AND token = %s",
            (*values, self.standing.id, self._token),
        )
        if not changed:
            raise Blocked(
                f"Somebody else works on the lift of {self.standing.module} now: this command was "
                "away for too long. Look at its status."
            )

    def renew(self) -> None:
        """Keep it for another while."""
        execute(
            DEFAULT_ALIAS,
            f"UPDATE monolift_lift SET lease_until = {after(DEFAULT_ALIAS, LEASE)} "
            "WHERE id = %s AND token = %s",
            (self.standing.id, self._token),
        )


@contextmanager
def held(standing: Standing) -> Iterator[Held]:
    """Work on a lift, as it stands when nobody else does; Blocked while somebody does.

    Who was killed keeps it for a moment, so it is waited for a little longer than that.
    """
    token = str(uuid7())
    until = time.monotonic() + 1.5 * LEASE
    while not _take(standing, token):
        if time.monotonic() > until:
            raise Blocked(
                f"Somebody works on the lift of {standing.module} right now. Wait for them, or "
                f"watch: `monolift lift {standing.module} status --watch`."
            )
        time.sleep(LEASE / 20)
    mine = Held(standing, token)
    ended = threading.Event()
    keeper = threading.Thread(target=_keep, args=(mine, ended), name="monolift-lift", daemon=True)
    keeper.start()
    try:
        yield mine
    finally:
        ended.set()
        keeper.join()
        execute(
            DEFAULT_ALIAS,
            "UPDATE monolift_lift SET lease_until = NULL WHERE id = %s AND token = %s",
            (standing.id, token),
        )


def _take(standing: Standing, token: str) -> bool:
    """Take it, and learn what became of it since it was read."""
    taken = execute(
        DEFAULT_ALIAS,
        f"UPDATE monolift_lift SET token = %s, lease_until = {after(DEFAULT_ALIAS, LEASE)} "
        "WHERE id = %s AND ended_at IS NULL "
        f"AND (lease_until IS NULL OR lease_until <= {now(DEFAULT_ALIAS)})",
        (token, standing.id),
    )
    rows = fetch(
        DEFAULT_ALIAS, f"SELECT {_COLUMNS} FROM monolift_lift WHERE id = %s", (standing.id,)
    )
    seen = _standing(rows[0])
    if seen.ended:
        raise Blocked(
            f"Somebody else has just ended the lift of {standing.module}. Look at its status."
        )
    standing.stage, standing.doing, standing.evidence = seen.stage, seen.doing, seen.evidence
    return bool(taken)


def _keep(mine: Held, ended: threading.Event) -> None:
    try:
        while not ended.wait(LEASE / 4):
            try:
                mine.renew()
            except DatabaseError:  # it is away: if it stays so, somebody else may take over
                connections.close_all()
    finally:
        connections.close_all()


def _standing(row: tuple[Any, ...]) -> Standing:
    identifier, module, stage, doing, evidence, ended = row
    return Standing(
        id=identifier,
        module=module,
        stage=stage,
        doing=doing,
        evidence=json.loads(evidence),
        ended=bool(ended),
    )
