"""Tasks: work a module gives itself, now or at a time, written in the commit that needs it."""

import inspect
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, get_type_hints
from uuid import UUID

import msgspec

from monolift.events.wake import wake, wake_after_commit
from monolift.kernel import CallRefused, DeclarationError, clock, uuid7
from monolift.kernel.names import owner_of
from monolift.kernel.wire_types import check
from monolift.observe.trace import carried
from monolift.registry.modules import module_of
from monolift.registry.scope import current
from monolift.registry.sql import execute, moment, now
from monolift.registry.topology import topology


class Task[**P]:
    """A function that a worker runs. Shaped like `django.tasks`: `enqueue`, with a time by `at`."""

    def __init__(
        self, function: Callable[P, None], *, name: str, run_at: datetime | None = None
    ) -> None:
        self.function = function
        self._name = name
        self.run_at = run_at

    @property
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
        return Task(self.function, name=self._name, run_at=when)

    def after(self, delay: timedelta, /) -> "Task[P]":
        """The same task, not before `delay` from now."""
        return self.at(clock.now() + delay)

    def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> UUID:
        """Write the task down, in the surrounding `atomic()` or else at once; its id.

        It runs at least once, its own `atomic()` exactly once, after the commit.
        """
        scope = current()
        module = self.module
        if scope.managed and scope.module != module:
            raise CallRefused(
                f"{scope.module} enqueues {self.name}. A task belongs to its module: offer a "
                "command in its interface instead."
            )
        alias = scope.alias if scope.depth and scope.alias else topology().alias(module)
        identifier = uuid7()
        due = "%s" if self.run_at else now(alias)
        execute(
            alias,
            "INSERT INTO monolift_delivery (module, event, subscriber, publisher, name, number, "
            "body, trace, state, attempts, token, failure, due_at, created_at) "
            f"VALUES (%s, %s, %s, %s, %s, 0, %s, %s, 'pending', 0, '', '', {due}, {now(alias)})",
            (
                module,
                str(identifier),
                self.name,
                module,
                self.name,
                msgspec.json.encode(self.arguments(*args, **kwargs)).decode(),
                carried(),
                *((moment(alias, self.run_at),) if self.run_at else ()),
            ),
        )
        if self.run_at is None:
            wake_after_commit(alias) if scope.depth else wake(alias)
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


def task[**P](function: Callable[P, None], /) -> Task[P]:
    """Make a function of `tasks.py` a task. Its parameters are keyword-only plain data."""
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
    made = Task(function, name=function.__name__)
    _tasks.append(made)
    return made


def task_named(name: str) -> Task[Any] | None:
    """The task that a stored row is for; None when it is not installed any more."""
    return next((known for known in reversed(_tasks) if known.name == name), None)
