"""Tasks: work a module gives itself, now or at a time, written in the commit that needs it."""

import inspect
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple, get_type_hints, overload
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from cronsim import CronSim, CronSimError
from django.db import connections

from monolift.events.wake import wake_after_commit
from monolift.kernel import CallRefused, DeclarationError, clock, uuid7
from monolift.kernel.names import owner_of
from monolift.kernel.wire_types import check
from monolift.observe.trace import carried
from monolift.registry.direct import DirectStatement
from monolift.registry.modules import module_of
from monolift.registry.scope import current
from monolift.registry.sql import moment
from monolift.registry.topology import topology

_ROW = (
    "INSERT INTO monolift_delivery (module, event, subscriber, publisher, name, number, body, "
    "trace, state, attempts, token, failure, due_at, created_at) "
    "VALUES (%s, %s, %s, %s, %s, 0, %s, %s, 'pending', 0, '', '', "
)
_SOON = "statement_timestamp() + %s::interval"
_POSTGRESQL = DirectStatement(
    f"{_ROW} COALESCE(%s::timestamptz, {_SOON}), {_SOON})", name="monolift_enqueue"
)
_SQLITE = DirectStatement(
    f"{_ROW} COALESCE(%s, monolift_later(0)), monolift_later(0))", name="monolift_enqueue"
)


class Schedule(NamedTuple):
    """The times at which a task comes round: a line of cron, in a time zone."""

    line: str
    zone: ZoneInfo

    def next_after(self, moment: datetime) -> datetime:
        """The first time after a moment, in UTC.

        As Debian's cron does it: a time that a change of the clocks skips comes right after the
        change, one that comes twice is run once; a line with `*` for minutes or hours runs by
        what the clock shows.
        """
        return next(CronSim(self.line, moment.astimezone(self.zone))).astimezone(UTC)


class Task[**P]:
    """A function that a worker runs. Shaped like `django.tasks`: `enqueue`, with a time by `at`."""

    def __init__(
        self,
        function: Callable[P, None],
        *,
        name: str,
        run_at: datetime | None = None,
        schedule: Schedule | None = None,
    ) -> None:
        self.function = function
        self._name = name
        self.run_at = run_at
        self.schedule = schedule

    @cached_property
    def module(self) -> str:
        """The label of the module that the task belongs to."""
        return module_of(self.function.__module__) or owner_of(self.function.__module__)

    @property
    def name(self) -> str:
        """`inventory.expire_hold`: what is stored."""
        return f"{self.module}.{self._name}"

    def at(self, when: datetime, /) -> "Task[P]":
        """The same task, not before `when` (timezone-aware)."""
        if when.tzinfo is None:
            raise ValueError(f"{when!r} has no timezone; give an aware datetime.")
        later = Task(self.function, name=self._name, run_at=when)
        later.arguments, later.module = self.arguments, self.module  # making them takes longest
        return later

    def next_after(self, moment: datetime) -> datetime:
        """When a recurring task comes round next."""
        if self.schedule is None:
            raise ValueError(f"{self.name} does not come round: it has no `every=`.")
        return self.schedule.next_after(moment)

    def after(self, delay: timedelta, /) -> "Task[P]":
        """The same task, not before `delay` from now."""
        return self.at(clock.now() + delay)

    def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> UUID:
        """Write the task down, in the surrounding `atomic()` or else at once; its id.

        It runs at least once, its own `atomic()` exactly once, after the commit. On PostgreSQL its
        row comes with the commit: nothing reads it before, and its error is the commit's.
        """
        scope = current()
        module = self.module
        name = f"{module}.{self._name}"
        if scope.managed and scope.module != module:
            raise CallRefused(
                f"{scope.module} enqueues {name}. A task belongs to its module: offer a "
                "command in its interface instead."
            )
        alias = scope.alias if scope.depth and scope.alias else topology().alias(module)
        identifier = uuid7()
        body = msgspec.json.encode(self.arguments(*args, **kwargs)).decode()
        row = (module, str(identifier), name, module, name, body, carried())
        connection = connections[alias]
        if connection.vendor == "postgresql":
            moved = f"{clock.offset().total_seconds():.6f} seconds"
            at = self.run_at.isoformat() if self.run_at else None
            _POSTGRESQL.execute_with_commit(connection, (*row, at, moved, moved))
        else:
            _SQLITE.execute(connection, (*row, moment(alias, self.run_at) if self.run_at else None))
        if self.run_at is None:
            wake_after_commit(alias)
        return identifier

    @cached_property
    def arguments(self) -> type[msgspec.Struct]:
        """The parameters as a struct."""
        hints = get_type_hints(self.function, include_extras=True)
        fields: list[Any] = []
        for parameter in inspect.signature(self.function).parameters.values():
            check(
                hints[parameter.name],
                declared=self.function,
                where=f"{self._name}({parameter.name}=)",
            )
            empty = parameter.default is inspect.Parameter.empty
            default = msgspec.NODEFAULT if empty else parameter.default
            fields.append((parameter.name, hints[parameter.name], default))
        return msgspec.defstruct(self._name, fields, frozen=True, kw_only=True)

    def decode(self, body: str) -> dict[str, Any]:
        """The stored arguments, checked against the parameters."""
        struct = msgspec.json.decode(body, type=self.arguments)
        return {name: getattr(struct, name) for name in self.arguments.__struct_fields__}

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Run it here and now."""
        self.function(*args, **kwargs)


_tasks: list[Task[Any]] = []


@overload
def task[**P](function: Callable[P, None], /) -> Task[P]: ...


@overload
def task(*, every: str, zone: str = "UTC") -> Callable[[Callable[[], None]], Task[[]]]: ...


def task(
    function: Callable[..., None] | None = None, /, *, every: str | None = None, zone: str = "UTC"
) -> Any:
    """Make a function of `tasks.py` a task. Its parameters are keyword-only plain data.

    `@task(every="30 2 * * *", zone="Europe/Berlin")` makes one without parameters that comes round
    by itself, at the times of a line of cron: minute, hour, day of the month, month, weekday. No
    two runs of it overlap; a time at which nothing ran is made up for once at most.
    """
    if function is not None:
        return _declared(function, None)
    if every is None:
        raise DeclarationError("task(zone=...) needs every=: a line of cron, or write `@task`.")

    def decorate(function: Callable[[], None]) -> Task[[]]:
        if inspect.signature(function).parameters:
            raise DeclarationError.at(
                function,
                f"{function.__name__} comes round by itself, so nobody gives it parameters.",
                f"Write `def {function.__name__}() -> None:`.",
            )
        return _declared(function, _schedule(function, every, zone))

    return decorate


def _schedule(function: Callable[[], None], line: str, zone: str) -> Schedule:
    try:
        schedule = Schedule(line, ZoneInfo(zone))
        schedule.next_after(clock.now())
    except CronSimError as error:
        raise DeclarationError.at(
            function,
            f"every={line!r} is no line of cron: {error}.",
            'Give minute, hour, day, month and weekday: every="30 2 * * *".',
        ) from None
    except StopIteration:
        raise DeclarationError.at(
            function, f"every={line!r} never comes.", "Give a day that there is."
        ) from None
    except (ZoneInfoNotFoundError, ValueError):
        raise DeclarationError.at(
            function, f"zone={zone!r} is no time zone.", 'Give one by name: zone="Europe/Berlin".'
        ) from None
    return schedule


def _declared[**P](function: Callable[P, None], schedule: Schedule | None) -> Task[P]:
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            raise DeclarationError.at(
                function,
                f"The task {function.__name__} takes {parameter.name!r} by position.",
                f"Write `def {function.__name__}(*, {parameter.name}: ...)`.",
            )
        if parameter.annotation is inspect.Parameter.empty:
            raise DeclarationError.at(
                function, f"{function.__name__}: {parameter.name!r} has no type.", "Annotate it."
            )
    made = Task(function, name=function.__name__, schedule=schedule)
    _tasks.append(made)
    return made


def all_tasks() -> list[Task[Any]]:
    """Every task of the process; of two that are declared alike, the later one."""
    return list({known.name: known for known in _tasks}.values())


def task_named(name: str) -> Task[Any] | None:
    """The task that a stored row is for; None when it is not installed any more."""
    return next((known for known in reversed(_tasks) if known.name == name), None)
